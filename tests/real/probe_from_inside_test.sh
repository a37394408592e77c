#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A stack that publishes no port for /healthz: the outage is measured from a container of ours on its network, which leaves
# nothing behind: not after a run, not after kill -9 of the tool, and what is left all the same goes with the next run.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus
helpers() { docker ps -aq --filter label=milvus-upgrade.helper; }
no_helper_left() { equal "helper containers left $1" "$(helpers)" ""; }
measured_inside() { # JQ CONDITION
  jq -e ".report.probes[] | select(.name == \"healthz\" and .is_measured and .from == \"a container on the network milvus\"
         and (.is_still_open | not) and .ended_early == \"\" and $1)" "$work/out" >/dev/null || fail "not measured from inside, or not $1"
}

fresh_stack --empty
image_as "$milvus:v2.2.17"
sed -i '/:9091:9091/d' "$stack/docker-compose.yml"
(cd "$stack" && docker compose up -d standalone) 2>"$work/up.log" || fail "the stack does not come up without the port"
end=$((SECONDS + 120))
until [ "$(docker exec milvus-standalone curl -s -o /dev/null -w '%{http_code}' http://localhost:9091/healthz)" = 200 ] && sleep 1; do
  [ "$SECONDS" -lt "$end" ] || fail "Milvus does not serve without the port"
  sleep 0.5
done
networks=$(docker network ls -q | LC_ALL=C sort) volumes=$(docker volume ls -q | LC_ALL=C sort)

product 0 plan compose --to 2.3.5
says "http://milvus-standalone:9091/healthz from a container"
no_helper_left "by plan"

kill_in_step up/standalone 0.5 compose --to 2.2.17 --yes
end=$((SECONDS + 10))
until [ -z "$(helpers)" ]; do
  [ "$SECONDS" -lt "$end" ] || fail "the helper outlives the tool"
  sleep 0.1
done
# One that could not go by itself.
docker create --name milvus-upgrade-probe-milvus --network milvus --label milvus-upgrade.helper=milvus \
  --entrypoint sleep ground.local/coreos/etcd:v3.5.1 600 >/dev/null
docker start milvus-upgrade-probe-milvus >/dev/null
product 0 resume --yes --output json
no_helper_left "by resume"
measured_inside '.is_partial and .total_ms > 500'

product 0 compose --to 2.3.5 --yes --output json
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.3.5"
# From the stop to serving again: over a second of it, and none of the time before.
measured_inside '(.is_partial | not) and .total_ms > 1000 and .total_ms < 120000 and (.samples | tonumber) > 20'
no_helper_left "by a run"
no_lock_left
product 0 report --format md
says "from a container on the network milvus"
equal "networks" "$(docker network ls -q | LC_ALL=C sort)" "$networks"
equal "volumes" "$(docker volume ls -q | LC_ALL=C sort)" "$volumes"
passed
