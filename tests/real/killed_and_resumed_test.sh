#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the tool inside the outage, then `resume`: done, the file's policy, the same searches. Meanwhile a second run is
# refused. And two runs at once: one goes on, the other is refused by the lock of the folder or by the one on the engine.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

add_policy() { sed -i 's|^  standalone:|  standalone:\n    restart: unless-stopped|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policy
image_as "$milvus:v2.2.17"
etcd=$(identity_of milvus-etcd)

kill_in_step up/standalone 0.2 compose --to 2.2.17 --yes
product 5 compose --to 2.3.5 --yes
says "resume"
product 5 compose --to 2.2.17 --yes --state-dir "$work/elsewhere"
product 0 status
product 0 resume --yes
equal "the image after resume" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
equal "the restart policy" "$(policy_of milvus-standalone)" unless-stopped
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
same_search "after resume"
no_lock_left

mark_runs
(cd "$stack" && exec "$MU_BINARY" compose --to 2.3.5 --yes) >"$work/first.out" 2>"$work/first.err" </dev/null &
tool=$!
background+=("$tool")
wait_for_record 60 '.type == "intent" and .step == "backup/snapshot"'
product 0 status
says "2.2.17 -> 2.3.5: running"
product 0 history
says "running"
product 5 compose --to 2.3.5 --yes
product 5 compose --to 2.3.5 --yes --state-dir "$work/elsewhere"
code=0
wait "$tool" || code=$?
equal "exit code of the first of two runs" "$code" 0
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.3.5"
same_search "after two runs at once"
no_lock_left
passed
