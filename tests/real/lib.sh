# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2119 # fresh_stack takes options; a call without any is not meant to pass the script's on
# What the tests on the real stack share. Sourced, never run. A test makes its stack with fresh_stack, runs the product
# with `product CODE ARGUMENTS...`, and asserts by exit code, message and the whole state of engine and files. What a test
# has made is wiped when it ends, however it ends.
#
#   MU_BINARY        the product (release build)
#   MU_GROUND_NAME   the ground's engine; a test that restarts or kills one calls own_engine first
#   $work            a folder of this test's own; $stack in it is the project folder
#   $work/out, err   what the product said last
set -euo pipefail

real_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
repository=$(cd "$real_home/../.." && pwd -P)
test_name=$(basename "$0" _test.sh)
if [ -z "${MU_BINARY:-}" ] || [ -z "${MU_GROUND_NAME:-}" ]; then
  echo "$test_name: skipped: MU_BINARY and MU_GROUND_NAME are not set; ./test sets them" >&2
  exit 77
fi

engine=$MU_GROUND_NAME
# Each engine has a loopback address of its own, so that tests on two engines, or two runs of ./test, do not meet.
address_of() { printf '127.0.%s.1\n' $((2 + $(printf %s "$1" | cksum | cut -d' ' -f1) % 250)); }
address=$(address_of "$engine")
own_engine_flag=
stack_kind=standalone
background=()
made_images=()
work=$(mktemp -d "${TMPDIR:-/tmp}/mu-real.XXXXXX")
stack=$work/milvus
# Nothing of the caller may steer the product under test.
unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_ENV_FILES COMPOSE_PATH_SEPARATOR CI GITHUB_ACTIONS
unset MILVUS_UPGRADE_STATE_DIR NO_COLOR

ground() { bash "$repository/tests/ground/ground" --name "$engine" "$@"; }
note() { printf '%s: %s\n' "$test_name" "$*" >&2; }

fail() {
  printf '%s: FAILED: %s (%s line %s)\n' "$test_name" "$*" "${BASH_SOURCE[-1]##*/}" "${BASH_LINENO[-2]}" >&2
  local file
  for file in out err; do
    [ ! -s "$work/$file" ] || { printf -- '---- last %s of the product\n' "$file" && tail -n 40 "$work/$file"; } >&2
  done
  exit 1
}

# What a test has to undo besides: shell commands, called at its end, the last first, whatever they end with. (A trap of its own
# would hide the exit code of the test.)
at_ends=()
at_end() { at_ends+=("$*"); } # COMMAND

clean_up() {
  local status=$? pid image i
  trap - EXIT
  for ((i = ${#at_ends[@]} - 1; i >= 0; i--)); do eval "${at_ends[i]}" || true; done
  for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ] && [ -n "${MU_REAL_KEEP:-}" ]; then
    note "kept for a look: $work"
    exit "$status"
  fi
  wipe_stack
  for image in "${made_images[@]}"; do docker image rm -f "$image" >/dev/null 2>&1 || true; done
  [ -z "$own_engine_flag" ] || ground engine stop >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

remove_locks() { docker ps -aq --filter label=milvus-upgrade.run 2>/dev/null | xargs -r docker rm >/dev/null 2>&1 || true; }

wipe_stack() {
  [ ! -d "$stack" ] || ground stack wipe "$stack_kind" "$stack" >/dev/null 2>&1 || true
  remove_locks
}

# An engine that this test may restart and kill.
own_engine() { # SUFFIX [--remote-like]
  engine=$MU_GROUND_NAME$1
  address=$(address_of "$engine")
  own_engine_flag=yes
  ground engine start "${@:2}" 2>/dev/null || fail "engine $engine does not start"
  eval "$(ground env)"
  # What a killed run of this test has left in it.
  docker ps -aq | xargs -r docker rm -f >/dev/null
  docker network prune -f >/dev/null
}

use_engine() {
  if [ -z "$own_engine_flag" ]; then eval "$(ground env)"; fi
}
use_engine

client() { ground client "$@"; }

# The data of a seeded 2.2.16 stack, made once and cached by what it is made from.
seeded_data() { # KIND: prints the folder with volumes.tar and search.json
  # shellcheck source=../ground/lib.sh
  (
    source "$repository/tests/ground/lib.sh"
    cached_build "real-data-$1" \
      "$(cache_key "$GROUND_DIR/stacks/$1" "$GROUND_DIR"/images/{etcd,s3,milvus} "$GROUND_DIR/client" "$real_home/make_data")" \
      "$real_home/make_data" "$engine" "$address" "$1"
  )
}

target_image() { ground images ground.local/milvusdb/milvus:v2.2.16 ground.local/milvusdb/milvus:v2.3.5 2>/dev/null; }

# A stack of Milvus 2.2.16 in $stack, up and serving; seeded unless --empty (then only /healthz is waited for).
fresh_stack() { # [--kind standalone|cluster] [--compose v1|v2] [--empty] [--prepare FUNCTION]
  local generation=v2 data='' prepare=''
  while [ $# -gt 0 ]; do
    case $1 in
      --kind) stack_kind=$2 && shift ;;
      --compose) generation=$2 && shift ;;
      --empty) data=none ;;
      --prepare) prepare=$2 && shift ;;
      *) fail "fresh_stack does not know $1" ;;
    esac
    shift
  done
  remove_locks # of a test that was killed
  mkdir -p "$stack"
  cp -R "$repository/tests/ground/stacks/$stack_kind/." "$stack/"
  printf 'GROUND_ADDRESS=%s\n' "$address" >"$stack/.env"
  [ -z "$prepare" ] || "$prepare"
  target_image
  if [ "$data" != none ]; then
    data=$(seeded_data "$stack_kind")
    on_engine_host mkdir -p "$stack"
    on_engine_host tar -C "$stack" -xf - <"$data/volumes.tar"
    cp "$data/search.json" "$work/search.json"
  fi
  ground stack up "$stack_kind" "$stack" --compose "$generation" 2>"$work/up.log" || { cat "$work/up.log" >&2 && fail "the stack does not come up"; }
  [ "$data" = none ] || same_search "before the upgrade"
  note "the stack is up after $SECONDS s"
}

# The data of `ground client seed21` on a stopped Milvus 2.1.0 stack, cached as seeded_data is.
seeded_data21() { # prints the folder with volumes.tar and inventory.json
  (
    source "$repository/tests/ground/lib.sh"
    cached_build real-data-2.1 \
      "$(cache_key "$GROUND_DIR/stacks/standalone" "$GROUND_DIR"/images/{etcd,s3,milvus-embedded} "$GROUND_DIR"/inventory/{inventory,seed21}.py \
        "$GROUND_DIR/recipes/client-2.1" "$real_home/make_data21")" \
      "$real_home/make_data21" "$engine" "$address"
  )
}

# The stack of 2.1.0 in $stack, up on its seeded data, whatever its volumes hold. About one start of 2.1.0 in ten never gets its
# shards together on data that it has served before; the next one does.
serve21() { # DATA [GENERATION]
  local try
  for try in 1 2 3; do
    rm -rf "$stack/volumes"
    tar -C "$stack" -xf "$1/volumes.tar"
    ground stack up standalone "$stack" --compose "${2:-v2}" 2>"$work/up.log" || { cat "$work/up.log" >&2 && fail "the stack does not come up"; }
    ! serves_inventory 45 "$work/inventory.json" --client 2.1.3 || break
    [ "$try" -lt 3 ] || break
    note "2.1.0 does not serve its data; started anew"
    docker rm -f milvus-standalone milvus-etcd milvus-minio >/dev/null
  done
  same_inventory "$work/inventory.json" "before the migration" --client 2.1.3
}

# A stack of Milvus 2.1.0 in $stack, up, with its data; what a client sees on it is in $work/inventory.json.
fresh_stack21() { # [--compose v1|v2] [--prepare FUNCTION]
  local data generation=v2 prepare=''
  while [ $# -gt 0 ]; do
    case $1 in
      --compose) generation=$2 && shift ;;
      --prepare) prepare=$2 && shift ;;
      *) fail "fresh_stack21 does not know $1" ;;
    esac
    shift
  done
  remove_locks
  ground images ground.local/milvusdb/milvus:v2.1.0 ground.local/milvusdb/milvus:v2.2.16 2>/dev/null
  data=$(seeded_data21)
  mkdir -p "$stack"
  cp -R "$repository/tests/ground/stacks/standalone/." "$stack/"
  sed -i 's|milvusdb/milvus:.*|milvusdb/milvus:v2.1.0|' "$stack/docker-compose.yml"
  printf 'GROUND_ADDRESS=%s\n' "$address" >"$stack/.env"
  [ -z "$prepare" ] || "$prepare"
  cp "$data/inventory.json" "$work/inventory.json"
  serve21 "$data" "$generation"
  note "2.1.0 is up with its data after $SECONDS s"
}

# The image of packaging/meta-migration under the name of Milvus's own tool.
tool_image=ground.local/milvusdb/meta-migration:v2.2.0-bugfix-20230112
migration_image() { ground images --migration "$MU_BINARY" "$tool_image" 2>"$work/image.log" || fail "no image: $(cat "$work/image.log")"; }

# One that goes wrong: prints its name. What it does: tests/hostile/migration.cc.
hostile_image() { # FAULT
  [ -n "${MU_HOSTILE_MIGRATION:-}" ] || fail "MU_HOSTILE_MIGRATION is not set; ./test sets it"
  ground images --migration "$MU_HOSTILE_MIGRATION" "ground.local/milvusdb/meta-migration:hostile-$1" "MU_HOSTILE=$1" 2>/dev/null ||
    fail "no image for $1"
  printf 'ground.local/milvusdb/meta-migration:hostile-%s\n' "$1"
}

# migrate.yaml in the project folder, as Milvus's document has it.
write_migrate_yaml() { # TARGET [SED EXPRESSION...]
  local change
  sed "s/targetVersion: .*/targetVersion: $1/" "$repository/tests/data/milvus-2.1-to-2.2/migrate.yaml" >"$stack/migrate.yaml"
  shift
  for change in "$@"; do sed -i "$change" "$stack/migrate.yaml"; done
}

in_etcd() { docker exec milvus-etcd etcdctl "$@"; }

# Every key of etcd that no lease ends, by `in_etcd` and not by the product, one a line; the lines of $1 left out.
etcd_keys() { # [PATTERN]
  in_etcd get --prefix '' -w json | jq -c '.kvs[] | select((.lease // 0) == 0) | [(.key | @base64d), .value]' | grep -vE "${1:-^$}" || true
}

# The background process writes FILE at the moment when the journal of the next run holds such a record.
keys_at() { # FILE JQ-CONDITION [PATTERN]
  (wait_for_record 300 "$2" 2>/dev/null && etcd_keys "${3:-}" >"$1.part" && mv "$1.part" "$1") &
  background+=($!)
}

# Nothing that a migration uses for itself is left on the engine: containers, networks, volumes.
no_scratch_left() {
  no_lock_left
  equal "networks left" "$(docker network ls -q --filter label=milvus-upgrade.run)" ""
  equal "volumes left" "$(docker volume ls -q)" ""
}

# The first start of 2.2.16 on migrated metadata is a race of its own parts: where a query node loads a segment before the
# data node has noted the position of its channel, it panics (FromDmlCPLoadDelete; one in eighteen starts seen). The next start
# has the same data; nothing is lost.
start_again_after_its_race() {
  [ "$(of_container milvus-standalone '{{.State.Status}} {{.State.ExitCode}}')" = "exited 2" ] || return 0
  docker logs --tail 100 milvus-standalone 2>&1 | grep -q FromDmlCPLoadDelete || fail "milvus has ended: $(docker logs --tail 20 milvus-standalone 2>&1)"
  note "2.2.16 has lost its race with itself; started again"
  docker start milvus-standalone >/dev/null
}

# Whether a client sees within so many seconds what it saw before.
serves_inventory() { # SECONDS BEFORE [--client VERSION]
  local end=$((SECONDS + $1))
  while [ "$SECONDS" -lt "$end" ]; do
    timeout "$1" bash "$repository/tests/ground/ground" --name "$engine" client "${@:3}" inventory "$stack" --patience 10 >"$work/inventory.now" 2>/dev/null &&
      ground client compare-inventory "$2" "$work/inventory.now" >/dev/null 2>&1 && return 0
    sleep 1
  done
  return 1
}

# A client sees what it saw before, but for what a right migration changes. Right after a start it is asked again.
same_inventory() { # BEFORE WHEN [--client VERSION]
  local end=$((SECONDS + 150))
  until ground client "${@:3}" inventory "$stack" --patience 10 >"$work/inventory.now" 2>"$work/inventory.err" &&
    ground client compare-inventory "$1" "$work/inventory.now" >"$work/differences" 2>"$work/inventory.err"; do
    [ "$SECONDS" -lt "$end" ] || fail "a client does not see what it saw, $2: $(tail -n 20 "$work/differences" "$work/inventory.err")"
    start_again_after_its_race
    sleep 1
  done
  note "a client sees the same, $2; $(wc -l <"$work/inventory.err") changes that were expected"
}

wait_for_etcd() {
  local end=$((SECONDS + 30))
  until docker exec milvus-etcd etcdctl endpoint health >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "etcd does not come up"
    sleep 0.2
  done
}

# Paths of volumes are on the engine's side: where that is another mount namespace, so is this.
on_engine_host() {
  if [ -e "/run/netns/mug-$engine" ]; then
    nsenter --target "$(cat "${MILVUS_UPGRADE_GROUND_RUN:-/run/milvus-upgrade-ground}/$engine/docker.pid")" --mount --net "$@"
  else
    "$@"
  fi
}

# The searches of the seeded collection answer as when it was made. Right after a start Milvus still loads: it is asked again.
same_search() { # WHEN
  local end=$((SECONDS + 120))
  until client search "$stack" >"$work/search.now" 2>"$work/search.err" && cmp -s "$work/search.json" "$work/search.now"; do
    [ "$SECONDS" -lt "$end" ] || fail "the searches do not answer as before, $1: $(tail -c 300 "$work/search.now" "$work/search.err")"
    sleep 0.5
  done
}

# Runs the product in $where (the project folder) and wants this exit code.
where=$stack
product() { # CODE ARGUMENTS...
  local want=$1 code=0 started=$SECONDS
  shift
  (cd "$where" && exec timeout --kill-after=10 400 "$MU_BINARY" "$@") >"$work/out" 2>"$work/err" </dev/null || code=$?
  note "milvus-upgrade $1 ${2:-}: exit $code after $((SECONDS - started)) s"
  [ "$code" -eq "$want" ] || fail "milvus-upgrade $*: exit code $code, wanted $want"
}

# The last command has said this text (on stdout or stderr).
says() { grep -qF -- "$1" "$work/out" "$work/err" || fail "it does not say: $1"; }
says_not() { ! grep -qF -- "$1" "$work/out" "$work/err" || fail "it says: $1"; }
equal() { [ "$2" = "$3" ] || fail "$1: '$2', wanted '$3'"; }
same_file() { cmp -s "$2" "$3" || { diff "$2" "$3" >&2 || true; fail "$1"; }; } # WHAT FILE FILE

# Everything on the engine that an upgrade could change, one line each.
engine_state() {
  local ids
  mapfile -t ids < <(docker ps -aq --no-trunc)
  [ "${#ids[@]}" -eq 0 ] || docker inspect --format \
    'container {{.Name}} {{.Id}} {{.Config.Image}} {{.Image}} {{.State.Status}} {{.State.StartedAt}} policy={{.HostConfig.RestartPolicy.Name}} restarts={{.RestartCount}}' \
    "${ids[@]}" | LC_ALL=C sort
  docker images --no-trunc --format 'image {{.Repository}}:{{.Tag}} {{.ID}}' | LC_ALL=C sort
  docker network ls --no-trunc --format 'network {{.Name}} {{.ID}}' | LC_ALL=C sort
  docker volume ls --format 'volume {{.Name}}' | LC_ALL=C sort
}

# Every file of a folder with mode, size, time and content; the data folders are Milvus's own and left out.
folder_state() { # FOLDER
  (cd "$1" && find . -path ./volumes -prune -o -printf '%P %y %m %u %s %T@ %l\n' | LC_ALL=C sort &&
    find . -path ./volumes -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum)
}

remember() { # NAME: state of engine and project folder
  engine_state >"$work/$1.engine"
  folder_state "$stack" >"$work/$1.folder"
}

# Neither the engine nor the folder has changed since `remember NAME`.
untouched() { # NAME WHAT
  remember now
  same_file "$2 has changed the engine" "$work/$1.engine" "$work/now.engine"
  same_file "$2 has changed the project folder" "$work/$1.folder" "$work/now.folder"
}

of_container() { docker inspect --format "$2" "$1"; } # NAME FORMAT
image_of() { of_container "$1" '{{.Config.Image}}'; }
policy_of() { of_container "$1" '{{.HostConfig.RestartPolicy.Name}}'; }
identity_of() { of_container "$1" '{{.Id}} {{.State.StartedAt}}'; }
no_lock_left() { equal "lock containers left" "$(docker ps -aq --filter label=milvus-upgrade.run)" ""; }
run_folder() { find "$stack/.milvus-upgrade" -mindepth 1 -maxdepth 1 -type d | LC_ALL=C sort | tail -n 1; }

# A Milvus image whose program is the given shell script, made from the real one.
image_with_program() { # REFERENCE SCRIPT
  local id
  printf '%s\n' "$2" >"$work/program" && chmod 755 "$work/program"
  id=$(docker create ground.local/milvusdb/milvus:v2.2.16)
  docker cp "$work/program" "$id:/milvus/bin/milvus" >/dev/null
  docker commit "$id" "$1" >/dev/null
  docker rm "$id" >/dev/null
  made_images+=("$1")
}

# A patch version that serves: the real 2.2.16 under another tag.
image_as() { # REFERENCE
  docker tag ground.local/milvusdb/milvus:v2.2.16 "$1"
  made_images+=("$1")
}

count_runs() { (find "$stack/.milvus-upgrade" -mindepth 1 -maxdepth 1 -type d 2>/dev/null || true) | wc -l; }
runs_before=0
mark_runs() { runs_before=$(count_runs); }

# Waits until the journal of a run begun since mark_runs holds a record that matches the jq condition.
wait_for_record() { # SECONDS CONDITION
  local end=$((SECONDS + $1)) journal
  while [ "$SECONDS" -lt "$end" ]; do
    if [ "$(count_runs)" -gt "$runs_before" ]; then
      journal=$(run_folder)/journal.ndjson
      if [ -f "$journal" ] && jq -e -n "[inputs? | select($2)] | length > 0" "$journal" >/dev/null 2>&1; then return 0; fi
    fi
    sleep 0.01
  done
  fail "no record with $2 in the journal within $1 s"
}

# Starts an upgrade and kills the tool with SIGKILL the given time after it has entered the step.
kill_in_step() { # STEP SECONDS ARGUMENTS...
  local step=$1 delay=$2 tool journal
  shift 2
  mark_runs
  (cd "$stack" && exec "$MU_BINARY" "$@") >"$work/out" 2>"$work/err" </dev/null &
  tool=$!
  background+=("$tool")
  wait_for_record 120 ".type == \"intent\" and .step == \"$step\""
  sleep "$delay"
  kill -KILL "$tool" 2>/dev/null || fail "the run ended before it could be killed in $step"
  wait "$tool" 2>/dev/null || true
  journal=$(run_folder)/journal.ndjson
  note "killed $delay s after it entered $step, at record $(wc -l <"$journal") ($(tail -n 1 "$journal" | jq -r '.step + " " + .type' 2>/dev/null || echo torn))"
}

passed() { note "passed after $SECONDS s"; }
