#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# etcd is dead before the run: refused, nothing touched. etcd dies inside the outage and stays dead: the tool neither goes
# on blindly nor loses its way; with etcd back, `resume` ends in a whole state. etcd dies and comes back in time: it is
# waited for, and the run ends well.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own

fresh_stack
cp -p "$stack/docker-compose.yml" "$work/before.yml"

docker kill milvus-etcd >/dev/null
remember dead
code=0
(cd "$stack" && "$MU_BINARY" compose --to 2.3.5 --yes) >"$work/out" 2>"$work/err" </dev/null || code=$?
case $code in 3 | 75) ;; *) fail "with a dead etcd: exit code $code, wanted 3 or 75" ;; esac
says "milvus-etcd"
untouched dead "an upgrade with a dead etcd"
docker start milvus-etcd >/dev/null
docker restart -t 0 milvus-standalone >/dev/null
same_search "after etcd came back"

# In the outage: the containers are stopped, the release of the sessions needs etcd.
(wait_for_record 120 '.type == "intent" and .step == "stop/standalone"' && docker kill milvus-etcd >/dev/null) & background+=($!)
product 7 compose --to 2.3.5 --yes --stop-timeout 3s --timeout 20s
says "resume"
same_file "the file has changed although the sessions were not released" "$work/before.yml" "$stack/docker-compose.yml"
docker start milvus-etcd >/dev/null
product 6 resume --yes
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.2.16
same_search "after resume"
no_lock_left

mark_runs
(wait_for_record 120 '.type == "intent" and .step == "stop/standalone"' && docker kill milvus-etcd >/dev/null && sleep 15 &&
  docker start milvus-etcd >/dev/null) & background+=($!)
product 0 compose --to 2.3.5 --yes --stop-timeout 3s
says "tried again for up to"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
jq -e -s 'map(.event) | index("away") != null and index("away") < index("back")' "$(run_folder)/journal.ndjson" >/dev/null ||
  fail "the journal does not tell that etcd was away"
same_search "after the upgrade in the end"
no_lock_left
passed
