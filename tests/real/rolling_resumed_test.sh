#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C in the middle of a rolling upgrade: exit 130, each Deployment either in the new version or untouched, the lock kept, for the
# release is half done; `resume` brings it to its end. And from such a middle another machine (another HOME, another state folder, no
# file of the first) resumes it, once the lock is free, and the client's check compares with its answer from before.
source "$(dirname "$0")/kube.sh"

# Starts the upgrade, and gives it the signal of Ctrl-C once it waits for datacoord.
interrupt() { # VERSION OPTIONS...
  local code=0
  mark_runs
  # A shell starts what is in the background with SIGINT ignored.
  (cd "$where" && exec env --default-signal=INT "$MU_BINARY" rolling -n "$space" -i my-release -t "$1" -w "milvusdb/milvus:v$1" --yes \
    --stable-for 200ms "${@:2}") >"$work/out" 2>"$work/err" </dev/null &
  tool=$!
  background+=("$tool")
  wait_for_record 60 '.type == "intent" and .step == "wait/datacoord"'
  kill -INT "$tool"
  wait "$tool" || code=$?
  equal "exit code after Ctrl-C" "$code" 130
  says "milvus-upgrade resume"
  run=$(basename "$(run_folder)")
  equal "Deployments in $1" "$(images | grep -c "v$1\$")" 2
  equal "who holds the lock" "$(k get lease milvus-upgrade-my-release -o jsonpath='{.spec.holderIdentity}' | cut -d@ -f1)" "$run"
}

release chart-4.0 --active-standby --bare --ready-after 1s
interrupt 2.2.4
product 0 status -n "$space" -i my-release
says "wait/datacoord"
product 0 resume -n "$space" -i my-release --yes
all_run milvusdb/milvus:v2.2.4
equal "leases left" "$(k get leases -o name)" ""

echo "1000 rows" >"$work/rows"
interrupt 2.2.5 --verify-cmd "cat $work/rows" --verify-output
remember before
mkdir "$work/elsewhere"
elsewhere() { HOME=$work/elsewhere XDG_STATE_HOME='' product "$@" --state-dir "$work/elsewhere/runs"; }
elsewhere 0 status -n "$space" -i my-release
says "$run"
elsewhere 5 resume -n "$space" -i my-release --yes
untouched before "a resume that the lock has refused"
if [ -z "${MU_LONG:-}" ]; then
  # As `unlock` does once the lock was not renewed for a minute (rolling_locked).
  k delete lease milvus-upgrade-my-release >/dev/null
else
  elsewhere 0 unlock "$run" -n "$space" -i my-release --yes
fi
elsewhere 0 resume -n "$space" -i my-release --yes
all_run milvusdb/milvus:v2.2.5
jq -e -s 'any(.[]; .step == "verify/after" and .type == "done" and .evidence.output == "1000 rows")' "$work/elsewhere/runs/$run/journal.ndjson" >/dev/null ||
  fail "the client's check was not made"
equal "what is left of the run in the namespace" "$(k get leases,configmaps -o name | grep -c milvus-upgrade- || true)" 0
passed
