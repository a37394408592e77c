#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Active-standby gets into the ConfigMap that the pods really mount, however it is called and whatever stands in it; the rest of its
# text stays as it is. In each of these the document's script edits nothing, edits wrongly, or refuses (and then says success).
source "$(dirname "$0")/kube.sh"

# Rolls until the configuration is edited, and wants exactly this difference to what it was: the lines that are new.
edited() { # CONFIGMAP KEY LINES...
  local config=$1 key=$2
  shift 2
  text_of() { k get configmap "$config" -o json | jq -r --arg key "$key" '.data[$key]'; }
  text_of >"$work/before.yaml"
  rolling 8 2.2.4 --until "config/$key"
  text_of >"$work/after.yaml"
  printf '%s\n' "$@" | LC_ALL=C sort >"$work/wanted"
  LC_ALL=C diff "$work/before.yaml" "$work/after.yaml" | grep '^>' | cut -c 3- | LC_ALL=C sort >"$work/got" || true
  same_file "what is new in $config" "$work/wanted" "$work/got"
  ! diff "$work/before.yaml" "$work/after.yaml" | grep -q '^<' || fail "lines of $config are gone: $(diff "$work/before.yaml" "$work/after.yaml")"
}
all=()
for key in rootCoord dataCoord indexCoord queryCoord; do all+=("$key:" "  enableActiveStandby: true"); done

# A name that no rule makes, and one of the user's own.
release chart-4.0 --bare --fullname vectors
edited vectors user.yaml "${all[@]}"
release chart-4.0 --bare --custom-config of-ours
edited of-ours milvus.yaml "${all[@]}"
# Only milvus.yaml: the chart 3.
release chart-3 --bare --version 2.2.3
edited my-release-milvus milvus.yaml "${all[@]}"
# A coordinator that has a section already; a comment that tells of another queue.
cat >"$work/user.yaml" <<'YAML'
# messageQueue: rocksmq
rootCoord:   # ours
  maxDatabaseNum: 64
proxy:
  maxTaskNum: 1024
YAML
release chart-4.0 --bare --user-yaml "$work/user.yaml"
edited my-release-milvus user.yaml dataCoord: indexCoord: queryCoord: "  enableActiveStandby: true" "  enableActiveStandby: true" \
  "  enableActiveStandby: true" "  enableActiveStandby: true"
# No user.yaml at all, though the pods would mount it.
release chart-4.0 --bare --user-yaml -
rolling 8 2.2.4 --until config/user.yaml
equal "standby" "$(k get configmap my-release-milvus -o json | jq -r '.data["user.yaml"]' | grep -c 'enableActiveStandby: true')" 4
passed
