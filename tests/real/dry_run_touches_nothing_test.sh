#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --dry-run, check, plan, versions and status change neither the engine nor one file; `plan --out` writes its file only.
# shellcheck disable=SC2119
source "$(dirname "$0")/lib.sh"

fresh_stack --empty
remember before

product 0 compose --to 2.3.5 --dry-run
says "v2.3.5"
untouched before "compose --dry-run"
product 0 check compose --to 2.3.5
untouched before "check compose"
product 0 plan compose --to 2.3.5
says "stop/standalone"
untouched before "plan compose"
product 10 plan compose --to 2.3.5 --detailed-exitcode
product 0 plan compose --to 2.2.16 --detailed-exitcode
untouched before "plan compose --detailed-exitcode"
product 2 status
product 4 compose --to 2.2.15 --yes
product 2 compose --to 2.3.5
says "--yes"
product 2 compose --to nonsense --yes
untouched before "a command that is refused"

product 0 plan compose --to 2.3.5 --out "$work/plan.json"
equal "mode of the plan" "$(stat -c %a "$work/plan.json")" 600
jq -e '.steps | length > 5' "$work/plan.json" >/dev/null || fail "the plan has no steps"
cp "$work/plan.json" "$work/plan.first"
untouched before "plan compose --out"
product 0 plan compose --to 2.3.5 --out "$work/plan.json"
same_file "the same plan made twice has other bytes" "$work/plan.first" "$work/plan.json"
passed
