# SPDX-License-Identifier: Apache-2.0
# Completion scripts and man page: made from the tables, so what they offer is what is there.

complete_in_bash() {
  bash --norc -c '
    source "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    compopt() { :; }
    _milvus_upgrade
    printf "%s\n" "${COMPREPLY[@]}"' - "$FOLDER/out" "$@"
}

test_bash_completes_commands_flags_and_values() {
  run completion bash
  expect_code 0
  bash -n "$FOLDER/out" || fail "not a bash script"
  [[ $(complete_in_bash milvus-upgrade comp) == $'compose\ncompletion' ]] || fail "commands"
  [[ $(complete_in_bash milvus-upgrade plan '') == $'compose\nrolling\n--help' ]] || fail "second words"
  [[ $(complete_in_bash milvus-upgrade plan compose --det) == --detailed-exitcode ]] || fail "flags"
  [[ -z $(complete_in_bash milvus-upgrade compose --det) ]] || fail "a flag of another command"
  [[ $(complete_in_bash milvus-upgrade compose --progress g) == github ]] || fail "values"
  [[ $(complete_in_bash milvus-upgrade completion z) == zsh ]] || fail "arguments"
  touch upgrade.plan
  [[ $(complete_in_bash milvus-upgrade apply up) == upgrade.plan ]] || fail "files"
}
test_zsh_script_parses() {
  run completion zsh
  expect_code 0
  expect_out '#compdef milvus-upgrade'
  command -v zsh >/dev/null || { echo "no zsh here"; return 0; }
  zsh -n "$FOLDER/out" || fail "not a zsh script"
}
test_fish_completes_commands_flags_and_values() {
  run completion fish
  expect_code 0
  expect_out 'complete -c milvus-upgrade'
  command -v fish >/dev/null || { echo "no fish here"; return 0; }
  complete_in_fish() { fish --no-config -c "source $FOLDER/out; complete -C '$1'" | cut -f1; }
  [[ $(complete_in_fish 'milvus-upgrade comp') == $'completion\ncompose' ]] || fail "commands"
  [[ $(complete_in_fish 'milvus-upgrade plan compose --det') == --detailed-exitcode ]] || fail "flags"
  [[ -z $(complete_in_fish 'milvus-upgrade compose --det') ]] || fail "a flag of another command"
  [[ $(complete_in_fish 'milvus-upgrade compose --progress g') == github ]] || fail "values"
}
test_other_shells_are_refused() {
  run completion tcsh
  expect_error 2 MU-101
  expect_err 'bash, zsh, fish'
}
test_man_page_is_roff_without_warnings() {
  run man
  expect_code 0
  expect_out '.SH EXIT STATUS'
  command -v groff >/dev/null || { echo "no groff here"; return 0; }
  local said
  said=$(groff -man -Tutf8 -ww "$FOLDER/out" 2>&1 >/dev/null)
  [[ -z $said ]] || fail "groff says: $said"
}
