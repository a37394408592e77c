#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The new image is only in a registry with a password: a wrong password is found with nothing touched; with the right one it
# is pulled before the outage.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
port=5077
registry=127.0.0.1:$port

name_registry() { sed -i "s|ground.local/milvusdb/milvus:|$registry/milvusdb/milvus:|" "$stack/docker-compose.yml"; }
target_image
ground registry start --port $port --auth me:secret >/dev/null
at_end 'ground registry stop --port $port >/dev/null 2>&1'
docker tag ground.local/milvusdb/milvus:v2.2.16 "$registry/milvusdb/milvus:v2.2.16"
made_images+=("$registry/milvusdb/milvus:v2.2.16" "$registry/milvusdb/milvus:v2.3.5")
DOCKER_CONFIG=$work/docker && cp -RL "$(ground env | sed -n 's/.*DOCKER_CONFIG=//p')" "$DOCKER_CONFIG" && export DOCKER_CONFIG
ground registry push --port $port ground.local/milvusdb/milvus:v2.3.5 >"$work/pushed"
docker image rm "$registry/milvusdb/milvus:v2.3.5" >/dev/null 2>&1 || true
fresh_stack --empty --prepare name_registry

login() { # PASSWORD
  printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$registry" "$(printf 'me:%s' "$1" | base64)" >"$DOCKER_CONFIG/config.json"
}
login wrong
engine_state >"$work/before.engine"
cp -p "$stack/docker-compose.yml" "$work/before.yml"
product 3 compose --to 2.3.5 --yes
says "$registry/milvusdb/milvus:v2.3.5"
engine_state >"$work/now.engine"
same_file "a refused pull has changed the engine" "$work/before.engine" "$work/now.engine"
same_file "the file has changed" "$work/before.yml" "$stack/docker-compose.yml"

login secret
product 0 compose --to 2.3.5 --yes
equal "the image that runs" "$(image_of milvus-standalone)" "$registry/milvusdb/milvus:v2.3.5"
digest=$(grep -o 'sha256:[0-9a-f]*' "$work/pushed" | head -n 1)
grep -q "$digest" "$(run_folder)/journal.ndjson" || fail "the journal does not tell the digest that was pulled"
jq -e -s '(map(.step == "pull/'"$registry"'/milvusdb/milvus:v2.3.5" and .type == "done") | index(true)) <
          (map(.event == "outage-opened") | index(true))' "$(run_folder)/journal.ndjson" >/dev/null ||
  fail "the pull is not before the outage"
grep -rq 'secret' "$stack/.milvus-upgrade" && fail "the password is in the run folder"
passed
