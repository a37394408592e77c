#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the tool inside the migration, with the migrator still at work in its container, then `rollback`: it is proven
# dead, and 2.1.0 serves. Then again, and the machine goes with it, and restarts: what is held down has
# stayed down although the file says `restart: always`, and `resume` restores from the backup, migrates anew, and 2.2.16 serves
# what 2.1.0 wrote.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own

add_policies() { sed -i -E 's|^  (etcd\|minio\|standalone):|  \1:\n    restart: always|' "$stack/docker-compose.yml"; }
fresh_stack21 --prepare add_policies
write_migrate_yaml 2.2.16
slow=$(hostile_image slow)
upgrade=(compose --to 2.2.16 -c migrate.yaml --migration-image "$slow" --no-rehearsal --yes)
cp -p "$stack/docker-compose.yml" "$work/before.yml"

kill_in_step meta/migrate 3 "${upgrade[@]}"
product 0 status
says "puts back from its backup"
[ -n "$(docker ps -q --filter label=milvus-upgrade.migrator)" ] || fail "the migrator is not at work any more: the kill came too late"
product 0 rollback --yes
same_file "the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
no_scratch_left
same_inventory "$work/inventory.json" "back on 2.1.0" --client 2.1.3
equal "the policy of Milvus" "$(policy_of milvus-standalone)" always

kill_in_step meta/migrate 3 "${upgrade[@]}"
# The machine loses its power, as far as the engine can tell: all processes are gone at once.
ground engine kill && ground engine stop && ground engine start 2>/dev/null
wait_for_etcd
equal "Milvus after the restart of the machine" "$(of_container milvus-standalone '{{.State.Status}}')" exited
product 0 status
says "puts back from its backup"
product 0 resume --yes
equal "the image after resume" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
for name in etcd minio standalone; do equal "the policy of $name" "$(policy_of "milvus-$name")" always; done
no_scratch_left
same_inventory "$work/inventory.json" "on 2.2.16 after resume"
passed
