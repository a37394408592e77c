#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# kill -9 of the tool in each kind of step of successive upgrades of one stack, after a time from a seed, then `resume`:
# done, the file's policy, the same searches. Another seed by MU_REAL_SEED.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

add_policy() { sed -i 's|^  standalone:|  standalone:\n    restart: unless-stopped|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policy
etcd=$(identity_of milvus-etcd)

RANDOM=${MU_REAL_SEED:-7}
patch=17
for step in backup/keys hold/restart-policy stop/standalone sessions/release files/docker-compose.yml up/standalone wait/services wait/stable; do
  image_as "$milvus:v2.2.$patch"
  kill_in_step "$step" "0.$((RANDOM % 4))" compose --to "2.2.$patch" --yes --stable-for 2s
  product 0 resume --yes
  equal "the image after resume" "$(image_of milvus-standalone)" "$milvus:v2.2.$patch"
  equal "the tag in the file" "$(grep -c "milvus:v2.2.$patch\$" "$stack/docker-compose.yml")" 1
  equal "the restart policy" "$(policy_of milvus-standalone)" unless-stopped
  equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
  same_search "after resume from a kill in $step"
  no_lock_left
  patch=$((patch + 1))
done
passed
