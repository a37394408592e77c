#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Releases in the shape of each generation of the chart are rolled as a whole, in order, without a moment in which a component
# that can hand over has no ready pod; what is not Milvus is left alone, and a second run has nothing to do.
source "$(dirname "$0")/kube.sh"

rolled() { # SHAPE FROM TO OPTIONS...
  release "$1" --version "$2" "${@:4}"
  watch_pods "$work/pods"
  remember before
  rolling 0 "$3"
  all_run "milvusdb/milvus:v$3"
  remember after
  rolling 0 "$3"
  says "Nothing to do"
  untouched after "a second run"
  kill "${background[-1]}"
  wait "${background[-1]}" 2>/dev/null || true
  note "$1: $(images | wc -l) Deployments; components with a gap: $(gaps_in "$work/pods" | tr '\n' ' ')"
}
# What is neither the image, the version's label nor the configuration is as it was.
of_others() { # FILE
  jq -S 'select(.kind != "Lease" and (.name | startswith("milvus-upgrade") | not)) | del(.labels["app.kubernetes.io/version"])
    | if .kind == "ConfigMap" then .data |= keys else (.template.spec.containers[] | select(.image | test("milvusdb/milvus:")) | .image) = "" end' "$1"
}
nothing_else_changed() {
  of_others "$work/before.release" >"$work/before.others"
  of_others "$work/after.release" >"$work/after.others"
  same_file "the upgrade has changed something else" "$work/before.others" "$work/after.others"
}

# Coordinators without standby: it is switched on, they are rolled once with a gap; the sidecar before Milvus stays.
rolled chart-4.0 2.2.3 2.2.4 --sidecar-first
nothing_else_changed
equal "the sidecars" "$(k get deployments -l "$milvus" -o json | jq -r '[.items[].spec.template.spec.containers[] | select(.name == "mesh-proxy") | .image] | unique[]')" \
  registry.example/mesh/proxy:1.20.0
equal "standby" "$(k get configmap my-release-milvus -o json | jq -r '.data["user.yaml"]' | grep -c 'enableActiveStandby: true')" 4
grep -q '^# Settings of your own' <(k get configmap my-release-milvus -o json | jq -r '.data["user.yaml"]') || fail "the comments of user.yaml are gone"

# With standby nothing is edited, and nobody is ever without a ready pod.
rolled chart-4.0 2.2.3 2.2.4 --active-standby --replicas querynode=2 --bare
nothing_else_changed
equal "components that had no ready pod" "$(gaps_in "$work/pods")" ""
equal "the ConfigMap" "$(jq -c 'select(.kind == "ConfigMap" and .name == "my-release-milvus") | .data' "$work/after.release")" \
  "$(jq -c 'select(.kind == "ConfigMap" and .name == "my-release-milvus") | .data' "$work/before.release")"

# What the document's script skips and calls a success: mixcoord, streamingnode, resource groups, cdc.
rolled chart-5.0 2.6.5 2.6.6 --active-standby --groups rg1,rg2 --cdc --bare
nothing_else_changed
equal "components that had no ready pod" "$(gaps_in "$work/pods")" ""
equal "Deployments" "$(images | wc -l)" 8

rolled chart-4.2 2.5.10 2.5.11 --bare
rolled chart-3 2.2.3 2.2.4 --bare
rolled standalone 2.2.3 2.2.4 --queue kafka --active-standby --bare
passed
