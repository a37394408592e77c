#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ways to name a project: -f from another folder, COMPOSE_FILE, --project-directory with -p. A copy of the folder, whose
# relative mounts would mean an empty database, is refused. On the way: progress as GitHub Actions reads it, a terminal
# without colours, a saved plan with --backup-mq that `apply` runs from elsewhere.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus

fresh_stack --empty
etcd=$(identity_of milvus-etcd)
is_at() { # VERSION
  equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v$1"
  equal "the tag in the file" "$(grep -c "milvus:v$1\$" "$stack/docker-compose.yml")" 1
  equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
  equal "the data folder" "$(of_container milvus-standalone '{{range .Mounts}}{{.Source}}{{end}}')" "$stack/volumes/milvus"
}
for patch in 17 18 19; do image_as "$milvus:v2.2.$patch"; done

# Compose's own choice is the new file; the stack was made from the other one.
cp "$stack/docker-compose.yml" "$stack/compose.yaml"
product 0 check compose --to 2.2.17
told=$(tr -s ' \n' ' ' <"$work/out")
[[ $told == *"made from $stack/docker-compose.yml, the files taken here are $stack/compose.yaml"*"-f $stack/docker-compose.yml"* ]] ||
  fail "it does not tell of the other file"
rm "$stack/compose.yaml"

mkdir "$work/elsewhere" "$work/copy" "$work/copy/milvus"
cp "$stack/docker-compose.yml" "$stack/.env" "$work/copy/milvus/"
remember before
where=$work/copy/milvus
product 3 compose --to 2.2.17 --yes
says "$stack"
untouched before "an upgrade from a copy of the folder"

where=$work/elsewhere
GITHUB_STEP_SUMMARY=$work/summary.md product 0 compose -f "$stack/docker-compose.yml" --to 2.2.17 --yes --stable-for 1s --progress github
is_at 2.2.17
groups=$(grep -c '^::group::' "$work/err")
[ "$groups" -ge 8 ] || fail "only $groups folded groups"
equal "ends of groups" "$(grep -c '^::endgroup::' "$work/err")" "$groups"
grep -q '^::group::\[[0-9]*/[0-9]*\] up/standalone ' "$work/err" || fail "no group of up/standalone"
grep -q '^# Run .*2.2.16 -> 2.2.17: done' "$work/summary.md" || fail "no step summary"

(cd "$where" && COMPOSE_FILE=../milvus/docker-compose.yml NO_COLOR=1 TERM=xterm script -qec \
  "$MU_BINARY compose --to 2.2.18 --yes --stable-for 1s" "$work/tty" >/dev/null </dev/null) || fail "the upgrade on a terminal: $(tail -c 500 "$work/tty")"
is_at 2.2.18
grep -q $'\x1b\\[K.*up/standalone' "$work/tty" || fail "no live line on the terminal"
! grep -q $'\x1b\\[[0-9;]*m' "$work/tty" || fail "colours in spite of NO_COLOR"

product 0 plan compose --project-directory "$stack" -p milvus --to 2.2.19 --stable-for 1s --backup-mq --out "$work/saved.plan"
is_at 2.2.18
product 0 apply "$work/saved.plan" --yes
is_at 2.2.19
queue=$(run_folder)/backup/rocksmq.tar
tar -tf "$queue" | grep -q 'rdb_data.*CURRENT' || fail "the backup of the queue is not the rocksmq folder: $(tar -tf "$queue" | head -n 5)"
equal "mode of the backup of the queue" "$(stat -c %a "$queue")" 600
product 9 apply "$work/saved.plan" --yes
says "no longer what the plan was made from"
is_at 2.2.19
product 0 history --project-directory "$stack"
equal "files in the folder that it ran in" "$(ls -A "$work/elsewhere")" ""
passed
