#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The last resort after a migration: 2.2.16 has run on the migrated metadata. Without --accept-data-loss nothing is touched;
# with it the etcd snapshot comes to life beside, this instance's keys are written back, a neighbour's are not, and 2.1.0
# serves what it served.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
cp -p "$stack/docker-compose.yml" "$work/before.yml"
product 0 compose --to 2.2.16 --migration-engine builtin --yes
same_inventory "$work/inventory.json" "on 2.2.16"
docker exec milvus-etcd etcdctl put neighbour/meta/root-coord/collection/1 "of someone else" >/dev/null

milvus=$(identity_of milvus-standalone)
product 4 rollback --yes
says "MU-193"
product 3 rollback --from-snapshot --yes
says "--accept-data-loss"
equal "milvus" "$(identity_of milvus-standalone)" "$milvus"

product 0 rollback --from-snapshot --accept-data-loss --yes
same_file "the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.1.0
equal "the neighbour" "$(docker exec milvus-etcd etcdctl get --print-value-only neighbour/meta/root-coord/collection/1)" "of someone else"
same_inventory "$work/inventory.json" "on 2.1.0 again" --client 2.1.3
equal "what is left on the engine" "$(docker ps -aq --filter label=milvus-upgrade.helper | wc -l)" 0
product 0 report
says "rolled-back"
product 2 rollback --from-snapshot --accept-data-loss --yes
says "put back already"
note "passed after $SECONDS s"
