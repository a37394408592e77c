#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the tool inside the migration. With the migrator still at work in its container, then `rollback`: it is proven
# dead, every key is as it was, 2.1.0 serves. Then again with our own migrator, and `resume`: restored from the backup, migrated
# anew, 2.2.16 serves what 2.1.0 wrote.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
write_migrate_yaml 2.2.16
slow=$(hostile_image slow)
cp -p "$stack/docker-compose.yml" "$work/before.yml"

keys_at "$work/keys.before" '.type == "intent" and .step == "meta/migrate"' session/
kill_in_step meta/migrate 3 compose --to 2.2.16 -c migrate.yaml --migration-image "$slow" --no-rehearsal --yes
product 0 status
says "puts back from its backup"
[ -n "$(docker ps -q --filter label=milvus-upgrade.migrator)" ] || fail "the migrator is not at work any more: the kill came too late"
product 0 rollback --yes
same_file "the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
no_scratch_left
same_inventory "$work/inventory.json" "back on 2.1.0" --client 2.1.3

kill_in_step meta/migrate 0.05 compose --to 2.2.16 -c migrate.yaml --migration-engine builtin --no-rehearsal --yes
product 0 resume --yes
equal "the image after resume" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
no_scratch_left
same_inventory "$work/inventory.json" "on 2.2.16 after resume"
passed
