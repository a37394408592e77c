# SPDX-License-Identifier: Apache-2.0
# What the suites share: run the binary, look at its exit code and its two streams.
set -u

# Called by the runner: a clean environment, so that the machine's own settings decide nothing.
ENTER() {
  FOLDER=$1
  BIN=$FOLDER/bin
  FAKES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/fakes
  export HOME=$FOLDER/home
  for name in $(compgen -e); do
    case $name in
      MILVUS_UPGRADE_* | COMPOSE_* | DOCKER_* | GITHUB_* | XDG_* | CI | NO_COLOR | COLUMNS) unset "$name" ;;
    esac
  done
  export TERM=xterm
  export PATH=$BIN:$PATH
  cd "$FOLDER/work" || exit 1
}

fail() {
  echo "$*"
  echo "--- exit code ${CODE-none}, stdout:"
  head -c 3000 "$FOLDER/out" 2>/dev/null
  echo "--- stderr:"
  head -c 3000 "$FOLDER/err" 2>/dev/null
  exit 1
}

# run ARGUMENT...: the binary; $CODE, $FOLDER/out, $FOLDER/err. Nothing of ours may take a minute.
run() {
  timeout -k 5 100 "$MU" "$@" >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
}
# The same on a terminal of its own, whose output is $FOLDER/out. $TYPED is what is typed.
run_on_tty() {
  local line="$MU" word
  for word in "$@"; do line+=" $(printf %q "$word")"; done
  : >"$FOLDER/err"
  printf '%b' "${TYPED-}" | timeout -k 5 60 script -qec "$line" /dev/null >"$FOLDER/out"
  CODE=${PIPESTATUS[1]}
}

expect_code() { [[ $CODE == "$1" ]] || fail "exit code is $CODE, not $1"; }
expect_out() { grep -qF -- "$1" "$FOLDER/out" || fail "stdout has no \"$1\""; }
expect_err() { grep -qF -- "$1" "$FOLDER/err" || fail "stderr has no \"$1\""; }
expect_no_err() { ! grep -qF -- "$1" "$FOLDER/err" || fail "stderr has \"$1\""; }
expect_empty_out() { [[ ! -s $FOLDER/out ]] || fail "stdout is not empty"; }
# expect_json 'EXPRESSION': of j, the one object on stdout, in Python.
expect_json() {
  python3 - "$FOLDER/out" "$1" <<'PY' || fail "not so of the JSON on stdout: $1"
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
j = json.loads(text)
sys.exit(0 if isinstance(j, dict) and j.get("schema_version") == 1 and eval(sys.argv[2]) else 1)
PY
}
# Each error has its id, its exit code and a next step.
expect_error() {
  expect_code "$1"
  expect_err "error: $2:"
  expect_err "next: "
}

# fake NAME <<'E' ... E: a program of that name, first on PATH.
fake() {
  { echo '#!/bin/bash'; cat; } >"$BIN/$1"
  chmod +x "$BIN/$1"
}
