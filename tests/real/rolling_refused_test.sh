#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be rolled, or not as asked for, is refused by its name before anything is written; dry runs and plans write nothing.
source "$(dirname "$0")/kube.sh"

refused() { # CODE TEXT [OPTIONS OF rolling...]
  remember before
  rolling "$1" 2.2.4 "${@:3}"
  says "$2"
  untouched before "a run that was refused"
}
release operator --bare
refused 3 operator
release standalone --bare
refused 4 rocksmq
release chart-4.0 --bare
remember before
product 0 rolling -n "$space" -i my-release -t 2.2.4 --dry-run
says milvusdb/milvus:v2.2.4
untouched before "a dry run"
product 0 check rolling -n "$space" -i my-release -t 2.2.4
product 0 plan rolling -n "$space" -i my-release -t 2.2.4 --out "$work/plan.json"
untouched before "check and plan"
# A label that says one version and an image of another; a way that no image leads.
product 3 rolling -n "$space" -i my-release -t 2.2.4 -w milvusdb/milvus:v2.2.5 --yes
says "the tag of the image"
product 4 rolling -n "$space" -i my-release -t 2.6.0 -w milvusdb/milvus:v2.6.0 --yes
product 4 rolling -n "$space" -i my-release -t 2.1.4 -w milvusdb/milvus:v2.1.4 --yes
product 2 rolling -n "$space" -i my-release -o install -t 2.2.4 --yes
untouched before "a path that was refused"
product 2 rolling -n "$space" -i nobody -t 2.2.4 -w milvusdb/milvus:v2.2.4 --yes

# A Milvus that no order has a place for: a Deployment of an unknown role, a StatefulSet.
k create deployment loner --image milvusdb/milvus:v2.2.3 --dry-run=client -o json |
  jq --arg key app.kubernetes.io/instance '(.metadata.labels, .spec.selector.matchLabels, .spec.template.metadata.labels) +=
    {"app.kubernetes.io/name": "milvus", ($key): "my-release", component: "loner"}' | k apply -f - >/dev/null
k rollout status deployment/loner >/dev/null
refused 3 loner
k delete deployment loner >/dev/null
k patch deployment my-release-milvus-proxy -p '{"spec":{"paused":true}}' >/dev/null
refused 3 paused
k patch deployment my-release-milvus-proxy -p '{"spec":{"paused":false}}' >/dev/null
k create quota full --hard=pods=8 >/dev/null
refused 3 "quota full"
k delete quota full >/dev/null
# A saved plan is not applied to what has changed since.
k set env deployment/my-release-milvus-proxy A=B >/dev/null
k rollout status deployment/my-release-milvus-proxy >/dev/null
remember before
product 9 apply "$work/plan.json" --yes
untouched before "a stale plan"

release chart-4.0 --bare --statefulset datanode
refused 3 datanode

# A user who may do all but patch Deployments, or who may only read: told before anything is written.
release chart-4.0 --bare
user=$(kube user "$space")
k create role upgrade --verb=get,list,watch,create,update,patch,delete --resource=configmaps,leases >/dev/null
k create role read --verb=get,list,watch \
  --resource=deployments.apps,statefulsets.apps,replicasets.apps,pods,pods/log,events,resourcequotas,poddisruptionbudgets.policy,horizontalpodautoscalers.autoscaling,secrets >/dev/null
k create rolebinding upgrade --role upgrade --user "$space" >/dev/null
k create rolebinding read --role read --user "$space" >/dev/null
refused 3 "patch deployments" --kubeconfig "$user"
k create role patch --verb=patch --resource=deployments.apps >/dev/null
k create rolebinding patch --role patch --user "$space" >/dev/null
rolling 0 2.2.4 --kubeconfig "$user"
all_run milvusdb/milvus:v2.2.4
passed
