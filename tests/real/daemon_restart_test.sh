#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine restarts in the outage, with `restart: always` on every service: the tool waits until it answers again, what is
# held down has stayed down, and the run ends well, with the policies of the file.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own

add_policies() { sed -i -E 's|^  (etcd\|minio\|standalone):|  \1:\n    restart: always|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policies

# The tool stands still until the engine is away, and the engine stays away until the tool has seen it: neither can come too late.
restart_engine() {
  wait_for_record 120 '.type == "done" and .step == "stop/standalone"'
  pkill -STOP -f "^$MU_BINARY compose" || fail "the run is over already"
  kill -TERM "$(cat "${MILVUS_UPGRADE_GROUND_RUN:-/run/milvus-upgrade-ground}/$engine/docker.pid")"
  local end=$((SECONDS + 60))
  while docker version >/dev/null 2>&1 && [ "$SECONDS" -lt "$end" ]; do sleep 0.05; done
  pkill -CONT -f "^$MU_BINARY compose"
  wait_for_record 30 '.event == "away"'
  ground engine restart >/dev/null 2>&1
}
restart_engine & restart=$!
background+=("$restart")
product 0 compose --to 2.3.5 --yes
wait "$restart" || fail "the engine does not restart"
says "tried again for up to"
# A held container that had come up by itself would have ended the run: files and up want all of them down.
jq -e -s 'map(.event) | index("away") != null and index("away") < index("back")' "$(run_folder)/journal.ndjson" >/dev/null ||
  fail "the journal does not tell that the engine was away"
equal "etcd after the restart" "$(of_container milvus-etcd '{{.State.Running}}')" true
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
equal "the policy of Milvus" "$(policy_of milvus-standalone)" always
equal "the policy of etcd" "$(policy_of milvus-etcd)" always
same_search "after the upgrade"
no_lock_left
passed
