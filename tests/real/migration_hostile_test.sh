#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# timeout 1800
# The migration's image goes wrong in every way that the real tool was seen to (tests/hostile/migration.cc). In the outage:
# exit 6, the cause in the message, every key of etcd as it was before, 2.1.0 serves again, nothing left on the engine. In
# the rehearsal: exit 3, the stack has never stopped. All of them with --long, else a sample that the date's seed chooses.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

# What it does, and what the message must say of it; `judged`: it says that all went well, and the keys tell otherwise.
faults='hang session up/down
half judged
nothing judged
exit2 index build meta not found
exit2-backup index build meta not found
panic index out of range
deaf it did not end within
flood the last line of a hundred megabytes
silent it said nothing
wrong-root judged
lock request timed out
twice the first start fails
garbage judged'

sample() { # NUMBER: so many of them, others each day, the same the whole day; never the one that waits out a minute
  local seed=${MU_SEED:-$(date +%Y%m%d)}
  note "seed $seed (MU_SEED=$seed takes the same again)"
  shuf -n "$1" --random-source=<(yes "$seed") < <(grep -v '^deaf ' <<<"$faults")
}
if [ -n "${MU_LONG:-}" ]; then
  live=$faults rehearsed=$faults
elif [ -n "${MU_FAULTS:-}" ]; then # by hand: these alone
  live=$(grep -E "^(${MU_FAULTS// /|}) " <<<"$faults") rehearsed=$live
else
  live=$(sample 2) rehearsed=$(tail -n 1 <<<"$live")
fi

fresh_stack21
write_migrate_yaml 2.2.16
cp -p "$stack/docker-compose.yml" "$work/before.yml"
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)
table=
row() { printf -v table '%s%-14s %-9s %9s %10s %8s\n' "$table" "$@"; }
row fault where 'exit code' 's to cause' 's in all'

# The container of the fault, started once more by someone else the moment it has ended.
start_again() { # IMAGE
  rm -f "$work/again"
  docker events --filter event=die --filter "image=$1" --format '{{.ID}}' >"$work/deaths" 2>/dev/null &
  background+=($!)
  sleep 0.5
  (
    until [ -s "$work/deaths" ]; do sleep 0.005; done
    docker start "$(head -n 1 "$work/deaths")" >"$work/again" 2>&1
  ) &
  background+=($!)
}
was_started_again() { note "twice: started again: $(cat "$work/again" 2>/dev/null || echo too late)"; }

seconds_of() { # STEP: from its start to its end, whatever that was
  jq -n -r --arg step "$1" '[inputs | select(.step == $step)] | if length > 1 then (last.at_ms - first.at_ms) / 1000 else "-" end' \
    "$(run_folder)/journal.ndjson"
}

in_the_outage() { # FAULT CAUSE
  local fault=$1 cause=$2 image started=$SECONDS size
  image=$(hostile_image "$fault")
  mark_runs
  rm -f "$work"/*.keys
  keys_at "$work/before.keys" '.type == "done" and .step == "meta/backup"' /session/
  keys_at "$work/after.keys" '.type == "done" and .step == "undo/meta/migrate"' /session/
  [ "$fault" != twice ] || start_again "$image"
  product 6 compose --to 2.2.16 -c migrate.yaml --migration-image "$image" --no-rehearsal --yes
  says "${cause/#judged/are not what they must be}"
  [ "$fault" != twice ] || was_started_again
  [ -s "$work/before.keys" ] && [ -s "$work/after.keys" ] || fail "$fault: the keys were not seen"
  if [ "$fault" = wrong-root ]; then
    # What it has written below a root that is not ours is not ours to remove.
    [ "$(grep -c '^\["elsewhere/' "$work/after.keys")" -gt 10 ] || fail "it has not written elsewhere"
    sed -i '/^\["elsewhere\//d' "$work/after.keys"
    in_etcd del --prefix elsewhere/ >/dev/null
  fi
  same_file "$fault: etcd does not hold what it held" "$work/before.keys" "$work/after.keys"
  equal "$fault: the lock of the migration" "$(in_etcd get by-dev/meta/session/migration)" ""
  same_file "$fault: the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
  equal "$fault: the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.1.0
  equal "$fault: etcd" "$(identity_of milvus-etcd)" "$etcd"
  equal "$fault: minio" "$(identity_of milvus-minio)" "$minio"
  same_inventory "$work/inventory.json" "after $fault" --client 2.1.3
  no_scratch_left
  size=$(du -sk "$(run_folder)" | cut -f1)
  [ "$size" -lt 20000 ] || fail "$fault: the run takes $size KiB"
  row "$fault" outage 6 "$(seconds_of meta/migrate)" $((SECONDS - started))
}

# What a 2.1.0 that is left alone does not write, and every fault does.
quiet_keys() { etcd_keys | grep -E '^\["(elsewhere|by-dev/meta/(root-coord|snapshots|field-index|segment-index|querycoord-[a-z]+-loadinfo))/' | grep -v timestamp; }

in_the_rehearsal() { # FAULT CAUSE
  local fault=$1 cause=$2 image started=$SECONDS milvus
  image=$(hostile_image "$fault")
  milvus=$(identity_of milvus-standalone)
  engine_state >"$work/state.before"
  quiet_keys >"$work/quiet.before"
  [ "$fault" != twice ] || start_again "$image"
  product 3 compose --to 2.2.16 -c migrate.yaml --migration-image "$image" --yes
  says "${cause/#judged/does not give what it must}"
  [ "$fault" != twice ] || was_started_again
  equal "$fault: milvus" "$(identity_of milvus-standalone)" "$milvus"
  engine_state >"$work/state.after"
  same_file "$fault: the rehearsal has changed the engine" "$work/state.before" "$work/state.after"
  quiet_keys >"$work/quiet.after"
  same_file "$fault: the rehearsal has changed the live etcd" "$work/quiet.before" "$work/quiet.after"
  same_file "$fault: the file has changed" "$work/before.yml" "$stack/docker-compose.yml"
  no_scratch_left
  row "$fault" rehearsal 3 "$(seconds_of meta/rehearse)" $((SECONDS - started))
}

while read -r fault cause <&3; do in_the_rehearsal "$fault" "$cause"; done 3<<<"$rehearsed"
same_inventory "$work/inventory.json" "after the rehearsals" --client 2.1.3
while read -r fault cause <&3; do in_the_outage "$fault" "$cause"; done 3<<<"$live"
printf '%s' "$table" >&2
passed
