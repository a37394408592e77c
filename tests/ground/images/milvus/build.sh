#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh VERSION FOLDER: makes the root of a Milvus image in FOLDER (an empty one) from the wheel of the embedded
# server, which is the whole server: every role runs from its one binary. Laid out like the official image.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../lib.sh
source "$here/../../lib.sh"

version=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pip_fetch "$scratch" "milvus==$version"
unzip -q "$scratch"/milvus-*.whl 'milvus/data/*' -d "$scratch"
data=$scratch/milvus/data

libraries=/lib/x86_64-linux-gnu
small_root "$root" /usr/bin/curl /bin/bash \
  $libraries/{libc.so.6,libm.so.6,libdl.so.2,libpthread.so.0,librt.so.1,libresolv.so.2,libnss_dns.so.2,libnss_files.so.2}
mkdir -p "$root"/milvus/{bin,lib,configs} "$root/var/lib/milvus"

# The files are called .lzma and are in the format of xz.
for packed in "$data"/bin/*.lzma; do
  name=${packed##*/}
  xz --decompress --stdout --format=auto <"$packed" >"$root/milvus/lib/${name%.lzma}"
done
chmod 755 "$root"/milvus/lib/*
/usr/bin/python3 "$here/hide_symbols.py" "$root/milvus/lib"
/usr/bin/python3 "$here/configure.py" "$data/config.yaml.template" "$root/milvus/configs/milvus.yaml"
[ ! -e "$data/glog.conf" ] || install -m 644 "$data/glog.conf" "$root/milvus/configs/glog.conf"
install -m 755 "$here/milvus" "$root/milvus/bin/milvus"
