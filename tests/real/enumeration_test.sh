#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# timeout 1800, with --long 36000
# The tool kills itself (SIGKILL) at one boundary of a run on the real stack: before an effect, after it and before its record,
# or between a record's write and its sync. Then `resume`, `rollback` or the very same command again, and all is compared:
# containers, images, policies, the bytes of the file, every key of the metadata, what a client finds. Over an upgrade, one that
# goes back, and a migration by each engine. A seeded sample (MU_REAL_SEED); every boundary in every way with `./test --long`.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"
[ -n "${MU_KILLABLE:-}" ] || fail "MU_KILLABLE is not set; ./test sets it"
! grep -q MU_KILL "$MU_BINARY" || fail "the product can be made to kill itself"
milvus=ground.local/milvusdb/milvus
RANDOM=${MU_REAL_SEED:-7}
note "MU_REAL_SEED=${MU_REAL_SEED:-7}"
points=0 back=0

# The real 2.2.16 as a patch of its own: another image, another tag.
patch_image() { # N
  local id
  id=$(docker create "$milvus:v2.2.16")
  docker commit --change "LABEL patch=$1" "$id" "$milvus:v2.2.$1" >/dev/null
  docker rm "$id" >/dev/null
  made_images+=("$milvus:v2.2.$1")
}

# Runs a program with the arguments in the project folder; its exit code is left in $code.
run() { # PROGRAM ARGUMENTS...
  code=0
  (cd "$stack" && timeout --kill-after=10 400 "$@" || exit $?) >"$work/out" 2>"$work/err" </dev/null || code=$?
}
undisturbed() { # CODE ARGUMENTS...: counts its boundaries
  MU_KILL_COUNTS=$work/counts run "$MU_KILLABLE" "${@:2}"
  [ "$code" -eq "$1" ] || fail "undisturbed: exit code $code, wanted $1"
}
# Kills the run at the point and goes on from there; the last exit code is left in $code.
killed_and() { # "KIND N WAY" ARGUMENTS...
  local kind number way
  read -r kind number way <<<"$1"
  MU_KILL="$kind $number" run "$MU_KILLABLE" "${@:2}"
  [ "$code" -eq 137 ] || fail "not killed at $kind $number: exit code $code"
  case $way in
    again) run "$MU_BINARY" "${@:2}" ;;
    *) run "$MU_BINARY" "$way" --yes ;;
  esac
  note "killed at $kind $number, $way: exit code $code"
  points=$((points + 1))
}
wanted() { # CODE...
  local one
  for one in "$@"; do [ "$code" -ne "$one" ] || return 0; done
  fail "exit code $code, wanted $*"
}

# What is passed in an undisturbed run with each way to go on, "KIND N WAY" a line; a sample of it, or all.
points_of() { # SAMPLE WAY...
  local before after sync way
  read -r before after sync <"$work/counts"
  for way in "${@:2}"; do
    seq -f "before %g $way" "$before"
    seq -f "after %g $way" "$after"
    # The last record ends the run: whoever comes then finds it over.
    seq -f "sync %g $way" "$((sync - 1))"
  done >"$work/points"
  if [ -n "${MU_LONG:-}" ]; then
    cat "$work/points"
  else
    awk -v seed="$RANDOM" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' "$work/points" | sort -g | head -n "$1" | cut -f 2
  fi
}

# Everything that an upgrade decides: without the keys, or their values, that each start of Milvus writes anew (times,
# positions, and after a migration, whose points have histories of their own, what is built and loaded; that is the client's to
# see, and the tool's own confirmation has compared each key before the start).
whole() { # [PATTERN]: keys to leave out as well
  docker ps -aq | xargs docker inspect --format '{{.Name}} {{.Config.Image}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' | LC_ALL=C sort
  docker network ls --format 'network {{.Name}}' | LC_ALL=C sort
  docker volume ls --format 'volume {{.Name}}'
  cat "$stack/docker-compose.yml"
  etcd_keys "^\[\"by-dev/(kv/|meta/(session/|datacoord-meta/(channel|statslog|binlog)|channelwatch|queryCoord-ResourceGroup/|querycoord-replica/${1:+|$1}))" |
    sed -E '/"by-dev\/meta\/(snapshots\/)?root-coord\/database\// { s/_ts[0-9]+"/"/; s/","[^"]*"\]$/"]/ }'
}
histories='datacoord-meta/|query[cC]oord-|segment-index/|indexes/|root-coord/segment-index/|snapshots/root-coord/segment-index/'

# --- A patch of 2.2.16, again and again on one stack: each end is the next one's beginning. ---

add_policy() { sed -i 's|^  standalone:|  standalone:\n    restart: unless-stopped|' "$stack/docker-compose.yml"; }
fresh_stack --prepare add_policy
etcd=$(identity_of milvus-etcd) minio=$(identity_of milvus-minio)
patch=17
patch_image $patch
upgrade=(--yes --stable-for 2s)
undisturbed 0 compose --to "2.2.$patch" "${upgrade[@]}"
same_search "after an undisturbed upgrade"
whole | sed "s/v2\.2\.$patch/PATCH/" >"$work/whole"
note "boundaries of an upgrade (before, after, sync): $(cat "$work/counts")"
points_of 2 resume rollback again >"$work/sample"
while read -r point <&3; do
  next=$((patch + 1))
  patch_image $next
  killed_and "$point" compose --to "2.2.$next" "${upgrade[@]}"
  wanted 0
  case $point in
    *rollback) gone=$next back=$((back + 1)) ;;
    *) gone=$patch patch=$next ;;
  esac
  same_search "after a kill at $point"
  whole | sed "s/v2\.2\.$patch/PATCH/" >"$work/now"
  same_file "after a kill at $point" "$work/whole" "$work/now"
  equal "etcd" "$(identity_of milvus-etcd)" "$etcd"
  equal "minio" "$(identity_of milvus-minio)" "$minio"
  docker image rm "$milvus:v2.2.$gone" >/dev/null
done 3<"$work/sample"

# --- A patch that does not come up: killed anywhere on the way there or back. ---

bad="$milvus:v2.2.$((patch + 1))"
image_with_program "$bad" '#!/bin/sh
echo panic: a flaw of this build >&2
exit 134'
whole >"$work/before"
undisturbed 6 compose --to "2.2.$((patch + 1))" "${upgrade[@]}"
note "boundaries of one that goes back (before, after, sync): $(cat "$work/counts")"
points_of 1 resume rollback again >"$work/sample"
while read -r point <&3; do
  killed_and "$point" compose --to "2.2.$((patch + 1))" "${upgrade[@]}"
  # On the way back already, `rollback` only goes on with it.
  case $point in *rollback) wanted 0 6 ;; *) wanted 6 ;; esac
  same_search "back after a kill at $point"
  whole >"$work/now"
  same_file "back after a kill at $point" "$work/before" "$work/now"
  back=$((back + 1))
done 3<"$work/sample"
wipe_stack
rm -rf "$stack/.milvus-upgrade"

# --- 2.1.0 to 2.2.16. ---

fresh_stack21
data=$(seeded_data21)
migration_image
cp -p "$stack/docker-compose.yml" "$work/before.yml"
anew() {
  docker ps -aq | xargs -r docker rm -f >/dev/null
  rm -rf "$stack/.milvus-upgrade"
  cp -p "$work/before.yml" "$stack/docker-compose.yml"
  serve21 "$data"
}
migrations=("--migration-engine builtin")
[ -z "${MU_LONG:-}" ] || migrations+=("--migration-image $tool_image")
for by in "${migrations[@]}"; do
  read -ra words <<<"$by"
  upgrade=(compose --to 2.2.16 --yes "${words[@]}")
  whole "$histories" >"$work/before"
  undisturbed 0 "${upgrade[@]}"
  same_inventory "$work/inventory.json" "on 2.2.16"
  whole "$histories" >"$work/upgraded"
  note "boundaries of a migration, $by (before, after, sync): $(cat "$work/counts")"
  points_of 1 resume rollback >"$work/sample"
  while read -r point <&3; do
    anew
    killed_and "$point" "${upgrade[@]}"
    end=upgraded
    # Where 2.2 has started there is no way back, and it is said.
    case $point in *rollback) if [ "$code" -eq 7 ]; then says "resume"; run "$MU_BINARY" resume --yes; else end=before; fi ;; esac
    wanted 0
    if [ $end = upgraded ]; then
      same_inventory "$work/inventory.json" "on 2.2.16 after a kill at $point"
    else
      same_inventory "$work/inventory.json" "on 2.1.0 after a kill at $point" --client 2.1.3
      back=$((back + 1))
    fi
    whole "$histories" >"$work/now"
    same_file "after a kill at $point ($end)" "$work/$end" "$work/now"
    no_scratch_left
  done 3<"$work/sample"
  anew
done
note "$points points, $points converged ($back on the old version), 0 keys lost"
passed
