# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests on the control plane share, after lib.sh. Sourced, never run. A test makes its releases with
# `release SHAPE OPTIONS...`, each in a namespace of its own that goes with the test, and runs the product with `product` or
# `rolling`.
#
#   MU_GROUND_KUBECONFIG   set by ./test when its control plane is up
#   $space                 the namespace of the newest release, which is called my-release
if [ -z "${MU_GROUND_KUBECONFIG:-}" ]; then
  echo "$(basename "$0" _test.sh): skipped: MU_GROUND_KUBECONFIG is not set; ./test sets it" >&2
  exit 77
fi
# shellcheck source=tests/real/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kube() { ground kube "$@"; }
eval "$(kube env)"
own_control_plane=
# One whose API server this test may kill.
own_control_plane() {
  engine=${MU_GROUND_NAME}own
  own_control_plane=yes
  kube start 2>/dev/null || fail "control plane $engine does not start"
  eval "$(kube env)"
}
spaces=() space=
milvus=app.kubernetes.io/name=milvus
where=$work
export XDG_STATE_HOME=$work/state
mkdir "$XDG_STATE_HOME"
k() { kubectl -n "$space" "$@"; }

# In the place of lib.sh's: there is no stack, and runs are in the user's state folder.
wipe_stack() {
  if [ -n "$own_control_plane" ]; then
    kube remove >/dev/null 2>&1 || true
  elif [ ${#spaces[@]} -gt 0 ]; then
    kubectl delete namespace "${spaces[@]}" --wait=false >/dev/null 2>&1 || true
  fi
}
run_folder() { find "$XDG_STATE_HOME" -name journal.ndjson -printf '%h\n' 2>/dev/null | LC_ALL=C sort | tail -n 1; }
count_runs() { find "$XDG_STATE_HOME" -name journal.ndjson 2>/dev/null | wc -l; }

release() { # SHAPE OPTIONS...
  space=mu-${test_name//_/-}-$$-${#spaces[@]}
  spaces+=("$space")
  kube shape "$1" --namespace "$space" --ready-after 100ms --stop-after 100ms "${@:2}" | kubectl apply -f - >/dev/null
  k wait --for=condition=Available deployment -l "$milvus" --timeout=60s >/dev/null || fail "the release does not come up"
}

# The upgrade as the document's script is called; the image is that of the version, or another one; more options after them.
rolling() { # CODE VERSION[-SUFFIX] OPTIONS...
  product "$1" rolling -n "$space" -i my-release -o update -t "${2%%-*}" -w "milvusdb/milvus:v$2" --yes --stable-for 200ms "${@:3}"
}

# Deployments of Milvus with the image of the container that is the component, one a line.
images() {
  k get deployments -l "$milvus" -o json | jq -r '.items[] | select(.metadata.labels.component != "attu") | . as $d |
    "\($d.metadata.name) \($d.spec.template.spec.containers[] | select(.image | test("milvusdb/milvus:")) | .image)"'
}
image_of() { images | awk -v name="my-release-milvus-$1" '$1 == name { print $2 }'; } # COMPONENT
all_run() { # IMAGE: templates and pods, and no pod of another image is left
  equal "the images" "$(images | awk '{print $2}' | sort -u)" "$1"
  equal "the images of the pods" "$(k get pods -l "$milvus" -o json | jq -r '.items[].spec.containers[].image | select(test("milvusdb/milvus:"))' | sort -u)" "$1"
}

# All that an upgrade could change, without what the API itself counts.
release_state() {
  k get deployments,statefulsets,configmaps,leases,horizontalpodautoscalers,poddisruptionbudgets -o json |
    jq -S '.items[] | {kind, name: .metadata.name, uid: .metadata.uid, labels: .metadata.labels, data, strategy: .spec.strategy,
      replicas: .spec.replicas, minReadySeconds: .spec.minReadySeconds, paused: .spec.paused, template: .spec.template}'
}
remember() { release_state >"$work/$1.release"; }
untouched() { # NAME WHAT
  remember now
  same_file "$2 has changed the release" "$work/$1.release" "$work/now.release"
}

# In the background, from before an upgrade on: every state of the release's pods.
watch_pods() { # FILE
  k get pods -l "$milvus" -w -o json --output-watch-events >"$1" 2>/dev/null &
  background+=($!)
}
# Components that at some moment had no ready pod, once they had one; so that a gap is seen by someone else than the product.
gaps_in() { # FILE
  jq -rn '[inputs | .type as $type | .object | {name: .metadata.name, component: .metadata.labels.component,
      ready: ($type != "DELETED" and (.metadata.deletionTimestamp | not) and any(.status.conditions[]?; .type == "Ready" and .status == "True"))}]
    | reduce .[] as $pod ({pods: {}, had: {}, gaps: {}};
        .pods[$pod.name] = $pod | ([.pods[] | select(.component == $pod.component and .ready)] | length) as $ready
        | if $ready > 0 then .had[$pod.component] = true elif .had[$pod.component] then .gaps[$pod.component] = true else . end)
    | .gaps | keys[]' "$1"
}
