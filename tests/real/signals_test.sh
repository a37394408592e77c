#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signals in the outage: the first one finishes the step and stops resumably, the second one stops now, with no child left
# behind; a terminal that is closed is as a SIGTERM; a reader that goes away ends nothing.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

fresh_stack --empty
for patch in 17 18 19 20; do image_as "$milvus:v2.2.$patch"; done

# Starts an upgrade of its own session and signals the tool alone once it has entered the step.
signalled() { # STEP TARGET WANTED-CODE SIGNAL...
  local step=$1 target=$2 want=$3 tool code=0 signal
  shift 3
  mark_runs
  (cd "$stack" && exec "$MU_BINARY" compose --to "$target" --yes --stable-for 1s) >"$work/out" 2>"$work/err" </dev/null &
  tool=$!
  background+=("$tool")
  wait_for_record 120 ".type == \"intent\" and .step == \"$step\""
  for signal in "$@"; do
    kill "-$signal" "$tool"
    sleep 0.3
  done
  wait "$tool" || code=$?
  equal "the exit code after $* in $step" "$code" "$want"
  says "milvus-upgrade resume"
  equal "children left behind" "$(pgrep -af "docker.*$work" || true)" ""
  note "exit $code after $* in $step"
}
goes_on() { # TARGET
  product 0 resume --yes
  equal "the image after resume" "$(image_of milvus-standalone)" "$milvus:v$1"
  no_lock_left
}

signalled stop/standalone 2.2.17 130 INT
jq -e -s 'any(.type == "done" and .step == "stop/standalone")' "$(run_folder)/journal.ndjson" >/dev/null || fail "the step was not finished"
goes_on 2.2.17
signalled up/standalone 2.2.18 130 INT INT
goes_on 2.2.18
signalled stop/standalone 2.2.19 143 HUP
goes_on 2.2.19

{ cd "$stack" && "$MU_BINARY" compose --to 2.2.20 --yes --stable-for 1s 2>&1 </dev/null; echo $? >"$work/code"; } | true
equal "the exit code without a reader" "$(cat "$work/code")" 0
equal "the image without a reader" "$(image_of milvus-standalone)" "$milvus:v2.2.20"
no_lock_left
passed
