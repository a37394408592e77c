#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine is on another host (another network, other files, TLS): no path, address or process of it is taken for ours.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine rem --remote-like

fresh_stack
product 0 compose --to 2.3.5 --yes --output json
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
[ ! -e "$stack/volumes" ] || fail "the engine's volumes are on our side"
# No port of the engine is reachable from here: a container there measures.
jq -e '.report.probes[] | select(.name == "healthz" and .is_measured and .from == "a container on the network milvus"
       and (.is_still_open | not) and .total_ms > 1000)' "$work/out" >/dev/null || fail "the outage was not measured from inside"
equal "helper containers left" "$(docker ps -aq --filter label=milvus-upgrade.helper)" ""
same_search "after the upgrade"
no_lock_left
passed
