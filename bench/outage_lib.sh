# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the benchmarks of the outage share: the release build, an engine of their own, the functions of the real tests.
bench_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
bash "$bench_home/../tests/ground/install" build ground >&2
MU_BINARY=${MU_BINARY:-$(bash "$bench_home/../scripts/build" release milvus-upgrade)/milvus-upgrade}
MU_GROUND_NAME=bench
export MU_BINARY MU_GROUND_NAME
bash "$bench_home/../tests/ground/ground" --name bench engine start >&2
# shellcheck source=tests/real/lib.sh
source "$bench_home/../tests/real/lib.sh"
address=127.0.8.1
results=$work/results.tsv

now() { date +%s%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.3f", (to - from) / 1e9 }'; }
# In the background its process id is the client's own, so that a signal reaches it.
probe_searches() { exec bash "$repository/tests/ground/ground" --name "$engine" client --client "${1:-2.2.17}" probe "$stack" --out "$work/searches"; }
compose() { (cd "$stack" && docker compose "$@" >/dev/null 2>&1); }
# What any way of stopping a Milvus needs: SIGTERM with the measured wait and SIGKILL, the proof of the exit; the session keys,
# the leases of our own, their revocation, the proof that none is left.
stop_by_hand() {
  docker stop -t 1 milvus-standalone >/dev/null
  docker inspect milvus-standalone >/dev/null
}
release_by_hand() {
  local keys=(docker exec milvus-etcd etcdctl get --prefix by-dev/meta/session/)
  "${keys[@]}" -w json >/dev/null
  # Every lease of this etcd is Milvus's. Not by jq, which rounds their numbers.
  # shellcheck disable=SC2016
  docker exec milvus-etcd sh -c 'leases=$(etcdctl lease list | tail -n +2)
    for l in $leases; do etcdctl lease timetolive --keys "$l"; done; for l in $leases; do etcdctl lease revoke "$l"; done' >/dev/null 2>&1
  "${keys[@]}" --keys-only >/dev/null
}
end_bench() { bash "$bench_home/../tests/ground/ground" --name bench engine stop >&2; }
