#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# timeout 3600
# The tool kills itself (SIGKILL) at one boundary of a rolling upgrade: before an effect, after it and before its record, or between
# a record's write and its sync. Then `resume` ends in the new version, or `rollback` in the old one, to the very templates. A
# seeded sample (MU_REAL_SEED); every boundary with `./test --long`.
source "$(dirname "$0")/kube.sh"
[ -n "${MU_KILLABLE:-}" ] || fail "MU_KILLABLE is not set; ./test sets it"
RANDOM=${MU_REAL_SEED:-7}
note "MU_REAL_SEED=${MU_REAL_SEED:-7}"
at=(-n "" -i my-release)

# With standby to be switched on and strategies to be put back: every kind of step that there is.
anew() {
  release chart-4.2 --bare
  at=(-n "$space" -i my-release)
}
killable() { # ENVIRONMENT ARGUMENTS...: its exit code is $code
  code=0
  (cd "$where" && env "$1" timeout --kill-after=10 120 "$MU_KILLABLE" "${@:2}") >"$work/out" 2>"$work/err" </dev/null || code=$?
}
upgrade() { killable "$1" rolling "${at[@]}" -t 2.5.11 -w milvusdb/milvus:v2.5.11 --yes --stable-for 0s; }

# Without the lock, whose times differ, and the uids of another release.
whole() { release_state | jq -S 'select(.kind != "Lease" and (.name | startswith("milvus-upgrade") | not)) | del(.uid)' | sed "s/$space/SPACE/g"; }

anew
whole >"$work/old"
upgrade "MU_KILL_COUNTS=$work/counts"
equal "exit code of an undisturbed upgrade" "$code" 0
whole >"$work/new"
note "boundaries (before, after, sync): $(cat "$work/counts")"
read -r before after sync <"$work/counts"
{
  seq -f 'before %g' "$before"
  seq -f 'after %g' "$after"
  seq -f 'sync %g' "$sync"
} >"$work/points"
if [ -z "${MU_LONG:-}" ]; then
  awk -v seed="$RANDOM" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' "$work/points" | sort -g | head -n 6 | cut -f 2 >"$work/sample"
  mv "$work/sample" "$work/points"
fi

number=0
while read -r point; do
  anew
  upgrade "MU_KILL=$point"
  equal "exit code of a kill at $point" "$code" 137
  if [ $((number % 2)) -eq 0 ]; then
    # Its last record may have been written: then it is over, and its lock goes with the next run.
    journal=$(find "$XDG_STATE_HOME" -path "*/$space/*" -name journal.ndjson)
    if tail -n 1 "$journal" | jq -e '.type == "run-ended"' >/dev/null 2>&1; then
      product 2 resume "${at[@]}" --yes
      says "nothing to resume"
      k delete leases --all >/dev/null
    else
      product 0 resume "${at[@]}" --yes
    fi
    whole >"$work/now"
    same_file "resume after a kill at $point" "$work/new" "$work/now"
  else
    product 0 rollback "${at[@]}" --yes
    whole >"$work/now"
    same_file "rollback after a kill at $point" "$work/old" "$work/now"
  fi
  equal "leases left after a kill at $point" "$(k get leases -o name)" ""
  number=$((number + 1))
done <"$work/points"
note "$number points, all converged"
passed
