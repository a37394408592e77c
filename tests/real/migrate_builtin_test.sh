#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real 2.1.0 with data of every kind, stopped; our own engine migrates its metadata; a real 2.2.16 then serves what 2.1.0
# wrote. The same command again does nothing. On a copy taken before 2.2.16 started, the rollback gives 2.1.0 its data back.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

publish_etcd() {
  printf 'services:\n  etcd:\n    ports:\n      - "%s:2379:2379"\n' "$address" >"$stack/docker-compose.override.yml"
}
fresh_stack21 --prepare publish_etcd
before=$work/inventory.json

keys() { docker exec milvus-etcd etcdctl get --prefix by-dev/ -w json; }
keys_without_counter() { jq -S '[.kvs[] | select(.key != ("by-dev/meta/session/id" | @base64)) | {key, value}]'; }
milvus_stopped() {
  docker stop -t 60 milvus-standalone >/dev/null
  equal "exit code of 2.1.0" "$(of_container milvus-standalone '{{.State.ExitCode}}')" 0
}
use_version() { # TAG: the compose file names it, the server alone is made anew
  sed -i -E "s|(milvusdb/milvus:).*|\1$1|" "$stack/docker-compose.yml"
  (cd "$stack" && docker compose up -d --no-deps standalone 2>"$work/up.log") || fail "$1 does not start: $(cat "$work/up.log")"
}

write_config() { # TYPE
  cat >"$work/migrate-$1.yaml" <<YAML
cmd:
  type: $1
  runWithBackup: true
config:
  sourceVersion: 2.1.0
  targetVersion: 2.2.16
  backupFilePath: $work/meta.bak
metastore:
  type: etcd
etcd:
  endpoints: [$address:2379]
  rootPath: by-dev
  metaSubPath: meta
  kvSubPath: kv
YAML
}
write_config run
write_config rollback

keys_like() { docker exec milvus-etcd etcdctl get --prefix --keys-only by-dev/meta/ | grep -cE "$1" || true; } # PATTERN
of_21='/root-coord/(collection-alias|index|segment-index|dd-operation|dd-msg-send)|/meta/indexes/'
of_22='/meta/(field-index|segment-index|root-coord/aliases|querycoord-.*loadinfo)/'

# While 2.1.0 lives, nothing is touched.
product 3 migrate -c "$work/migrate-run.yaml" --engine builtin --yes
equal "keys of 2.2 beside a living 2.1.0" "$(keys_like "$of_22")" 0
[ ! -e "$work/meta.bak" ] || fail "a refused migration has left a backup"

milvus_stopped
keys >"$work/before.keys"
product 0 migrate -c "$work/migrate-run.yaml" --engine builtin --yes
[ -s "$work/meta.bak" ] || fail "there is no backup"
keys >"$work/migrated.keys"
equal "keys of 2.1 left" "$(keys_like "$of_21")" 0
[ "$(keys_like "$of_22")" -gt 20 ] || fail "there are no keys of 2.2"
product 0 migrate -c "$work/migrate-run.yaml" --engine builtin --yes
says "Nothing to do"
keys | keys_without_counter >"$work/again.json"
keys_without_counter <"$work/migrated.keys" >"$work/migrated.json"
same_file "the second migration has changed keys" "$work/migrated.json" "$work/again.json"

# The way back starts from here.
(cd "$stack" && docker compose stop -t 10 2>/dev/null)
cp -a "$stack/volumes" "$work/volumes.migrated"
(cd "$stack" && docker compose start etcd minio 2>/dev/null)

use_version v2.2.16
same_inventory "$before" "on 2.2.16"
# It serves with the index files of 2.1.0: none is built anew.
segment_indexes() { jq -S '[.kvs[] | select(.key | @base64d | startswith("by-dev/meta/segment-index/")) | {key, value}]'; }
segment_indexes <"$work/migrated.keys" >"$work/indexes.migrated"
keys | segment_indexes >"$work/indexes.now"
same_file "2.2.16 has made indexes of its own" "$work/indexes.migrated" "$work/indexes.now"
client load-released "$stack" "$before" >"$work/released"
equal "collections to be loaded again" "$(jq -c . "$work/released")" '["raw"]'
same_inventory "$before" "on 2.2.16, with the released collections loaded again"

# 2.1.0 again, on the copy.
(cd "$stack" && docker compose rm -sf >/dev/null 2>&1)
rm -rf "$stack/volumes"
cp -a "$work/volumes.migrated" "$stack/volumes"
(cd "$stack" && docker compose up -d etcd minio 2>/dev/null)
wait_for_etcd
product 0 migrate -c "$work/migrate-rollback.yaml" --engine builtin --yes
keys | keys_without_counter >"$work/back.json"
keys_without_counter <"$work/before.keys" >"$work/before.json"
same_file "the rollback has not brought every key back" "$work/before.json" "$work/back.json"
use_version v2.1.0
same_inventory "$before" "back on 2.1.0" --client 2.1.3
passed
