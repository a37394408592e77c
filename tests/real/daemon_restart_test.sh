#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine restarts in the outage, with `restart: always` on every service: the containers that are held down stay down,
# `resume` ends in the old version with the policies of the file, and the same upgrade then works.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own

add_policies() { sed -i -E 's|^  (etcd\|minio\|standalone):|  \1:\n    restart: always|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policies
old=$(of_container milvus-standalone '{{.Id}}')

(wait_for_record 60 '.type == "done" and .step == "stop/standalone"' && ground engine restart >/dev/null 2>&1) & restart=$!
background+=("$restart")
product 7 compose --to 2.3.5 --yes --timeout 60s
says "resume"
wait "$restart" || fail "the engine does not restart"
sleep 2
equal "the held container after the restart" "$(of_container milvus-standalone '{{.Id}} {{.State.Running}}')" "$old false"
equal "etcd after the restart" "$(of_container milvus-etcd '{{.State.Running}}')" true

# The step that met the dead engine has failed, so the way back was begun: `resume` ends it.
product 6 resume --yes
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
equal "the policy of Milvus" "$(policy_of milvus-standalone)" always
equal "the policy of etcd" "$(policy_of milvus-etcd)" always
same_search "after resume"
no_lock_left
product 0 compose --to 2.3.5 --yes
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
equal "the policy of Milvus" "$(policy_of milvus-standalone)" always
same_search "after the upgrade"
passed
