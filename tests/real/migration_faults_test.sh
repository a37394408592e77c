#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# timeout 1800
# The world goes wrong around a right migration, in the outage: etcd is killed or paused; a Milvus of someone else starts on
# the same metadata; the disk of the runs is full. A neighbour in the same etcd is never touched, whatever happens. At the
# end of each: a whole 2.1.0 or a whole 2.2.16, never something between.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
mounts=()
at_end 'for folder in "${mounts[@]}"; do umount -l "$folder"; done'

small_quota() { sed -i 's/QUOTA_BACKEND_BYTES=.*/QUOTA_BACKEND_BYTES=33554432/' "$stack/docker-compose.yml"; }
milvus=ground.local/milvusdb/milvus
neighbours() { etcd_keys '^\["by-dev/(meta|kv)/'; }
# 2.1.0 beside a neighbour: another instance, under a root of its own in the same etcd.
start() {
  local key
  fresh_stack21 --prepare small_quota
  write_migrate_yaml 2.2.16
  cp -p "$stack/docker-compose.yml" "$work/before.yml"
  in_etcd get --prefix by-dev/ -w json >"$work/kvs.json"
  jq -r '.kvs[] | select((.lease // 0) == 0) | .key | @base64d' "$work/kvs.json" | while read -r key; do
    jq -r --arg key "$key" '.kvs[] | select(.key == ($key | @base64)) | .value' "$work/kvs.json" | base64 -d |
      docker exec -i milvus-etcd etcdctl put "prod/${key#by-dev/}" >/dev/null
  done
  neighbours >"$work/neighbours"
  [ "$(wc -l <"$work/neighbours")" -gt 150 ] || fail "there is no neighbour"
}
start
migration_image
slow=$(hostile_image slow) half=$(hostile_image half)

old_version_is_whole() { # WHAT
  same_file "$1: the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
  equal "$1: the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.1.0"
  same_inventory "$work/inventory.json" "after $1" --client 2.1.3
  neighbours >"$work/neighbours.now"
  same_file "$1 has changed a neighbour" "$work/neighbours" "$work/neighbours.now"
  no_scratch_left
}
in_step() { # STEP COMMAND...: when the run has entered it
  (wait_for_record 300 ".type == \"intent\" and .step == \"$1\"" && "${@:2}") &
  background+=($!)
}
upgrade=(compose --to 2.2.16 -c migrate.yaml --yes --no-rehearsal)

# One whose path begins like ours would be taken along by Milvus's own tool: refused.
in_etcd put by-dev/meta2/root-coord/collection/1 x >/dev/null
product 3 "${upgrade[@]}" --migration-image "$tool_image"
says "migration-sibling"
in_etcd del by-dev/meta2/root-coord/collection/1 >/dev/null

# A failed migration beside a neighbour.
mark_runs
product 6 "${upgrade[@]}" --migration-image "$half"
old_version_is_whole "half a migration"

# Runs the upgrade with the image; what it ends with may be a whole 2.2.16 or a whole 2.1.0, at once or by `resume`.
ends_whole() { # WHAT IMAGE TEXT-OF-THE-CAUSE CURE...
  local what=$1 image=$2 cause=$3 code=0
  shift 3
  (cd "$stack" && exec timeout 400 "$MU_BINARY" "${upgrade[@]}" --migration-image "$image" --timeout 120s) \
    >"$work/out" 2>"$work/err" </dev/null || code=$?
  note "$what: exit code $code"
  [ "$code" -eq 0 ] || says "$cause"
  "$@"
  if [ "$code" -eq 7 ]; then
    code=0
    (cd "$stack" && exec timeout 400 "$MU_BINARY" resume --yes) >"$work/out" 2>"$work/err" </dev/null || code=$?
    note "$what: resume: exit code $code"
  fi
  case $code in
    0)
      same_inventory "$work/inventory.json" "on 2.2.16, after $what"
      neighbours >"$work/neighbours.now"
      same_file "$what has changed a neighbour" "$work/neighbours" "$work/neighbours.now"
      no_scratch_left
      wipe_stack
      for folder in "${mounts[@]}"; do umount -l "$folder"; done
      mounts=()
      rm -rf "$stack"
      start
      ;;
    6) old_version_is_whole "$what" ;;
    *) fail "$what: exit code $code, wanted 0 or 6" ;;
  esac
}

# A Milvus of someone else starts in the middle, on the same metadata.
stranger() {
  sleep 3
  docker run -d --name stranger --network milvus -e ETCD_ENDPOINTS=etcd:2379 -e MINIO_ADDRESS=minio:9000 "$milvus:v2.1.0" milvus run standalone >/dev/null
  sleep 25
  docker rm -f stranger >/dev/null
}
no_stranger() { docker rm -f stranger >/dev/null 2>&1 || true; }
mark_runs
in_step meta/migrate stranger
ends_whole "a stranger in the middle" "$slow" session no_stranger

# etcd paused for 15 s, killed and started again, while the migration runs.
paused() { sleep 2 && docker pause milvus-etcd >/dev/null && sleep 15 && docker unpause milvus-etcd >/dev/null; }
killed() { sleep 2 && docker kill milvus-etcd >/dev/null && sleep 8 && docker start milvus-etcd >/dev/null; }
mark_runs
in_step meta/migrate paused
ends_whole "a paused etcd" "$slow" etcd true
mark_runs
in_step meta/migrate killed
ends_whole "a killed etcd" "$slow" etcd true

# etcd gets full in the outage: nothing can be written, nor deleted, until a person has made room.
fill_etcd() {
  local number
  for number in $(seq 64); do
    head -c 1000000 /dev/zero | docker exec -i milvus-etcd etcdctl put "filler/$number" >/dev/null 2>&1 || return 0
  done
  fail "etcd does not get full"
}
free_etcd() {
  in_etcd alarm disarm >/dev/null # deletes are refused as well
  in_etcd del --prefix filler/ >/dev/null
  in_etcd compact "$(in_etcd endpoint status -w json | jq '.[0].Status.header.revision')" >/dev/null
  in_etcd defrag >/dev/null
  in_etcd alarm disarm >/dev/null
}
mark_runs
in_step meta/migrate fill_etcd
ends_whole "an etcd that got full in the migration" "$slow" NOSPACE free_etcd
mark_runs
in_step meta/confirm fill_etcd
ends_whole "an etcd that got full after it" "$tool_image" "space exceeded" free_etcd

# The disk of the runs gets full in the outage: nothing was written to etcd yet.
mkdir -p "$stack/.milvus-upgrade"
mount -t tmpfs -o size=128m tmpfs "$stack/.milvus-upgrade" || fail "no tmpfs"
mounts+=("$stack/.milvus-upgrade")
mark_runs
in_step stop/standalone dd if=/dev/zero of="$stack/.milvus-upgrade/filled" bs=1M status=none
ends_whole "a full disk" "$tool_image" "No space left on device" rm -f "$stack/.milvus-upgrade/filled"

mkdir "$work/readonly"
mount -t tmpfs -o ro tmpfs "$work/readonly" || fail "no tmpfs"
mounts+=("$work/readonly")
milvus_before=$(identity_of milvus-standalone)
product 2 "${upgrade[@]}" --migration-image "$tool_image" --state-dir "$work/readonly/runs"
equal "milvus after a read-only state folder" "$(identity_of milvus-standalone)" "$milvus_before"

# etcd is full before the run: refused.
fill_etcd
product 3 "${upgrade[@]}" --migration-image "$tool_image"
says "NOSPACE"
equal "milvus beside a full etcd" "$(identity_of milvus-standalone)" "$milvus_before"
free_etcd
old_version_is_whole "a full etcd before the run"
# The right migration at last, beside its neighbour.
product 0 "${upgrade[@]}" --migration-image "$tool_image"
same_inventory "$work/inventory.json" "on 2.2.16"
neighbours >"$work/neighbours.now"
same_file "the upgrade has changed a neighbour" "$work/neighbours" "$work/neighbours.now"
no_scratch_left
passed
