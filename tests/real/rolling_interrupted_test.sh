#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In the middle of a rolling upgrade the API server dies and comes back, so that every watch ends; then the tool's own kubectl is
# killed: it goes on by itself. Someone else edits a Deployment that is still to come: it stops, and nothing of theirs is lost.
source "$(dirname "$0")/kube.sh"
own_control_plane

# Starts the upgrade and returns when it waits for that Deployment; its exit code is `ended`.
begin() { # STEP VERSION OPTIONS...
  mark_runs
  (cd "$where" && exec timeout 120 "$MU_BINARY" rolling -n "$space" -i my-release -t "$2" -w "milvusdb/milvus:v$2" --yes \
    --stable-for 200ms "${@:3}") >"$work/out" 2>"$work/err" </dev/null &
  tool=$!
  background+=("$tool")
  wait_for_record 60 ".type == \"intent\" and .step == \"$1\""
}
ended() { # CODE
  local code=0
  wait "$tool" || code=$?
  equal "exit code" "$code" "$1"
}

release chart-4.0 --active-standby --bare --ready-after 1s
begin wait/datacoord 2.2.4
kube kill-api
sleep 3
kube start-api 2>/dev/null
wait_for_record 60 '.type == "intent" and .step == "wait/querycoord"'
itself=$(pgrep -P "$tool")
kill -KILL "$(pgrep -P "$itself" -x kubectl)" || fail "the tool has no kubectl"
ended 0
all_run milvusdb/milvus:v2.2.4

begin wait/datacoord 2.2.5
k set image deployment/my-release-milvus-proxy proxy=milvusdb/milvus:v2.2.3 >/dev/null
ended 7
says my-release-milvus-proxy
equal "the image that someone else has chosen" "$(image_of proxy)" milvusdb/milvus:v2.2.3
passed
