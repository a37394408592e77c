# SPDX-License-Identifier: Apache-2.0
# Bad compose files, plans, state folders: what needs no engine, each with its message.

check() { run check compose --to 2.3.5 "$@"; }
bare() { # a docker client that must not be asked before the files are read
  fake docker <<'F'
echo "asked too early" >&2
exit 1
F
}

test_no_compose_file() {
  bare
  check
  expect_error 2 MU-120
  expect_err 'compose'
}
test_compose_file_that_is_not_there() {
  bare
  check -f none.yml
  expect_error 2 MU-110
  expect_err 'none.yml'
}
test_folder_instead_of_a_file() {
  bare
  mkdir folder.yml
  check -f folder.yml
  expect_error 2 MU-110
  expect_err 'folder.yml'
}
# As `run`, without root's right to pass over permissions.
run_bound() {
  local as=()
  [[ $(id -u) != 0 ]] || as=(setpriv '--bounding-set=-dac_override,-dac_read_search')
  timeout -k 5 100 "${as[@]}" "$MU" "$@" >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
}
test_file_that_may_not_be_read() {
  bare
  printf 'services:\n  a: {image: b}\n' >docker-compose.yml
  chmod 000 docker-compose.yml
  run_bound check compose --to 2.3.5
  expect_error 2 MU-110
  expect_err 'docker-compose.yml'
  expect_err 'Permission denied'
}
test_folder_that_may_not_be_read() {
  bare
  mkdir closed
  printf 'services:\n  a: {image: b}\n' >closed/docker-compose.yml
  chmod 000 closed
  run_bound check compose --to 2.3.5 -f closed/docker-compose.yml
  expect_error 2 MU-110
  expect_err 'closed/docker-compose.yml'
}
test_folder_of_the_default_name() {
  bare
  mkdir docker-compose.yml
  check
  expect_error 2 MU-120
}
test_top_level_that_is_no_map() {
  bare
  for text in '- a\n- b\n' 'just words\n' '42\n' '"services:"\n'; do
    printf -- "$text" >docker-compose.yml
    check
    expect_error 2 MU-121
    grep -qE 'docker-compose.yml:1' "$FOLDER/err" || fail "no file:line"
  done
}
test_no_services() {
  bare
  for text in '' '\n\n' '# only words\n' 'version: "3.5"\n' 'services:\n' 'services: {}\n' 'standalone:\n  image: milvusdb/milvus:v2.2.16\n'; do
    printf -- "$text" >docker-compose.yml
    check
    expect_error 2 MU-122
    expect_err 'docker-compose.yml'
  done
}
test_duplicate_keys() {
  bare
  printf 'services:\n  a:\n    image: b:1\n    image: b:2\n' >docker-compose.yml
  check
  expect_error 2 MU-121
  expect_err 'docker-compose.yml:4'
  expect_err '"image" is written twice, first in line 3'
}
test_five_megabytes() {
  bare
  { echo 'services:'; yes '  # a comment that fills the file' | head -c $((5 << 20)); } >docker-compose.yml
  check
  expect_error 2 MU-121
  expect_err 'are too many for a compose file'
  local start=$SECONDS
  { echo 'services:'; for i in {1..2000}; do echo "  s$i: {image: b}"; done; } >docker-compose.yml
  check
  expect_error 1 MU-131
  expect_err 'docker info: asked too early'
  ((SECONDS - start < 20)) || fail "it took $((SECONDS - start)) s"
}
test_not_yaml_names_the_line() {
  bare
  printf 'services:\n  standalone:\n    image: [\n' >docker-compose.yml
  check
  expect_error 2 MU-121
  grep -qE 'docker-compose.yml:[0-9]+' "$FOLDER/err" || fail "no file:line"
}
test_tabs() {
  bare
  printf 'services:\n\tstandalone:\n\t\timage: milvusdb/milvus:v2.2.16\n' >docker-compose.yml
  check
  expect_error 2 MU-121
  grep -qE 'docker-compose.yml:[0-9]+' "$FOLDER/err" || fail "no file:line"
}
test_binary_file() {
  bare
  head -c 4096 /dev/urandom >docker-compose.yml
  check
  expect_error 2 MU-121
  expect_err 'docker-compose.yml'
}
test_damaged_and_foreign_plans() {
  printf '' >empty.plan
  printf 'not a plan' >text.plan
  printf '{"format": 1}' >short.plan
  printf '{"format": 999}' >newer.plan
  head -c 3000 /dev/urandom >binary.plan
  for plan in empty text short newer binary; do
    run apply $plan.plan --yes
    expect_error 2 MU-181
    expect_err "$plan.plan"
  done
  run apply none.plan --yes
  expect_error 2 MU-110
  run apply . --yes
  expect_error 2 MU-110
}
test_no_runs() {
  echo 'services: {}' >docker-compose.yml
  run history
  expect_code 0
  expect_out 'no runs'
  run history --output json
  expect_json 'j["runs"] == []'
  for command in status report resume; do
    run $command
    expect_error 2 MU-185
  done
  [[ $(ls -A) == docker-compose.yml ]] || fail "something was made: $(ls -A)"
  for command in status report resume; do
    run $command 2026 --state-dir nowhere
    expect_error 2 MU-185
    [[ ! -e nowhere ]] || fail "$command has made the state folder"
  done
}
test_history_without_a_stack() {
  run history
  expect_error 2 MU-120
  mkdir .milvus-upgrade
  run history
  expect_code 0
}
test_a_held_lock_is_exit_5() {
  command -v flock >/dev/null || exit 0
  mkdir -p runs/20261125-120000-ab12
  echo '{}' >runs/20261125-120000-ab12/plan.json
  exec 9>runs/lock
  flock -n 9 || fail "no lock"
  echo 'pid 1 on elsewhere' >&9
  run resume --state-dir runs
  expect_error 5 MU-182
  run resume --state-dir runs --output json
  expect_json 'j["exit_code"] == 5'
}
test_state_folder_that_is_a_file() {
  echo 'a file' >runs
  run resume --state-dir runs
  [[ $CODE == 1 || $CODE == 2 ]] || fail "exit code $CODE"
  expect_err 'runs'
}
test_damaged_run_is_listed_not_hidden() {
  mkdir -p runs/20261125-120000-ab12
  echo 'not a plan' >runs/20261125-120000-ab12/plan.json
  run history --state-dir runs
  expect_code 0
  expect_out damaged
  run report --state-dir runs
  expect_out damaged
}
