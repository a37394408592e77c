#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A rollout that gets no further is told with its cause within 5 s of its being visible, and stops there: the rest stays old.
# `rollback` puts it back to the template it had, and the same command with a good image goes on; after two bad images as well, and
# `rollback` of that leads to what was before the first. One component that goes back leaves the run open, for the rest or forward.
source "$(dirname "$0")/kube.sh"

# The image of 2.2.4 with a flaw. The way there is stuck at its first Deployment that gets the image.
stuck() { # FLAW CAUSE TEXT
  local seen
  remember before
  rolling 7 "2.2.4-$1" --skip-check image
  says "$2"
  says "$3"
  equal "$1: Deployments with the new image" "$(images | grep -c "v2.2.4-$1")" 1
  equal "$1: the others" "$(images | grep -vc "v2.2.4-$1")" 7
}
back() {
  product 0 rollback -n "$space" -i my-release --yes
  k rollout status deployment/my-release-milvus-rootcoord --timeout=20s >/dev/null
  remember now
  same_file "rollback after $1 does not give back what was" <(jq -S 'select(.kind == "Deployment")' "$work/before.release") <(jq -S 'select(.kind == "Deployment")' "$work/now.release")
}

release chart-4.0 --active-standby --bare
stuck pullfail image-pull "cannot be pulled"
back pullfail
stuck crash crash-loop "panic: "
# The script refuses its second run; this one goes on, from one bad image over another to a good one.
rolling 7 2.2.4-pullfail --skip-check image
rolling 0 2.2.4
all_run milvusdb/milvus:v2.2.4
says "is given up in its middle"

product 0 rollback -n "$space" -i my-release --yes --only querynode
equal "querynode after its way back" "$(image_of querynode)" milvusdb/milvus:v2.2.3
equal "the others" "$(images | grep -c 'v2.2.4$')" 7
product 0 status -n "$space" -i my-release
says partly-rolled-back
product 0 resume -n "$space" -i my-release --yes
all_run milvusdb/milvus:v2.2.4
product 0 rollback -n "$space" -i my-release --yes --only querynode --only proxy
back "two bad images and a good one"
equal "leases left" "$(k get leases -o name)" ""
passed
