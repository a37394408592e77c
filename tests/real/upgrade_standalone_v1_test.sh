#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 2.2.16 to 2.3.5 on a stack that Compose v1 made: v1 is used again, so that nothing but Milvus is recreated.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack --compose v1
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)
cp -p "$stack/docker-compose.yml" "$work/before.yml"

product 0 compose --to 2.3.5 --yes

sed 's|milvusdb/milvus:v2.2.16|milvusdb/milvus:v2.3.5|' "$work/before.yml" >"$work/wanted.yml"
same_file "other bytes than the tag have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
equal "the Compose that made it" "$(of_container milvus-standalone '{{index .Config.Labels "com.docker.compose.version"}}')" 1.29.2
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
equal "minio" "$(identity_of milvus-minio)" "$minio"
same_search "after the upgrade"
no_lock_left
passed
