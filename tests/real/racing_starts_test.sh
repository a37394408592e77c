#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# timeout 1200
# Fifty starts of one plan at once, from two state folders: one of them upgrades, the others are refused, by the lock of the
# folder, by the one on the engine, or because the winner has changed the stack; the loser's folder holds no run that has
# touched anything.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

fresh_stack
image_as "$milvus:v2.2.17"
product 0 plan compose --to 2.2.17 --out plan.json
mkdir "$work/codes"
starts=()
for number in $(seq 50); do
  (
    code=0
    (cd "$stack" && exec timeout 300 "$MU_BINARY" apply plan.json --yes --state-dir "$work/state-$((number % 2))") >/dev/null 2>"$work/codes/$number.err" || code=$?
    echo "$code" >"$work/codes/$number"
  ) &
  starts+=($!)
done
background+=("${starts[@]}")
wait "${starts[@]}"
codes=$(cat "$work"/codes/[0-9]? "$work"/codes/[0-9] | sort -n | uniq -c | awk '{ printf "%s times %s; ", $1, $2 }')
note "exit codes: $codes"
for code in $(grep -LxE '5|9' "$work"/codes/*[0-9]); do note "exit code $(cat "$code"): $(tail -n 5 "$code.err")"; done
equal "winners" "$(grep -lx 0 "$work"/codes/*[0-9] | wc -l)" 1
equal "refused by a lock (5) or as stale (9)" "$(grep -lxE '5|9' "$work"/codes/*[0-9] | wc -l)" 49
equal "runs that touched the stack" "$(grep -l '"type":"intent".*"step":"stop/' "$work"/state-?/*/journal.ndjson | wc -l)" 1
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
same_search "after fifty starts"
no_lock_left
passed
