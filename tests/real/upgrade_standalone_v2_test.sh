#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 2.2.16 to 2.3.5 on a stack that Compose v2 made: only the tag changes, only Milvus is recreated, the searches answer as
# before, the run is on record, and the same command again does nothing.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack
cp -p "$stack/docker-compose.yml" "$work/before.yml"
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)

product 0 compose --to 2.3.5 --yes --output json \
  --verify-cmd "bash $repository/tests/ground/ground --name $engine client search $address" --verify-output

says "point of no return passed"
sed 's|milvusdb/milvus:v2.2.16|milvusdb/milvus:v2.3.5|' "$work/before.yml" >"$work/wanted.yml"
same_file "other bytes than the tag have changed" "$work/wanted.yml" "$stack/docker-compose.yml"
equal "mode and owner of the file" "$(stat -c '%a %u %g' "$stack/docker-compose.yml")" "$(stat -c '%a %u %g' "$work/before.yml")"
equal "the image that runs" "$(image_of milvus-standalone)" ground.local/milvusdb/milvus:v2.3.5
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
equal "minio" "$(identity_of milvus-minio)" "$minio"
same_search "after the upgrade"
no_lock_left

jq -e '.schema_version and .exit_code == 0 and .report.outcome == "done"' "$work/out" >/dev/null || fail "stdout is not the report of a run that is done"
# The stack is not on 127.0.0.1: a prober that asks there would never get an answer.
jq -e '.report.probes | map(select(.name == "healthz" and .is_measured and (.is_still_open | not) and (.windows | length > 0)
       and .total_ms > 500 and .total_ms < 120000)) | length == 1' "$work/out" >/dev/null || fail "the outage was not measured"
run=$(run_folder)
jq -e . "$run/journal.ndjson" >/dev/null || fail "the journal is not JSON lines"
equal "mode of the run folder" "$(stat -c %a "$run")" 700
equal "files of the run that others could read" "$(find "$run" -type f ! -perm 600; find "$run" -type d ! -perm 700)" ""
equal "the .gitignore of the state folder" "$(cat "$stack/.milvus-upgrade/.gitignore")" '*'
[[ -s $run/backup/etcd.snap && -s $run/backup/keys.bak ]] || fail "a backup is missing"
same_file "the kept original is not the file from before" "$work/before.yml" "$run/files/0-docker-compose.yml"

remember upgraded
product 0 compose --to 2.3.5 --yes
says "Nothing to do"
untouched upgraded "an upgrade to the version that runs"
product 0 report
passed
