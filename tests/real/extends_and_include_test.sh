#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tag is decided in a file that `extends` or `include` names, by a relative or an absolute path: that file is edited, and only
# there. Compose v1 has extends alone.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus
target_image
image_as "$milvus:v2.2.17"

# What Compose reads besides is needed in the proof too: an env file of the base, the .env of the project.
extended() {
  mkdir "$stack/base"
  printf 'version: "2.4"\nservices:\n  base:\n    image: %s:v2.2.16   # pinned\n    env_file: milvus.env\n' "$milvus" >"$stack/base/base.yml"
  echo TEAM=search >"$stack/base/milvus.env"
  sed -i 's|^    image: ground.local/milvusdb/milvus:v2.2.16|    extends: {file: base/base.yml, service: base}|' "$stack/docker-compose.yml"
}
edits_only() { # FILE: the plan changes the one tag of that file
  product 0 plan compose --to 2.3.5
  equal "changes in files" "$(grep '^  [-+] \|^  +++' "$work/out")" "  +++ $stack/$1
  -    image: $milvus:v2.2.16   # pinned
  +    image: $milvus:v2.3.5   # pinned"
}
fresh_stack --empty --prepare extended --compose v1
edits_only base/base.yml
ground stack wipe standalone "$stack" 2>/dev/null # with its sessions

ground stack up standalone "$stack" 2>/dev/null
edits_only base/base.yml
cp -p "$stack/docker-compose.yml" "$work/extends.yml"
sed -i "s|file: base/base.yml|file: $stack/base/base.yml|" "$stack/docker-compose.yml"
edits_only base/base.yml

# The same project by `include`, with a project folder that is not its own, then with its own.
sed '/^  etcd:/,/^networks:/{/^networks:/!d}; s/^services:$/include: [{path: inc\/in.yml, project_directory: .}]/' \
  "$repository/tests/ground/stacks/standalone/docker-compose.yml" >"$stack/docker-compose.yml"
mkdir "$stack/inc"
sed "/^networks:/,\$d; s|\(image: $milvus:v2.2.16\)|\1   # pinned\n    env_file: base/milvus.env|" \
  "$repository/tests/ground/stacks/standalone/docker-compose.yml" >"$stack/inc/in.yml"
edits_only inc/in.yml
sed -i "s|path: inc/in.yml, project_directory: .}|path: $stack/inc/in.yml, project_directory: $stack}|" "$stack/docker-compose.yml"
edits_only inc/in.yml

cp -p "$work/extends.yml" "$stack/docker-compose.yml"
sed 's|v2.2.16|v2.2.17|' "$stack/base/base.yml" >"$work/wanted.yml"
product 0 compose --to 2.2.17 --yes --stable-for 1s
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
same_file "the base file" "$work/wanted.yml" "$stack/base/base.yml"
same_file "the compose file has changed" "$work/extends.yml" "$stack/docker-compose.yml"
passed
