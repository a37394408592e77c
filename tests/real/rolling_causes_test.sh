#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# What can be in the way of a rollout besides its image (rolling_stuck): each is told by its name, the rest stays old, `rollback` gives
# back what was; and what only looks as if it were in the way is not: autoscalers, disruption budgets.
source "$(dirname "$0")/kube.sh"

back() { # WHAT
  product 0 rollback -n "$space" -i my-release --yes
  for one in $(k get deployments -o name); do k rollout status "$one" --timeout=30s >/dev/null; done
  remember now
  same_file "rollback from $1 does not give back what was" <(jq -S 'select(.kind == "Deployment")' "$work/before.release") <(jq -S 'select(.kind == "Deployment")' "$work/now.release")
}
flawed() { # FLAW CAUSE [SHAPE OPTIONS...]
  release chart-4.2 --bare --active-standby "${@:3}"
  remember before
  rolling 7 "2.5.11-$1" --skip-check image --only proxy
  says "($2)"
  equal "$1: Deployments with the new image" "$(images | grep -c 2.5.11)" 1
  back "$1"
}
flawed oom out-of-memory
flawed notready deadline --deadline 4

# Three nodes of 16 CPU, each with a pod of 9: there is no room for a fourth one.
release chart-4.2 --bare --active-standby --requests querynode=9 --replicas querynode=3
remember before
rolling 7 2.5.11 --only querynode
says "(unschedulable)"
says "Insufficient cpu"
back "a full cluster"

# What comes up between two components: a quota, a policy of admission, a pause.
release chart-4.2 --bare --active-standby --hpa proxy --pdb querynode
remember before
rolling 8 2.5.11 --pause-before roll/proxy
k create quota full --hard=pods=5 >/dev/null
product 7 resume -n "$space" -i my-release --yes
says "(quota)"
says "exceeded quota: full"
k delete quota full >/dev/null
product 0 resume -n "$space" -i my-release --yes
all_run milvusdb/milvus:v2.5.11

policy() { # NAME RESOURCE-GROUP RESOURCE EXPRESSION
  cat <<YAML | kubectl apply -f - >/dev/null
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $space-$1}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $space}}
    resourceRules: [{apiGroups: ["$2"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [$3]}]
  validations: [{expression: '$4', message: our rules have no room for this image}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: $space-$1}
spec: {policyName: $space-$1, validationActions: [Deny]}
YAML
  # It takes a moment until the API server goes by it.
  sleep 3
}
no_policy() { kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy "$space-$1" >/dev/null; }
release chart-4.2 --bare --active-standby
policy deployments apps deployments 'object.spec.template.spec.containers.all(c, !c.image.endsWith("v2.5.11"))'
remember before
rolling 3 2.5.11
says "our rules have no room"
untouched before "an upgrade that the server would refuse"
no_policy deployments
policy pods "" pods 'object.spec.containers.all(c, !c.image.endsWith("v2.5.11"))'
rolling 7 2.5.11 --only proxy
says "(admission)"
says "our rules have no room"
back "a policy"
no_policy pods

rolling 8 2.5.11 --pause-before roll/proxy
k rollout pause deployment/my-release-milvus-proxy >/dev/null
product 7 resume -n "$space" -i my-release --yes
says "(paused)"
k rollout resume deployment/my-release-milvus-proxy >/dev/null
product 0 resume -n "$space" -i my-release --yes
all_run milvusdb/milvus:v2.5.11

# An old pod that does not go: 15 s after its grace period of 30 it is the cause; what holds it gone, the same command goes on.
release chart-4.2 --bare --active-standby
held=$(k get pods -l "$milvus,component=querynode" -o jsonpath='{.items[0].metadata.name}')
hold() { k patch pod "$held" --type merge -p "{\"metadata\":{\"finalizers\":[$1]}}" >/dev/null; }
hold '"ground.example/held"'
rolling 7 2.5.11 --only querynode
says "(terminating)"
says "old pod $held on"
hold ''
rolling 0 2.5.11 --only querynode
equal "the image" "$(image_of querynode)" milvusdb/milvus:v2.5.11
passed
