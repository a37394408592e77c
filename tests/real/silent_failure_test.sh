#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# The silent failure: only the tag was changed from 2.1.0 to 2.2.16. The server says healthy, a search fails, and the checks
# name it. Putting the tag back does not mend it: 2.2.16 has by then rewritten records of segments that 2.1.0 cannot read any
# more. Migrating what is there does: 2.2.16 then serves what 2.1.0 wrote. 2.1.0 on migrated metadata is named, too.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack21
write_migrate_yaml 2.2.16 "s|backupFilePath: .*|backupFilePath: $work/tool.bak|" "s/runWithBackup: false/runWithBackup: true/"
use_version() { # TAG, as someone would who knows no better
  sed -i -E "s|(milvusdb/milvus:).*|\1$1|" "$stack/docker-compose.yml"
  ground stack up standalone "$stack" 2>"$work/up.log" || fail "$1 does not come up: $(cat "$work/up.log")"
}

use_version v2.2.16
! client inventory "$stack" --patience 5 >"$work/inventory.now" 2>/dev/null ||
  ! ground client compare-inventory "$work/inventory.json" "$work/inventory.now" >/dev/null 2>&1 ||
  fail "2.2.16 serves metadata that was not migrated: there is nothing to find"
remember broken
product 3 check compose --to 2.2.16
says "metadata-era"
says "milvus-upgrade migrate"
product 3 status
says "the metadata is in the form of 2.1 while 2.2.16 runs on it"
product 3 compose --to 2.2.16 -c migrate.yaml --yes
says "metadata-era"
untouched broken "what was refused"

# The way that the finding names: no Milvus process, no session, the metadata alone.
(cd "$stack" && docker compose stop -t 10 standalone 2>/dev/null)
end=$((SECONDS + 90))
while in_etcd get --prefix --keys-only by-dev/meta/session/ | grep -vE '^$|/id$' | grep -q .; do
  [ "$SECONDS" -lt "$end" ] || fail "the sessions stay"
  sleep 1
done
product 0 migrate -c migrate.yaml --etcd-container milvus-etcd --yes
(cd "$stack" && docker compose start standalone 2>/dev/null)
same_inventory "$work/inventory.json" "on 2.2.16, mended"
product 0 check compose --to 2.2.16

use_version v2.1.0
product 3 check compose --to 2.2.16
says "metadata-era"
passed
