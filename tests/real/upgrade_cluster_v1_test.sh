#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# 2.2.16 to 2.3.5 on the eight components with Kafka, made by Compose v1: all eight are new, nothing else is touched, the
# searches answer as before.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack --kind cluster --compose v1
others() { for one in etcd minio kafka; do printf '%s ' "$(identity_of "milvus-$one")"; done; }
before=$(others)
cp -p "$stack/docker-compose.yml" "$work/before.yml"

product 0 compose --to 2.3.5 --yes --verify-cmd "bash $repository/tests/ground/ground --name $engine client search $address" --verify-output

sed 's|milvusdb/milvus:v2.2.16|milvusdb/milvus:v2.3.5|' "$work/before.yml" >"$work/wanted.yml"
same_file "other bytes than the tags have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
equal "containers of 2.3.5 that run" "$(docker ps --format '{{.Image}}' | grep -c 'milvusdb/milvus:v2.3.5')" 8
equal "etcd, S3 store and queue" "$(others)" "$before"
same_search "after the upgrade"
no_lock_left
passed
