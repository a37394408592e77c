# SPDX-License-Identifier: Apache-2.0
# `migrate` and the drop-in: bad input, an etcd that is not there, and a real etcd with real 2.1 metadata.

config() { # TYPE [PORT]
  cat >migrate.yaml <<YAML
cmd:
  type: $1
  runWithBackup: true
config:
  sourceVersion: 2.1.0
  targetVersion: 2.2.16
  backupFilePath: ./meta.bak
etcd:
  endpoints: [127.0.0.1:${2:-9}]
  rootPath: by-dev
  metaSubPath: meta
  kvSubPath: kv
YAML
}
# Debian's etcd with the real metadata of a stopped 2.1.0; $PORT. It ends with the test's shell.
real_etcd() {
  PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  etcd --data-dir "$FOLDER/etcd" --listen-client-urls "http://127.0.0.1:$PORT" --advertise-client-urls "http://127.0.0.1:$PORT" \
    --listen-peer-urls http://127.0.0.1:0 >"$FOLDER/etcd.log" 2>&1 &
  trap 'kill '$! EXIT
  python3 - "$(dirname "$FAKES")/../data/milvus-2.1-to-2.2/etcd-2.1.jsonl" "$PORT" <<'PY' || fail "no etcd: $(tail -3 "$FOLDER/etcd.log")"
import base64, json, sys, time, urllib.request
for line in open(sys.argv[1]):
    row = json.loads(line)
    body = json.dumps({"key": base64.b64encode(row["key"].encode()).decode(), "value": row["value_b64"]}).encode()
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[2]}/v3/kv/put", body).read()
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit(1)
PY
}
keys() { ETCDCTL_API=3 etcdctl --endpoints "127.0.0.1:$PORT" get --prefix by-dev/ -w json | python3 -c '
import json, sys
print("\n".join(sorted(kv["key"] + " " + kv.get("value", "") for kv in json.load(sys.stdin)["kvs"])))'; }

test_it_needs_its_file() {
  run migrate
  expect_error 2 MU-101
  expect_err '--migrate-file'
}
test_a_file_that_is_not_there_or_a_folder() {
  run migrate -c none.yaml --yes
  expect_error 2 MU-110
  mkdir folder
  run migrate -c folder --yes
  expect_error 2 MU-110
}
test_problems_have_file_line_and_key() {
  config run
  sed -i 's/2.2.16/2.3.5/; s/by-dev//' migrate.yaml
  run migrate -c migrate.yaml --yes
  expect_error 2 MU-120
  expect_err 'migrate.yaml:6:18: config.targetVersion: the migration ends at the last 2.2.x'
  expect_err 'etcd.rootPath: expected'
}
test_no_terminal_and_no_yes() {
  config run
  run migrate -c migrate.yaml </dev/null
  expect_error 2 MU-102
}
test_an_etcd_that_is_not_there_is_waited_for_and_given_up() {
  config run
  run migrate -c migrate.yaml --yes --etcd-patience 1s
  expect_error 75 MU-160
}
test_the_containers_engine_needs_the_container_of_etcd() {
  config run
  run migrate -c migrate.yaml --yes --engine container
  expect_error 2 MU-101
  expect_err '--etcd-container'
}
test_forth_and_back_on_a_real_etcd() {
  real_etcd
  config run "$PORT"
  keys >before
  run migrate -c migrate.yaml --dry-run
  expect_code 0
  expect_out 'Nothing was written.'
  cmp -s before <(keys) || fail "a rehearsal has written"
  [[ ! -e meta.bak ]] || fail "a rehearsal has made a backup"
  TYPED='n\n' run_on_tty migrate -c migrate.yaml
  expect_code 0
  cmp -s before <(keys) || fail "a no has migrated"
  run migrate -c migrate.yaml --yes --output json
  expect_code 0
  expect_json 'j["outcome"] == "migrated" and j["summary"]["collections"] == 7 and j["backup"]["keys"] == 168'
  [[ $(stat -c %a meta.bak) == 600 ]] || fail "the backup's mode is $(stat -c %a meta.bak)"
  keys >after
  cmp -s before after && fail "nothing was migrated"
  run migrate -c migrate.yaml --yes
  expect_code 0
  expect_out 'Nothing to do'
  cmp -s after <(keys) || fail "the second run has written"
  config rollback "$PORT"
  run migrate -c migrate.yaml --yes
  expect_code 0
  expect_out 'Rolled back.'
  cmp -s before <(keys) || fail "the rollback is not exact"
}
test_a_wrong_root_is_told_what_there_is() {
  real_etcd
  config run "$PORT"
  sed -i 's/rootPath: by-dev/rootPath: my-release/' migrate.yaml
  run migrate -c migrate.yaml --yes
  expect_error 2 MU-201
  expect_err 'by-dev/meta'
}
test_a_backup_that_is_there_is_never_overwritten() {
  real_etcd
  config run "$PORT"
  echo precious >meta.bak
  run migrate -c migrate.yaml --yes
  expect_error 2 MU-120
  [[ $(cat meta.bak) == precious ]] || fail "it was overwritten"
}
test_a_damaged_backup_touches_nothing() {
  real_etcd
  config run "$PORT"
  run migrate -c migrate.yaml --yes
  expect_code 0
  keys >after
  config rollback "$PORT"
  cp meta.bak whole
  for damage in ': >meta.bak' 'head -c 40000 whole >meta.bak' 'rm meta.bak' 'rm -f meta.bak; mkdir meta.bak'; do
    eval "$damage"
    run migrate -c migrate.yaml --yes
    [[ $CODE == 1 || $CODE == 2 ]] || fail "$damage: exit code $CODE"
    cmp -s after <(keys) || fail "$damage: etcd was touched"
  done
}

drop_in() { # as `run`, under the name of Milvus's tool
  ln -sf "$MU" "$BIN/meta-migration"
  MU=$BIN/meta-migration run "$@"
}
test_drop_in_has_the_tools_exit_codes() {
  drop_in
  expect_code 1
  drop_in -h
  expect_code 0
  drop_in -nonsense
  expect_code 2
  drop_in -config=none.yaml
  expect_code 2
  config upgrade
  drop_in -config=migrate.yaml
  expect_code 1
  config run
  sed -i 's/2.2.16/2.3.5/' migrate.yaml
  drop_in -config migrate.yaml
  expect_code 2
  config rollback
  drop_in -config=migrate.yaml
  expect_code 100
  expect_out 'failed: exit code 100'
}
test_drop_in_migrates_and_goes_back() {
  real_etcd
  keys >before
  config run "$PORT"
  drop_in -config=migrate.yaml
  expect_code 0
  tail -n 1 "$FOLDER/out" | grep -q '^Migrated\.' || fail "no verdict in the last line"
  config rollback "$PORT"
  drop_in --config migrate.yaml
  expect_code 0
  tail -n 1 "$FOLDER/out" | grep -q '^Rolled back\.' || fail "no verdict in the last line"
  cmp -s before <(keys) || fail "the rollback is not exact"
}
