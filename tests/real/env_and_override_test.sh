#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tag is decided in .env, then in an override file: that one file is edited, and only there.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus
target_image
image_as "$milvus:v2.2.17"
image_as "$milvus:v2.2.18"

tag_in_env() {
  # shellcheck disable=SC2016 # Compose expands it
  sed -i 's|milvusdb/milvus:v2.2.16|milvusdb/milvus:${MILVUS_TAG:-v2.2.10}|' "$stack/docker-compose.yml"
  printf '# the version\nMILVUS_TAG="v2.2.16" # here\nSECRET_TOKEN=do-not-show\n' >>"$stack/.env"
}
fresh_stack --empty --prepare tag_in_env
cp -p "$stack/docker-compose.yml" "$work/before.yml"
sed 's|"v2.2.16"|"v2.2.17"|' "$stack/.env" >"$work/wanted.env"
product 0 compose --to 2.2.17 --yes --stable-for 1s
says_not "do-not-show"
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
same_file "the compose file has changed" "$work/before.yml" "$stack/docker-compose.yml"
same_file "the .env file" "$work/wanted.env" "$stack/.env"
MILVUS_TAG=v2.2.17 product 3 compose --to 2.2.18 --yes
says "MILVUS_TAG"

# From now on the override file decides.
printf 'services:\n  standalone:\n    image: %s:v2.2.17   # pinned\n    labels: {team: search}\n' "$milvus" >"$stack/docker-compose.override.yml"
(cd "$stack" && docker compose up -d >/dev/null 2>&1)
ground stack up standalone "$stack" 2>/dev/null
sed 's|v2.2.17|v2.2.18|' "$stack/docker-compose.override.yml" >"$work/wanted.yml"
product 0 compose --to 2.2.18 --yes --stable-for 1s
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.18"
same_file "the override file" "$work/wanted.yml" "$stack/docker-compose.override.yml"
same_file "the compose file has changed" "$work/before.yml" "$stack/docker-compose.yml"
same_file "the .env file has changed" "$work/wanted.env" "$stack/.env"
passed
