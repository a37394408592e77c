#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh VERSION FOLDER: makes the root of a Milvus 2.1 image in FOLDER (an empty one) from the wheel of that time, which
# carries the server as a library without an executable. Laid out like the official image.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../lib.sh
source "$here/../../lib.sh"

version=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

need_command gcc ground
pip_fetch "$scratch" "milvus==$version"
pip_fetch "$scratch" tbb==2020.3.254 # the last release with libtbb.so.2
unzip -q "$scratch"/milvus-*.whl -x '*.a' '*.la' -d "$scratch"
unzip -q "$scratch"/tbb-*.whl '*/libtbb.so.2' -d "$scratch"
package=$scratch/milvus-$version.data/purelib/milvus

mkdir -p "$root"/milvus/{bin,lib,configs} "$root"/var/bin/e-milvus/configs "$root"/var/lib/milvus
install -m 755 -t "$root/milvus/lib" "$package"/bin/embd-milvus.so "$package"/lib/*.so* "$scratch"/tbb-*/data/lib/libtbb.so.2
# A library without a name of its own: -l: makes the executable ask for it by file name.
gcc -O2 -o "$root/milvus/lib/milvus" "$here/launcher.c" -L"$root/milvus/lib" -l:embd-milvus.so -Wl,--allow-shlib-undefined
install -m 755 "$here/milvus" "$root/milvus/bin/milvus"

libraries=/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$root/milvus/lib # for ldd: what the server's libraries need of each other is in the image already
small_root "$root" /usr/bin/curl /bin/bash "$root/milvus/lib/milvus" $libraries/{libnss_dns.so.2,libnss_files.so.2,libresolv.so.2}

# The configuration is the wheel's; what makes a server embedded becomes what the official image has. The library reads it
# where the wheel's own starter puts it, and the environment (ETCD_ENDPOINTS, MINIO_ADDRESS) wins over it.
config=$root/milvus/configs/milvus.yaml
install -m 644 "$package/configs/embedded-milvus.yaml" "$config"
replace() { # LINE NEW: exactly one line is LINE but for indentation and comment
  [ "$(grep -cE "^ *$1( *#.*)?\$" "$config")" -eq 1 ] || die "the configuration of milvus $version has not one line '$1'"
  sed -i -E "s|^( *)$1( *#.*)?\$|\1$2|" "$config"
}
replace 'path: /tmp/milvus/logs/etcd.log' 'path: stdout'
replace 'embed: true' 'embed: false'
replace 'dir: /tmp/milvus/etcdData/' 'dir: default.etcd'
replace 'path: /tmp/milvus/data/' 'path: /var/lib/milvus/data/'
replace 'path: /tmp/milvus/rdb_data' 'path: /var/lib/milvus/rdb_data'
replace 'rootPath: /tmp/milvus/logs' 'rootPath: ""'
replace 'storageType: local' 'storageType: minio'
ln -s /milvus/configs/milvus.yaml "$root/var/bin/e-milvus/configs/embedded-milvus.yaml"
install -m 644 "$package/configs/easylogging.yaml" "$root/milvus/configs/easylogging.yaml"
