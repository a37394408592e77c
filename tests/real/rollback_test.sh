#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The way back that a person asks for: of a run that is done, of one that is paused in the outage, of one that is killed on its
# way back. An upgrade in supervised parts, the very same command again, another target refused. A run whose folder is gone
# is found by its lock and given up with `unlock`; `runs prune` keeps the last good backup.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

fresh_stack
image_as "$milvus:v2.2.17"
cp -p "$stack/docker-compose.yml" "$work/before.yml"
policy=$(policy_of milvus-standalone)
is_back() { # WHEN
  equal "the image, $1" "$(image_of milvus-standalone)" "$milvus:v2.2.16"
  equal "the policy, $1" "$(policy_of milvus-standalone)" "$policy"
  same_file "the file is not the old one, $1" "$work/before.yml" "$stack/docker-compose.yml"
  no_lock_left
  same_search "$1"
}

# Done, and back: the new version runs and is brought down in order.
product 0 compose --to 2.2.17 --yes --stable-for 1s
product 0 status
says "back to 2.2.16"
product 0 rollback --yes --output json
equal "the outcome" "$(jq -r .report.outcome "$work/out")" rolled-back
is_back "after the rollback of a run that was done"
product 0 rollback --yes
says "there is nothing to go back from"

# In parts. No such step: nothing is touched.
product 2 compose --to 2.2.17 --yes --until stop/standalon
says "did you mean stop/standalone?"
no_lock_left
product 8 compose --to 2.2.17 --yes --until stop/standalone
says "paused before step"
product 0 status --output json
equal "what resume does" "$(jq -r '.resume | startswith("goes on with step")' "$work/out")" true
equal "what rollback does" "$(jq -r '.rollback | [.is_possible, .to] | join(" ")' "$work/out")" "true 2.2.16"
product 5 compose --to 2.3.5 --yes
says "2.2.16 to 2.2.17"
# Started by hand in the pause: held down again.
docker start milvus-standalone >/dev/null
product 0 compose --to 2.2.17 --yes --stable-for 1s
says "going on with run"
equal "the image, in parts" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
equal "times it was stopped" "$(jq -s 'map(select(.type == "intent" and .step == "stop/standalone")) | length' "$(run_folder)/journal.ndjson")" 2
product 0 rollback --yes
is_back "after the rollback of a run in parts"

# Paused in the outage, and back. Killed on the way, and gone on with.
mark_runs
product 8 compose --to 2.2.17 --yes --pause-before up/standalone
for looks in check plan; do # what they would advise is for a stack that is whole
  product 5 "$looks" compose --to 2.2.17
  says "is not over"
done
(cd "$stack" && exec "$MU_BINARY" rollback --yes) >"$work/out" 2>"$work/err" </dev/null &
tool=$!
background+=("$tool")
wait_for_record 60 '.phase == "rollback" and .type == "intent" and (.step | contains("/up/"))'
kill -KILL "$tool" || fail "the rollback ended before it could be killed"
wait "$tool" 2>/dev/null || true
product 0 status
says "on the way back"
product 0 rollback --yes
says "on its way back already"
is_back "after a rollback that was killed"

# A file that someone edits in the pause is shown and left alone. A container that someone removes there is made anew.
product 8 compose --to 2.2.17 --yes --pause-before up/standalone
sed -i 's|v2.2.17|v2.2.99|' "$stack/docker-compose.yml"
product 7 resume --yes
says "MU-186"
says "v2.2.99"
sed -i 's|v2.2.99|v2.2.17|' "$stack/docker-compose.yml"
docker rm milvus-standalone >/dev/null
product 0 rollback --yes
is_back "after a file was edited and put right, and the container was removed"

# The folder of the run is gone: its lock says where it was.
product 8 compose --to 2.2.17 --yes --until stop/standalone
run=$(basename "$(run_folder)")
mv "$stack/.milvus-upgrade" "$work/gone"
product 2 status
says "$run"
product 5 compose --to 2.2.17 --yes
says "unlock $run"
product 0 unlock "$run" --yes
no_lock_left
mv "$work/gone" "$stack/.milvus-upgrade"
product 0 rollback --yes
is_back "after it was unlocked"
product 0 runs prune --keep 1 --dry-run
[ "$(wc -l <"$work/out")" -ge 3 ] || fail "prune names no runs"
product 0 runs prune --keep 1 --yes
equal "runs left" "$(find "$stack/.milvus-upgrade" -mindepth 1 -maxdepth 1 -type d | wc -l)" 1
[ -s "$(run_folder)/backup/keys.bak" ] || fail "the last good backup is gone"
passed
