#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The folder of the runs: on a read-only file system, with too little room, in a folder that may not be written: refused,
# nothing touched. Full in the middle of the outage: the old version is up again, in room that was taken before; with room the
# same command ends it.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
milvus=ground.local/milvusdb/milvus
mounts=()
mounted() { # FOLDER OPTIONS
  mkdir -p "$1"
  mount -t tmpfs -o "$2" tmpfs "$1" || fail "no tmpfs"
  mounts+=("$1")
}
at_end 'for folder in "${mounts[@]}"; do umount -l "$folder"; done'

fresh_stack --empty
image_as "$milvus:v2.2.17"
etcd=$(identity_of milvus-etcd)
remember before

mounted "$work/readonly" ro
product 2 compose --to 2.2.17 --yes --state-dir "$work/readonly/runs"
says "MU-115"
says "$work/readonly/runs"
untouched before "a read-only state folder"
mounted "$work/small" size=1m
product 3 compose --to 2.2.17 --yes --state-dir "$work/small"
says "free-disk"
says "$work/small"
equal "files in the small folder" "$(ls -A "$work/small")" ""
untouched before "a state folder that is too small"
echo file >"$work/file"
product 1 compose --to 2.2.17 --yes --state-dir "$work/file/runs"
says "$work/file"
untouched before "a state folder below a file"

mounted "$stack/.milvus-upgrade" size=128m
# Filled by the call that stops Milvus: a little later the copy of the compose file, the next to need room, is written already.
mkdir "$work/bin"
cat >"$work/bin/docker" <<SH
#!/bin/sh
[ "\$1" != stop ] || dd if=/dev/zero of="$stack/.milvus-upgrade/filled" bs=1M 2>/dev/null
exec "$(command -v docker)" "\$@"
SH
chmod 755 "$work/bin/docker"
PATH=$work/bin:$PATH product 6 compose --to 2.2.17 --yes --stable-for 1s
says "MU-113"
says "No space left on device"
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.16"
no_lock_left
equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
rm "$stack/.milvus-upgrade/filled"
product 0 status
product 0 compose --to 2.2.17 --yes --stable-for 1s
equal "the image that runs" "$(image_of milvus-standalone)" "$milvus:v2.2.17"
equal "the tag in the file" "$(grep -c "milvus:v2.2.17\$" "$stack/docker-compose.yml")" 1
no_lock_left
passed
