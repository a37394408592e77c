#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ways to name a project: -f from another folder, COMPOSE_FILE, --project-directory with -p. A copy of the folder, whose
# relative mounts would mean an empty database, is refused.
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

mkdir "$work/elsewhere" "$work/copy" "$work/copy/milvus"
cp "$stack/docker-compose.yml" "$stack/.env" "$work/copy/milvus/"
remember before
where=$work/copy/milvus
product 3 compose --to 2.2.17 --yes
says "$stack"
untouched before "an upgrade from a copy of the folder"

where=$work/elsewhere
product 0 compose -f "$stack/docker-compose.yml" --to 2.2.17 --yes --stable-for 1s
is_at 2.2.17
COMPOSE_FILE=../milvus/docker-compose.yml product 0 compose --to 2.2.18 --yes --stable-for 1s
is_at 2.2.18
product 0 compose --project-directory "$stack" -p milvus --to 2.2.19 --yes --stable-for 1s
is_at 2.2.19
product 0 history --project-directory "$stack"
equal "files in the folder that it ran in" "$(ls -A "$work/elsewhere")" ""
passed
