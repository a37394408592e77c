#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 2.1.0 to 2.3.5 in one run of two hops, by our own migrator, no migrate.yaml given. An index of a kind that 2.3.5 cannot load
# refuses the way before anything is touched; with it dropped the run ends on 2.3.5, and a client sees what it saw.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
ground images ground.local/milvusdb/milvus:v2.3.5 2>/dev/null
cp -p "$stack/docker-compose.yml" "$work/before.yml"

remember before
product 3 compose --to 2.3.5 --migration-engine builtin --yes
says "ANNOY"
says "trees"
untouched before "an upgrade to a version that cannot load an index"

client --client 2.1.3 drop "$stack" trees >/dev/null
# Not by jq, which rounds ids of 64 bits.
python3 -c 'import json, sys; all = json.load(sys.stdin); del all["collections"]["trees"]; json.dump(all, sys.stdout)' \
  <"$work/inventory.json" >"$work/without.json"
same_inventory "$work/without.json" "with the collection dropped" --client 2.1.3
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)

product 0 compose --to 2.3.5 --migration-engine builtin --yes --output json
jq -e '.exit_code == 0 and .report.outcome == "done"' "$work/out" >/dev/null || fail "stdout is not the report of a run that is done"
sed 's|milvusdb/milvus:v2.1.0|milvusdb/milvus:v2.3.5|' "$work/before.yml" >"$work/wanted.yml"
same_file "other bytes than the tag have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
equal "minio" "$(identity_of milvus-minio)" "$minio"
same_inventory "$work/without.json" "on 2.3.5"
client load-released "$stack" "$work/without.json" >"$work/released"
equal "collections to be loaded again" "$(jq -c . "$work/released")" '["raw"]'
same_inventory "$work/without.json" "on 2.3.5, with the released collections loaded again"
no_scratch_left

remember upgraded
product 0 compose --to 2.3.5 --migration-engine builtin --yes
says "Nothing to do"
untouched upgraded "an upgrade to the version that runs"
passed
