#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# 2.1.0 to 2.2.16 on a stack that Compose v1 made, with migration.yaml (the document's other name for the file) found beside
# the compose file.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21 --compose v1
migration_image
write_migrate_yaml 2.2.0
mv "$stack/migrate.yaml" "$stack/migration.yaml"
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)

product 0 compose --to 2.2.16 --migration-image "$tool_image" --yes
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
equal "the Compose that made it" "$(of_container milvus-standalone '{{index .Config.Labels "com.docker.compose.version"}}')" 1.29.2
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
equal "minio" "$(identity_of milvus-minio)" "$minio"
same_inventory "$work/inventory.json" "on 2.2.16"
no_scratch_left
passed
