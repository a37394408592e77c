#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Versions that cannot come up, each with its exit code: an image that does not exist (3, untouched); one that ends at once,
# one that never gets healthy, a port that someone takes in the outage (6, the old version is up again); one that ends at
# once on a pair that cannot go back (7, with what to do next).
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
own_engine own
milvus=ground.local/milvusdb/milvus

add_policy() { sed -i 's|^  standalone:|  standalone:\n    restart: always|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policy
cp -p "$stack/docker-compose.yml" "$work/before.yml"
etcd=$(identity_of milvus-etcd)

old_version_is_up() { # WHAT
  same_file "$1: the file is not the old one" "$work/before.yml" "$stack/docker-compose.yml"
  equal "$1: the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.16"
  equal "$1: the restart policy" "$(policy_of milvus-standalone)" always
  equal "$1: etcd" "$(identity_of milvus-etcd)" "$etcd"
  same_search "after $1"
  no_lock_left
  product 0 report
  says "rolled"
}

engine_state >"$work/before.engine"
product 3 compose --to 2.2.50 --yes
says "$milvus:v2.2.50"
engine_state >"$work/now.engine"
same_file "an image that does not exist has changed the engine" "$work/before.engine" "$work/now.engine"
same_file "the file has changed" "$work/before.yml" "$stack/docker-compose.yml"

image_with_program "$milvus:v2.2.17" '#!/bin/sh
echo "panic: seeded failure of the test"
exit 3'
product 6 compose --to 2.2.17 --yes --timeout 60s
says "seeded failure of the test"
old_version_is_up "an image that ends at once"

image_with_program "$milvus:v2.2.17" '#!/bin/sh
exec sleep 1000'
product 6 compose --to 2.2.17 --yes --timeout 8s
old_version_is_up "an image that never gets healthy"

# Takes the port as soon as the old container has let it go, and gives it back when the new one has failed on it.
python3 "$real_home/take_port.py" "$address" 9091 "$stack/.milvus-upgrade" & background+=($!)
product 6 compose --to 2.3.5 --yes --timeout 90s
says "9091"
old_version_is_up "a port in use"

image_with_program "$milvus:v2.3.4" '#!/bin/sh
echo "panic: seeded failure of the test"
exit 3'
product 7 compose --to 2.3.4 --yes --timeout 60s
says "seeded failure of the test"
says "resume"
equal "the image after exit 7" "$(image_of milvus-standalone)" "$milvus:v2.3.4"
product 0 status
says "needs"
passed
