#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two operators on two machines (here: two state folders) roll one release at the same time: one of them does it, the other is told
# who. Where the first dies in the middle, nobody takes its lock by the clock alone; the second sees the run, and with
# `./test --long` frees the lock and takes the run back, from what is kept in the namespace.
source "$(dirname "$0")/kube.sh"

release chart-4.0 --active-standby --bare
codes=()
for number in 0 1; do
  (cd "$where" && XDG_STATE_HOME=$work/state-$number exec timeout 120 "$MU_BINARY" rolling -n "$space" -i my-release -t 2.2.4 -w milvusdb/milvus:v2.2.4 \
    --yes --stable-for 200ms) >"$work/$number.out" 2>&1 </dev/null &
  background+=($!)
done
for number in 0 1; do
  code=0
  wait "${background[$number]}" || code=$?
  codes+=("$code")
done
equal "exit codes of two at once" "$(printf '%s\n' "${codes[@]}" | sort -n | tr '\n' ' ')" "0 5 "
all_run milvusdb/milvus:v2.2.4
equal "leases left" "$(k get leases -o name)" ""

# One that is killed in the middle. A machine that has never seen it is told, and is refused another upgrade.
remember before
mark_runs
(cd "$where" && exec "$MU_BINARY" rolling -n "$space" -i my-release -t 2.2.5 -w milvusdb/milvus:v2.2.5 --yes --stable-for 200ms) >"$work/out" 2>&1 </dev/null &
tool=$!
background+=("$tool")
wait_for_record 60 '.type == "intent" and .step == "wait/indexcoord"'
kill -KILL "$tool"
wait "$tool" 2>/dev/null || true
run=$(basename "$(run_folder)")
mkdir "$work/elsewhere"
elsewhere() { XDG_STATE_HOME=$work/elsewhere product "$@"; }
elsewhere 0 status -n "$space" -i my-release
says "2.2.4 -> 2.2.5"
XDG_STATE_HOME=$work/elsewhere rolling 5 2.2.6
elsewhere 5 rollback -n "$space" -i my-release --yes
says "$run"
if [ -z "${MU_LONG:-}" ]; then
  product 0 rollback -n "$space" -i my-release --yes
else
  # Not before the lock was seen not to be renewed for its whole minute.
  started=$SECONDS
  elsewhere 0 unlock "$run" -n "$space" -i my-release --yes
  [ $((SECONDS - started)) -ge 60 ] || fail "the lock was freed after $((SECONDS - started)) s"
  elsewhere 0 rollback -n "$space" -i my-release --yes
fi
all_run milvusdb/milvus:v2.2.4
remember now
same_file "rollback does not give back what was" "$work/before.release" "$work/now.release"
passed
