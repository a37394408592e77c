#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# The engine restarts while the migration's container runs, with `restart: always` on every service: Milvus stays down until
# the metadata is whole again, whichever way that goes, and comes up with the policy of its file.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own

add_policies() { sed -i -E 's|^  (etcd\|minio\|standalone):|  \1:\n    restart: always|' "$stack/docker-compose.yml"; }
fresh_stack21 --prepare add_policies
write_migrate_yaml 2.2.16
slow=$(hostile_image slow)
cp -p "$stack/docker-compose.yml" "$work/before.yml"

(wait_for_record 300 '.type == "intent" and .step == "meta/migrate"' && sleep 5 && ground engine restart >/dev/null 2>&1) &
restart=$!
background+=("$restart")
code=0
(cd "$stack" && timeout 400 "$MU_BINARY" compose --to 2.2.16 -c migrate.yaml --migration-image "$slow" --no-rehearsal --yes) \
  >"$work/out" 2>"$work/err" </dev/null || code=$?
wait "$restart" || fail "the engine does not restart"
note "exit code $code"
[ "$code" -ne 7 ] || { product 6 resume --yes && code=6; }
case $code in
  0) same_inventory "$work/inventory.json" "on 2.2.16" ;;
  6)
    same_file "the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
    same_inventory "$work/inventory.json" "back on 2.1.0" --client 2.1.3
    ;;
  *) fail "exit code $code, wanted 0 or 6" ;;
esac
jq -e -s 'map(.event) | index("away") != null and index("away") < index("back")' "$(run_folder)/journal.ndjson" >/dev/null ||
  note "the engine was back before anybody asked it"
for name in etcd minio standalone; do equal "the policy of $name" "$(policy_of "milvus-$name")" always; done
no_scratch_left
passed
