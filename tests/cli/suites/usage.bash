# SPDX-License-Identifier: Apache-2.0
# What needs no engine: help, version, flags, configuration, streams.

test_help_puts_examples_first() {
  run --help
  expect_code 0
  head -n 3 "$FOLDER/out" | grep -q '^Examples' || fail "the examples are not first"
  expect_out 'Exit codes'
  [[ ! -s $FOLDER/err ]] || fail "stderr is not empty"
}
test_help_of_every_command_names_its_usage() {
  for command in compose 'check compose' 'plan compose' apply resume status history report versions completion man; do
    run $command --help
    expect_code 0
    expect_out "milvus-upgrade $command"
    run help $command
    expect_code 0
    expect_out "milvus-upgrade $command"
  done
}
test_help_wins_over_everything_else() {
  run compose --nonsense --help
  expect_code 0
}
test_version_is_one_line() {
  run --version
  expect_code 0
  [[ $(wc -l <"$FOLDER/out") == 1 ]] || fail "more than one line"
  grep -qE '^milvus-upgrade [0-9]+\.[0-9]+\.[0-9]+$' "$FOLDER/out" || fail "not a version"
  run --version --output json
  expect_json '"version" in j and j["exit_code"] == 0'
}
test_no_command_is_a_usage_error() {
  run
  expect_error 2 MU-101
  expect_err 'no command is given'
}
test_unknown_command_names_the_nearest() {
  run compsoe
  expect_error 2 MU-101
  expect_err 'there is no command "compsoe"'
  expect_err 'did you mean compose?'
}
test_unknown_second_word() {
  run check compsoe
  expect_error 2 MU-101
  expect_err 'there is no command "check compsoe"'
  run check
  expect_error 2 MU-101
  expect_err 'milvus-upgrade check compose'
}
test_unknown_flag_names_the_nearest_and_runs_nothing() {
  run compose --tmeout 5m --to 2.3.5
  expect_error 2 MU-101
  expect_err 'compose has no flag --tmeout'
  expect_err 'did you mean --timeout?'
  [[ -z $(ls -A) ]] || fail "the folder is not empty"
}
test_flag_of_another_command() {
  run history --to 2.3.5
  expect_error 2 MU-101
  expect_err 'history does not take --to'
}
test_flag_without_value() {
  run compose --to
  expect_error 2 MU-101
  expect_err '--to needs a value'
}
test_flag_given_twice() {
  run compose --to 2.3.5 --to 2.3.4
  expect_error 2 MU-101
  expect_err '--to is given 2 times'
}
test_target_is_required() {
  for command in compose 'plan compose' 'check compose'; do
    run $command
    expect_error 2 MU-101
    expect_err "$command needs --to VERSION"
  done
}
test_unparsable_target() {
  for to in latest 2.3 '' v2 2.3.5.1 $'2.3.5\n'; do
    run compose --to "$to" --yes
    expect_code 2
    expect_err 'error: MU-1'
  done
}
test_durations_need_units() {
  run compose --to 2.3.5 --timeout 10
  expect_error 2 MU-101
  expect_err '--timeout: "10" is not a duration: the unit is missing'
  run compose --to 2.3.5 --stop-timeout soon
  expect_error 2 MU-101
  expect_err '--stop-timeout'
}
test_commands_are_split_without_a_shell() {
  run compose --to 2.3.5 --yes --verify-cmd 'curl x | grep y'
  expect_error 2 MU-101
  expect_err '| means something to a shell at column 8'
  expect_err 'sh -c'
}
test_too_many_and_too_few_arguments() {
  run apply
  expect_error 2 MU-101
  expect_err 'apply needs FILE'
  run versions 2.2.16
  expect_err 'versions needs TO'
  run history x
  expect_error 2 MU-101
  expect_err 'history does not take the argument "x"'
}
test_a_file_may_have_the_name_of_a_command() {
  echo '{' >compose
  run apply compose --yes
  expect_error 2 MU-181
  run apply --yes -- plan
  expect_error 2 MU-110
}
test_flags_stand_before_and_after_the_command() {
  run --output json versions 2.2.16 2.3.5
  expect_json 'j["command"] == "versions" and len(j["hops"]) == 1'
  run versions 2.2.16 --output=json 2.3.5
  expect_json 'j["hops"][0]["to"] == "2.3.5"'
}
test_usage_errors_are_json_where_json_is_asked() {
  run compose --nonsense --output json
  expect_code 2
  expect_json 'j["exit_code"] == 2 and j["error"]["id"] == "MU-101" and j["error"]["hint"]'
  [[ ! -s $FOLDER/err ]] || fail "stderr is not empty"
  MILVUS_UPGRADE_OUTPUT=json run nonsense
  expect_json 'j["exit_code"] == 2'
}
test_versions_tells_the_rule_of_each_hop() {
  run versions 2.2.16 2.3.5
  expect_code 0
  expect_out '2.2.16 -> 2.3.5'
  grep -qE '\(R[0-9]+\)' "$FOLDER/out" || fail "no rule id"
  run versions 2.3.5 2.3.5
  expect_code 0
  expect_out 'nothing to do'
}
test_versions_refuses_a_downgrade_with_exit_4() {
  run versions 2.3.5 2.2.16
  expect_error 4 MU-171
}
test_versions_wants_versions() {
  run versions latest 2.3.5
  expect_code 2
  run versions 2.2.16 2.3.5 --platform docker
  expect_error 2 MU-101
  expect_err 'standalone, cluster, kubernetes'
}
test_no_tty_without_yes_is_an_error_at_once() {
  fake docker <<'F'
touch "$HOME/docker-was-called"
F
  run compose --to 2.3.5
  expect_error 2 MU-102
  [[ ! -e $HOME/docker-was-called ]] || fail "the engine was asked before"
  run apply some.plan
  expect_error 2 MU-102
}
test_configuration_file_is_read_and_judged() {
  printf 'output: json\n' >.milvus-upgrade.yaml
  run versions 2.2.16 2.3.5
  expect_json 'j["command"] == "versions"'
  printf 'outptu: json\n' >.milvus-upgrade.yaml
  run versions 2.2.16 2.3.5
  expect_error 2 MU-120
  expect_err '.milvus-upgrade.yaml:1: outptu: there is no such key'
  expect_err 'did you mean output?'
  printf 'a: [\n' >.milvus-upgrade.yaml
  run versions 2.2.16 2.3.5
  expect_error 2 MU-121
}
test_configuration_precedence() {
  mkdir -p "$HOME/.config/milvus-upgrade"
  printf 'output: json\n' >"$HOME/.config/milvus-upgrade/config.yaml"
  run versions 2.2.16 2.3.5
  expect_json 'True'
  MILVUS_UPGRADE_OUTPUT=text run versions 2.2.16 2.3.5
  expect_out '2.2.16 -> 2.3.5'
  MILVUS_UPGRADE_OUTPUT=text run versions 2.2.16 2.3.5 -o json
  expect_json 'True'
  printf 'output: text\n' >here.yaml
  run versions 2.2.16 2.3.5 --config here.yaml
  expect_out '2.2.16 -> 2.3.5'
  run versions 2.2.16 2.3.5 --config none.yaml
  expect_error 2 MU-110
}
test_unknown_variable_is_a_warning() {
  MILVUS_UPGRADE_OUTPT=json run versions 2.2.16 2.3.5
  expect_code 0
  expect_err 'MILVUS_UPGRADE_OUTPT is not used; did you mean MILVUS_UPGRADE_OUTPUT?'
}
test_stdout_closed_is_an_error() {
  for command in 'versions 2.2.16 2.3.5' --version --help 'versions --help' 'versions 2.2.16 2.3.5 -o json'; do
    timeout 20 "$MU" $command >&- 2>"$FOLDER/err"
    CODE=$?
    expect_error 1 MU-111
    expect_err 'the result cannot be written: Bad file descriptor'
  done
  timeout 20 "$MU" versions 2.3.5 2.2.16 >&- 2>"$FOLDER/err"
  CODE=$?
  expect_error 4 MU-171
}
test_stderr_and_stdin_closed_do_not_end_it() {
  timeout 20 "$MU" versions 2.2.16 2.3.5 >"$FOLDER/out" 2>&- <&-
  CODE=$?
  expect_code 0
  expect_out '2.2.16 -> 2.3.5'
}
test_reader_that_went_away_does_not_end_it() {
  timeout 20 "$MU" man | head -n 1 >"$FOLDER/out"
  CODE=${PIPESTATUS[0]}
  expect_code 0
}
test_full_disk_under_a_result_is_told() {
  [[ -w /dev/full ]] || exit 0
  for command in 'versions 2.2.16 2.3.5' --version --help; do
    timeout 20 "$MU" $command >/dev/full 2>"$FOLDER/err"
    CODE=$?
    expect_code 1
    expect_err 'the result cannot be written: No space left on device'
  done
}
test_colours_only_on_a_terminal_that_wants_them() {
  run_on_tty --help
  grep -q $'\x1b\\[1m' "$FOLDER/out" || fail "no colour on a terminal"
  NO_COLOR=1 run_on_tty --help
  ! grep -q $'\x1b' "$FOLDER/out" || fail "colour in spite of NO_COLOR"
  TERM=dumb run_on_tty --help
  ! grep -q $'\x1b' "$FOLDER/out" || fail "colour in spite of TERM=dumb"
  run --help
  ! grep -q $'\x1b' "$FOLDER/out" || fail "colour in a file"
}

test_sample_configuration_is_taken() {
  run history --config "$(dirname "${BASH_SOURCE[0]}")/../../../configs/milvus-upgrade.yaml" --state-dir "$PWD/none"
  expect_code 0
}
