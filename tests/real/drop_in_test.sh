#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The image of packaging/meta-migration in the place of Milvus's own tool: the command of Milvus's document, word for word, on
# the etcd of a compose stack found by its name. Run, again, rollback; the tool's exit codes; SIGTERM to it as process 1.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
image=meta-migration:mu-test
real_data=$repository/tests/data/milvus-2.1-to-2.2

# The image is made without any registry.
mkdir -p "$work/context" "$work/backup" "$stack"
cp "$MU_BINARY" "$work/context/milvus-upgrade"
made_images+=("$image")
DOCKER_BUILDKIT=0 docker build -f "$repository/packaging/meta-migration/Dockerfile" -t "$image" "$work/context" >"$work/build.log" 2>&1 ||
  fail "the image cannot be built: $(tail "$work/build.log")"

# Only etcd of the stack, with the metadata of a stopped 2.1.0.
cp -R "$repository/tests/ground/stacks/standalone/." "$stack/"
printf 'services:\n  etcd:\n    ports:\n      - "%s:2379:2379"\n' "$address" >"$stack/docker-compose.override.yml"
ground images ground.local/coreos/etcd:v3.5.1 2>/dev/null
(cd "$stack" && docker compose up -d etcd 2>"$work/up.log") || fail "etcd does not start: $(cat "$work/up.log")"
wait_for_etcd
fill() { # ALIASES: the real metadata, and as many more aliases
  python3 - "$real_data/etcd-2.1.jsonl" "$address" "$1" <<'PY' || fail "etcd is not filled"
import base64, json, sys, urllib.request
path, host, aliases = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = [(row["key"].encode(), base64.b64decode(row["value_b64"])) for row in map(json.loads, open(path))]
key, value = next(row for row in rows if row[0] == b"by-dev/meta/root-coord/collection-alias/a_moving")
for number in range(aliases):
    name = b"a_%06d" % number  # as long as the one it stands for: so is the protobuf around it
    rows.append((key.replace(b"a_moving", name), value.replace(b"a_moving", name)))
coded = [tuple(base64.b64encode(part).decode() for part in row) for row in rows]
for start in range(0, len(coded), 128):
    writes = [{"request_put": {"key": key, "value": value}} for key, value in coded[start:start + 128]]
    request = urllib.request.Request(f"http://{host}:2379/v3/kv/txn", json.dumps({"success": writes}).encode())
    urllib.request.urlopen(request).read()
PY
}
keys() { in_etcd get --prefix by-dev/ -w json | jq -S '[.kvs[] | {key, value}]'; }
key_names() { jq -r '.[].key | @base64d' "$1" | LC_ALL=C sort; }

write_config() { # TYPE
  sed "s/^  type: run/  type: $1/; s/runWithBackup: false/runWithBackup: true/" "$real_data/migrate.yaml" >"$work/migration.yaml"
}
as_documented() { # OPTIONS OF docker run...
  (cd "$work" && exec docker run --rm "$@" --network milvus -v "$(pwd)/migration.yaml:/milvus/configs/migration.yaml" \
    -v "$(pwd)/backup:/milvus/backup" "$image" /milvus/bin/meta-migration -config=/milvus/configs/migration.yaml) \
    >"$work/out" 2>"$work/err"
}
drop_in() { # CODE
  local code=0
  as_documented || code=$?
  [ "$code" -eq "$1" ] || fail "exit code $code, wanted $1"
}
ends_with() { tail -n 1 "$work/out" | grep -q "^$1" || fail "its last line is no verdict: $(tail -n 1 "$work/out")"; }

fill 0
keys >"$work/before"

# Refused: nothing is touched.
write_config rollback
drop_in 100
ends_with 'failed: exit code 100'
says tool.bak
write_config run
in_etcd put by-dev/meta/session/rootcoord '{"ServerID":7}' >/dev/null
drop_in 1
says rootcoord
in_etcd del by-dev/meta/session/rootcoord >/dev/null
sed -i 's/^etcd:/etcd: [/' "$work/migration.yaml"
drop_in 2
ends_with 'failed: exit code 2'
keys >"$work/refused"
same_file "what was refused has changed keys" "$work/before" "$work/refused"
equal "files in the backup's folder" "$(ls "$work/backup")" ""

# Forth, again, back.
write_config run
drop_in 0
ends_with 'Migrated'
keys >"$work/migrated"
jq -r .key "$real_data/etcd-2.2.jsonl" | LC_ALL=C sort >"$work/of_the_tool"
key_names "$work/migrated" >"$work/of_ours"
same_file "other keys than Milvus's own tool leaves" "$work/of_the_tool" "$work/of_ours"
drop_in 0
ends_with 'Nothing to do'
keys >"$work/again"
same_file "the second run has changed keys" "$work/migrated" "$work/again"
write_config rollback
drop_in 0
ends_with 'Rolled back'
keys >"$work/back"
same_file "the rollback is not exact" "$work/before" "$work/back"

# Where no port of etcd is published: by the etcdctl in its own container. The name of its endpoint says nothing here.
rm "$work/backup/tool.bak"
write_config run
sed -i "s|/milvus/backup|$work/backup|" "$work/migration.yaml"
product 0 migrate -c "$work/migration.yaml" --etcd-container milvus-etcd --yes
keys >"$work/by_etcdctl"
same_file "etcdctl migrates otherwise than the gateway" "$work/migrated" "$work/by_etcdctl"
sed -i "s/^  type: run/  type: rollback/" "$work/migration.yaml"
product 0 migrate -c "$work/migration.yaml" --etcd-container milvus-etcd --yes
keys >"$work/back"
same_file "the rollback by etcdctl is not exact" "$work/before" "$work/back"

# SIGTERM, as `docker stop` sends it, while it writes.
fill 20000
keys >"$work/before"
rm "$work/backup/tool.bak"
write_config run
docker rm -f mu-drop-in >/dev/null 2>&1 || true # of a test that was killed
as_documented --name mu-drop-in &
tool=$!
background+=("$tool")
until grep -q 'adding the keys' "$work/out"; do
  kill -0 "$tool" 2>/dev/null || fail "it has ended before it added a key"
  sleep 0.02
done
stopped=$(date +%s%N)
docker stop -t 9 mu-drop-in >/dev/null
code=0
wait "$tool" || code=$?
took=$((($(date +%s%N) - stopped) / 1000000))
equal "exit code after SIGTERM" "$code" 2
says 'stopped by a signal'
note "SIGTERM was answered in $took ms"
[ "$took" -lt 5000 ] || fail "SIGTERM was answered after $took ms"
keys >"$work/cut"
! cmp -s "$work/before" "$work/cut" || fail "it was stopped before it had written"
drop_in 0
ends_with 'Completed'
write_config rollback
drop_in 0
keys >"$work/back"
same_file "the rollback after a cut run is not exact" "$work/before" "$work/back"
passed
