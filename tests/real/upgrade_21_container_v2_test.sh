#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 2.1.0 to 2.2.16 as the document has it: migrate.yaml in the project folder, the metadata migrated by the image of its step 3
# (ours stands for it), rehearsed before the outage. Only the tag changes, only Milvus is made anew, a client sees what it saw,
# nothing of the migration's own is left on the engine, and the same command again does nothing.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
migration_image
write_migrate_yaml 2.2.16
cp -p "$stack/docker-compose.yml" "$work/before.yml"
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)
networks=$(docker network ls -q | sort)

keys_at "$work/outage.keys" '.type == "intent" and .step == "meta/migrate"' session/
product 0 compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image" --yes --output json

jq -e '.exit_code == 0 and .report.outcome == "done"' "$work/out" >/dev/null || fail "stdout is not the report of a run that is done"
sed 's|milvusdb/milvus:v2.1.0|milvusdb/milvus:v2.2.16|' "$work/before.yml" >"$work/wanted.yml"
same_file "other bytes than the tag have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
equal "minio" "$(identity_of milvus-minio)" "$minio"
same_inventory "$work/inventory.json" "on 2.2.16"
client load-released "$stack" "$work/inventory.json" >"$work/released"
equal "collections to be loaded again" "$(jq -c . "$work/released")" '["raw"]'
same_inventory "$work/inventory.json" "on 2.2.16, with the released collections loaded again"
no_scratch_left
equal "networks" "$(docker network ls -q | sort)" "$networks"

# The backup that was made in the outage is, to the last key, what etcd held there; our tool reads it.
run=$(run_folder)
python3 "$real_home/read_backup.py" "$run/backup/metadata.bak" >"$work/backup.keys" || fail "the backup of the metadata cannot be read"
grep '"by-dev/meta/' "$work/outage.keys" >"$work/outage.meta"
same_file "the backup of the metadata is not what etcd held" "$work/outage.meta" "$work/backup.keys"
jq -e . "$run/rehearsal.json" >/dev/null || fail "there is no record of the rehearsal"
equal "files of the run that others could read" "$(find "$run" -type f ! -perm 600; find "$run" -type d ! -perm 700)" ""

remember upgraded
product 0 compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image" --yes
says "Nothing to do"
untouched upgraded "an upgrade to the version that runs"
product 0 report
says "rehears"
passed
