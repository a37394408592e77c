#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# timeout 1800
# 2.1.0 to 2.2.16, rehearsed and migrated, where etcd is not the plain one of the official file: it wants certificates of its
# clients; it has three members, one of them down; the root path of the instance begins with a slash. (With a user and password
# no Milvus before 2.4 can reach etcd at all: ground.md 4.)
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
at_end 'docker rm -f milvus-etcd2 milvus-etcd3 >/dev/null 2>&1'

anew() { # WHAT [fresh_stack21 OPTIONS]
  note "$1"
  fresh_stack21 "${@:2}"
  cp -p "$stack/docker-compose.yml" "$work/before.yml"
}
ends_in_22() { # WHAT
  same_inventory "$work/inventory.json" "on 2.2.16, $1"
  sed 's|milvusdb/milvus:v2.1.0|milvusdb/milvus:v2.2.16|' "$work/before.yml" >"$work/wanted.yml"
  same_file "$1: other bytes than the tag have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
  no_scratch_left
  product 0 compose --to 2.2.16 --yes
  says "Nothing to do"
  wipe_stack
  rm -rf "$stack"
}

# The image's own milvus.yaml with a change, mounted: 2.1.0 takes hardly anything from its environment.
with_config() { # SED EXPRESSION
  local id
  id=$(docker create ground.local/milvusdb/milvus:v2.1.0)
  docker cp "$id:/milvus/configs/milvus.yaml" "$stack/milvus.yaml" >/dev/null
  docker rm "$id" >/dev/null
  sed -i "$1" "$stack/milvus.yaml"
  sed -i 's|^      - .*volumes/milvus:/var/lib/milvus|&\n      - ./milvus.yaml:/milvus/configs/milvus.yaml:ro|' "$stack/docker-compose.yml"
}

# --- certificates ---------------------------------------------------------------------------------------------------------
with_certificates() {
  mkdir -p "$stack/tls"
  (
    cd "$stack/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj /CN=etcd -keyout key.pem -out etcd.csr 2>/dev/null
    printf 'subjectAltName=DNS:etcd,DNS:milvus-etcd,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >ext
    openssl x509 -req -in etcd.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem 2>/dev/null
    chmod 644 ./*.pem
  ) || fail "no certificates"
  sed -i \
    -e 's|^    command: etcd .*|    command: etcd --cert-file /tls/cert.pem --key-file /tls/key.pem --trusted-ca-file /tls/ca.pem --client-cert-auth -advertise-client-urls=https://127.0.0.1:2379 -listen-client-urls https://0.0.0.0:2379 --data-dir /etcd|' \
    -e 's|^      - ETCD_SNAPSHOT_COUNT.*|&\n      - ETCDCTL_ENDPOINTS=https://127.0.0.1:2379\n      - ETCDCTL_CACERT=/tls/ca.pem\n      - ETCDCTL_CERT=/tls/cert.pem\n      - ETCDCTL_KEY=/tls/key.pem|' \
    -e 's|^      - .*volumes/etcd:/etcd|&\n      - ./tls:/tls:ro|' \
    -e 's|^      - .*volumes/milvus:/var/lib/milvus|&\n      - ./tls:/tls:ro|' \
    "$stack/docker-compose.yml"
  with_config 's|^  kvSubPath: .*|&\n  ssl:\n    enabled: true\n    tlsCert: /tls/cert.pem\n    tlsKey: /tls/key.pem\n    tlsCACert: /tls/ca.pem\n    tlsMinVersion: 1.2|'
}
certificates() {
  anew "etcd wants certificates" --prepare with_certificates
  # Milvus's own tool cannot do it without a file that names them.
  product 3 check compose --to 2.2.16 --migration-image "$tool_image"
  says "migrate-auth"
  write_migrate_yaml 2.2.16 's|kvSubPath: kv|&\n  ssl:\n    enabled: true\n    tlsCert: tls/cert.pem\n    tlsKey: tls/key.pem\n    tlsCACert: tls/ca.pem\n    tlsMinVersion: "1.2"|'
  product 0 compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image" --yes
  ends_in_22 "with certificates, by the container engine"
  anew "etcd wants certificates, no migrate.yaml" --prepare with_certificates
  product 0 compose --to 2.2.16 --migration-engine builtin --yes
  ends_in_22 "with certificates, by the builtin engine"
}

# --- three members --------------------------------------------------------------------------------------------------------
members=etcd1=http://etcd:2380,etcd2=http://etcd2:2380,etcd3=http://etcd3:2380
with_three_members() {
  local number host service
  # shellcheck disable=SC2154 # fresh_stack21 has it
  tar -C "$stack" -xf "$data/volumes.tar"
  for number in 1 2 3; do
    host=etcd$number
    [ "$number" != 1 ] || host=etcd
    docker run --rm --add-host etcd:127.0.0.1 --add-host etcd2:127.0.0.1 --add-host etcd3:127.0.0.1 -v "$stack:/stack" \
      ground.local/coreos/etcd:v3.5.1 etcdctl snapshot restore /stack/volumes/etcd/member/snap/db \
      --skip-hash-check --name "etcd$number" --initial-cluster "$members" --initial-advertise-peer-urls "http://$host:2380" \
      --data-dir "/stack/members/$number" >/dev/null 2>&1 || fail "member $number cannot be made"
  done
  member_command() { # NUMBER HOST
    printf 'etcd --name etcd%s -advertise-client-urls=http://%s:2379 -listen-client-urls http://0.0.0.0:2379 -listen-peer-urls http://0.0.0.0:2380 -initial-advertise-peer-urls http://%s:2380 -initial-cluster %s --data-dir /etcd' "$1" "$2" "$2" "$members"
  }
  sed -i -e "s|^    command: etcd .*|    command: $(member_command 1 etcd)|" \
    -e 's|^      - .*volumes/etcd:/etcd|      - ./members/1:/etcd|' \
    -e 's|^      ETCD_ENDPOINTS: .*|      ETCD_ENDPOINTS: etcd:2379,etcd2:2379,etcd3:2379|' \
    "$stack/docker-compose.yml"
  for number in 2 3; do
    service="  etcd$number:\n    container_name: milvus-etcd$number\n    image: ground.local/coreos/etcd:v3.5.1\n    volumes:\n      - ./members/$number:/etcd\n    command: $(member_command "$number" "etcd$number")\n"
    sed -i "s|^  minio:|$service\n&|" "$stack/docker-compose.yml"
  done
}
three_members() {
  anew "three members" --prepare with_three_members
  equal "members of etcd" "$(in_etcd member list | wc -l)" 3
  write_migrate_yaml 2.2.16 's|    - milvus-etcd:2379|    - etcd:2379\n    - etcd2:2379\n    - etcd3:2379|'
  docker stop milvus-etcd3 >/dev/null
  product 0 compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image" --yes
  docker start milvus-etcd3 >/dev/null
  ends_in_22 "with three members, one of them down"
  docker rm -f milvus-etcd2 milvus-etcd3 >/dev/null 2>&1 || true
}

# --- a root that begins with a slash --------------------------------------------------------------------------------------
slash_before_root() {
  anew "a root with a slash before it"
  docker stop milvus-standalone >/dev/null
  in_etcd get --prefix by-dev/ -w json >"$work/kvs.json"
  jq -r '.kvs[] | select((.lease // 0) == 0) | .key' "$work/kvs.json" | while read -r key; do
    jq -r --arg key "$key" '.kvs[] | select(.key == $key) | .value // ""' "$work/kvs.json" | base64 -d |
      docker exec -i milvus-etcd etcdctl put "/$(printf %s "$key" | base64 -d)" >/dev/null
  done
  in_etcd del --prefix by-dev/ >/dev/null
  with_config 's|rootPath: by-dev|rootPath: /by-dev/|'
  cp -p "$stack/docker-compose.yml" "$work/before.yml"
  (cd "$stack" && docker compose up -d) >/dev/null 2>&1
  serves_inventory 60 "$work/inventory.json" --client 2.1.3 || docker restart milvus-standalone >/dev/null
  same_inventory "$work/inventory.json" "under /by-dev" --client 2.1.3
  write_migrate_yaml 2.2.16
  product 3 check compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image"
  says "metadata under /by-dev"
  write_migrate_yaml 2.2.16 's|rootPath: by-dev|rootPath: /by-dev|'
  product 0 compose --to 2.2.16 -c migrate.yaml --migration-image "$tool_image" --yes
  equal "keys under by-dev" "$(in_etcd get --prefix by-dev/ --keys-only | wc -l)" 0
  ends_in_22 "under /by-dev"
}

migration_image
# By hand: MU_SHAPES takes some of them.
for shape in ${MU_SHAPES:-certificates three_members slash_before_root}; do "$shape"; done
passed
