#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# A Milvus process of someone else under the same root path, even at the very address of ours: named, never revoked.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus
octet=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Subnet}}' | cut -d. -f2)

# A subnet of its own, so that the stranger can take the address of our stopped container.
fix_subnet() {
  printf '    ipam:\n      config:\n        - subnet: 10.%s.30.0/24\n' "$octet" >>"$stack/docker-compose.yml"
}
fresh_stack --prepare fix_subnet
cp -p "$stack/docker-compose.yml" "$work/before.yml"
ours=$(of_container milvus-standalone '{{.NetworkSettings.Networks.milvus.IPAddress}}')

at_end 'docker rm -f stranger >/dev/null 2>&1'
stranger() { # IP: a query node of no project of ours
  docker run -d --name stranger --network milvus --ip "$1" -e ETCD_ENDPOINTS=etcd:2379 -e MINIO_ADDRESS=minio:9000 \
    --restart always "$milvus:v2.2.16" milvus run querynode >/dev/null
}
keys() { docker exec milvus-etcd etcdctl get --prefix by-dev/meta/session/querynode --print-value-only; }
end=

# Before the run: a finding.
stranger "10.$octet.30.200"
end=$((SECONDS + 30))
until keys | grep -q "10.$octet.30.200:"; do [ "$SECONDS" -lt "$end" ] || fail "the stranger does not register"; sleep 0.5; done
remember before
product 3 compose --to 2.3.5 --yes
says "10.$octet.30.200"
untouched before "an upgrade beside a stranger"
docker rm -f stranger >/dev/null
end=$((SECONDS + 60))
while keys | grep -q "10.$octet.30.200:"; do [ "$SECONDS" -lt "$end" ] || fail "the stranger's key stays"; sleep 1; done

# In the outage, at our own address: waited for by name, and the old version comes back.
keys >"$work/keys.before"
product 8 compose --to 2.3.5 --yes --stop-timeout 1s --timeout 90s --pause-before sessions/release
stranger "$ours"
end=$((SECONDS + 30))
until keys | grep -vxFf "$work/keys.before" | grep -q "$ours:"; do
  [ "$SECONDS" -lt "$end" ] || fail "the stranger does not register"
  sleep 0.5
done
product 6 resume --yes
says "$ours"
keys | grep -q "$ours:" || fail "the stranger's session was revoked"
equal "the stranger" "$(of_container stranger '{{.State.Running}}')" true
docker rm -f stranger >/dev/null
same_file "the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.16"
same_search "after the way back"
no_lock_left
passed
