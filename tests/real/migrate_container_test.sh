#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The document's step 3 alone, by the image of Milvus's own tool (ours stands for it): backed up, judged, and served by a real
# 2.2.16. An image that loses half of the keys and says that all went well: every key is put back, exit 6. Cut in its middle, by
# two signals or by SIGKILL, the same command goes on with the backup that it began with.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
migration_image
write_migrate_yaml 2.2.16 "s|backupFilePath: .*|backupFilePath: $work/metadata.bak|"
with=(migrate -c "$stack/migrate.yaml" --engine container --etcd-container milvus-etcd --yes)
keys() { docker exec milvus-etcd etcdctl get --prefix by-dev/meta/ -w json | jq -S '[.kvs[] | {key, value}]'; }

product 3 "${with[@]}" --migration-image "$tool_image"
says "has a session"
sed 's/milvus-etcd:2379/10.255.255.1:2379/' "$stack/migrate.yaml" >"$work/elsewhere.yaml"
product 2 migrate -c "$work/elsewhere.yaml" --engine container --etcd-container milvus-etcd --yes
says "does not lead to milvus-etcd"
docker stop -t 60 milvus-standalone >/dev/null
keys >"$work/before.keys"

product 6 "${with[@]}" --migration-image "$(hostile_image half)"
says "are not what they must be"
keys >"$work/after.keys"
same_file "not every key was put back" "$work/before.keys" "$work/after.keys"

hang=$(hostile_image hang)
in_its_middle() { # the pid of the tool is in $tool
  (cd "$stack" && exec "$MU_BINARY" "${with[@]}" --migration-image "$hang") >"$work/out" 2>"$work/err" </dev/null &
  tool=$!
  background+=("$tool")
  local end=$((SECONDS + 60))
  while keys | cmp -s - "$work/before.keys"; do
    [ "$SECONDS" -lt "$end" ] || fail "the migration does not begin"
    sleep 0.2
  done
}
in_its_middle
kill -TERM "$tool" && sleep 0.5 && kill -TERM "$tool"
code=0
wait "$tool" || code=$?
equal "exit code after two signals" "$code" 143
says "the metadata was restored"
keys >"$work/after.keys"
same_file "not every key was put back after two signals" "$work/before.keys" "$work/after.keys"

in_its_middle
kill -KILL "$tool"
wait "$tool" 2>/dev/null || true
product 0 "${with[@]}" --migration-image "$tool_image"
says "was cut"
[ -s "$work/metadata.bak" ] || fail "there is no backup"
sed -i 's|milvusdb/milvus:v2.1.0|milvusdb/milvus:v2.2.16|' "$stack/docker-compose.yml"
(cd "$stack" && docker compose up -d --no-deps standalone 2>"$work/up.log") || fail "2.2.16 does not start: $(cat "$work/up.log")"
same_inventory "$work/inventory.json" "on 2.2.16"
equal "what is left on the engine" "$(docker ps -aq --filter label=milvus-upgrade.helper | wc -l)" 0
note "passed after $SECONDS s"
