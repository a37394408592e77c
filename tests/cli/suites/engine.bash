# SPDX-License-Identifier: Apache-2.0
# A docker client that misbehaves: each ends in one clear error with the right exit code, nothing is
# touched, nothing hangs.

stack() {
  cp "$FAKES/docker" "$BIN/docker"
  cat >docker-compose.yml <<'Y'
services:
  standalone:
    image: milvusdb/milvus:v2.2.16
    command: ["milvus", "run", "standalone"]
    container_name: milvus-standalone
  etcd:
    image: quay.io/coreos/etcd:v3.5.0
    container_name: milvus-etcd
Y
  cp docker-compose.yml "$FOLDER/before.yml"
}
untouched() {
  cmp -s docker-compose.yml "$FOLDER/before.yml" || fail "the compose file has changed"
  [[ $(ls -A) == docker-compose.yml ]] || fail "something was written: $(ls -A)"
}

test_findings_come_all_at_once_and_nothing_is_touched() {
  stack
  CALLS=$FOLDER/calls run check compose --to 2.3.5
  expect_error 3 MU-170
  expect_out 'etcd'
  expect_out 'why: '
  expect_out 'fix: '
  ! grep -qE '^(pull|stop|start|kill|rm|update|create|run|compose .* (up|down|stop|create))' "$FOLDER/calls" ||
    fail "a check has acted: $(cat "$FOLDER/calls")"
  untouched
}
test_findings_are_json_on_failure_too() {
  stack
  run check compose --to 2.3.5 --output json
  expect_code 3
  expect_json 'j["exit_code"] == 3 and j["error"]["id"] == "MU-170" and j["errors"] >= 1 and all(f["id"] and f["message"] for f in j["findings"])'
}
test_unknown_check_name_is_refused() {
  stack
  run check compose --to 2.3.5 --skip-check no-such-check
  expect_code 2
  expect_err 'no-such-check'
}
test_refused_path_has_its_own_code() {
  stack
  run check compose --to 2.1.4
  expect_error 4 MU-171
  expect_out 'version-path'
  untouched
}
test_two_versions_in_one_project() {
  stack
  SECOND=milvusdb/milvus:v2.3.5 run check compose --to 2.3.5
  expect_error 3 MU-124
  expect_err '2.2.16: standalone'
  expect_err '2.3.5: proxy'
  untouched
}
test_images_that_tell_no_version() {
  stack
  for image in milvusdb/milvus:latest milvusdb/milvus milvusdb/milvus:master-20230110-0f9a8e12 \
      "milvusdb/milvus@sha256:$(printf 'c%.0s' {1..64})"; do
    sed -i "s|image: .*milvus.*|image: $image|" docker-compose.yml
    IMAGE=$image run check compose --to 2.3.5
    expect_error 2 MU-125
    expect_err "$image"
    expect_err '--from'
    # Told by hand, the rest is checked.
    IMAGE=$image run check compose --to 2.3.5 --from 2.2.16
    expect_error 3 MU-170
    cp "$FOLDER/before.yml" docker-compose.yml
  done
  untouched
}
test_tag_with_a_digest() {
  stack
  local image=milvusdb/milvus:v2.2.16@sha256:$(printf 'c%.0s' {1..64})
  sed -i "s|image: milvusdb.*|image: $image|" docker-compose.yml
  IMAGE=$image run check compose --to 2.3.5
  expect_error 3 MU-170
  expect_out 'image-digest'
}
test_target_that_is_far_ahead() {
  stack
  for to in 2.99.0 4.0.0 9.9.9; do
    run check compose --to $to
    expect_error 4 MU-171
    untouched
  done
  run versions 2.2.16 9.9.9
  expect_error 4 MU-171
}
test_file_that_may_not_be_written() {
  stack
  chmod 444 docker-compose.yml
  local as=()
  [[ $(id -u) != 0 ]] || as=(setpriv '--bounding-set=-dac_override,-dac_read_search')
  "${as[@]}" "$MU" check compose --to 2.3.5 >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
  expect_error 3 MU-170
  expect_out 'files-replaceable'
  chmod 644 docker-compose.yml
  chmod 555 .
  "${as[@]}" "$MU" check compose --to 2.3.5 >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
  chmod 755 .
  expect_error 3 MU-170
  expect_out 'files-replaceable'
  untouched
}
test_link_to_the_file_is_told() {
  stack
  mkdir "$FOLDER/real"
  mv docker-compose.yml "$FOLDER/real/file.yml"
  ln -s "$FOLDER/real/file.yml" docker-compose.yml
  run check compose --to 2.3.5
  expect_out 'file-links'
  expect_out "$FOLDER/real/file.yml"
}
test_same_version_is_never_a_change() {
  stack
  run plan compose --to 2.2.16 --detailed-exitcode
  [[ $CODE == 0 || $CODE == 3 ]] || fail "exit code $CODE"
  untouched
}
test_words_on_stderr_with_exit_0_change_nothing() {
  stack
  run check compose --to 2.3.5
  cp "$FOLDER/out" "$FOLDER/plain"
  for verb in info context ps inspect image compose-version compose-config; do
    FAULT=$verb:stderr run check compose --to 2.3.5
    expect_code 3
    cmp -s "$FOLDER/out" "$FOLDER/plain" || fail "$verb: the findings differ"
  done
}
test_no_docker_client() {
  stack
  rm "$BIN/docker"
  timeout 20 env PATH="$BIN" "$MU" check compose --to 2.3.5 >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
  expect_error 2 MU-140
  untouched
}
test_docker_that_cannot_be_executed() {
  stack
  echo 'no program' >"$BIN/docker"
  chmod -x "$BIN/docker"
  timeout 20 env PATH="$BIN" "$MU" check compose --to 2.3.5 >"$FOLDER/out" 2>"$FOLDER/err"
  CODE=$?
  [[ $CODE == 1 || $CODE == 2 ]] || fail "exit code $CODE"
  expect_err 'error: MU-1'
}
test_engine_down_is_try_later() {
  stack
  FAULT=info:down run check compose --to 2.3.5
  expect_error 75 MU-141
  FAULT=info:down run check compose --to 2.3.5 --output json
  expect_json 'j["exit_code"] == 75 and j["error"]["can_retry"]'
}
test_no_permission_on_the_socket() {
  stack
  FAULT=info:denied run check compose --to 2.3.5
  expect_error 2 MU-142
}
test_no_compose() {
  stack
  for kind in exit1 garbage empty; do
    FAULT=compose-version:$kind run check compose --to 2.3.5
    expect_error 2 MU-143
    untouched
  done
}
test_project_without_services() {
  stack
  FAULT=compose-config:noservices run check compose --to 2.3.5
  expect_error 2 MU-122
  untouched
}
test_file_that_compose_refuses() {
  stack
  FAULT=compose-config:refused run check compose --to 2.3.5
  expect_code 2
  expect_err 'error: MU-12'
  expect_err 'top-level object must be a mapping'
}
test_project_without_milvus() {
  stack
  FAULT=compose-config:nomilvus run check compose --to 2.3.5
  expect_error 2 MU-123
  expect_err 'busybox'
}
test_every_fault_of_every_verb_is_one_clear_error() {
  stack
  for verb in info ps inspect compose-config image; do
    for kind in exit1 exit137 killed garbage truncated nonutf8; do
      FAULT=$verb:$kind run check compose --to 2.3.5
      # A verb whose answer becomes a finding ends with 3, the others with an error of their own.
      case $CODE in
        1 | 2 | 3 | 75) ;;
        *) fail "$verb:$kind ends with $CODE" ;;
      esac
      expect_err 'error: MU-'
      expect_no_err 'MU-100'
      FAULT=$verb:$kind run check compose --to 2.3.5 --output json
      expect_json 'j["exit_code"] not in (0, 130) and j["error"]["message"] and j["error"]["hint"]'
      untouched
    done
  done
}
test_registry_that_could_not_be_asked_is_no_missing_image() {
  stack
  local kind
  for kind in exit137 killed; do
    ABSENT=milvusdb/milvus:v2.3.5 FAULT=manifest:$kind run check compose --to 2.3.5
    expect_out 'milvusdb/milvus:v2.3.5 is not on the engine yet'
    ! grep -qF 'in its registry' "$FOLDER/out" || fail "$kind is told as a missing image"
  done
  ABSENT=milvusdb/milvus:v2.3.5 FAULT=manifest:exit1 run check compose --to 2.3.5
  expect_out 'milvusdb/milvus:v2.3.5 is not found in its registry: something broke'
  ABSENT=milvusdb/milvus:v2.3.5 run check compose --to 2.3.5
  expect_out 'milvusdb/milvus:v2.3.5 is not on the engine yet'
  untouched
}
test_too_much_output_is_an_error() {
  stack
  FAULT=info:huge run check compose --to 2.3.5
  expect_error 1 MU-133
  untouched
}
test_hanging_client_ends_at_its_timeout() {
  stack
  local start=$SECONDS
  FAULT=info:hang run check compose --to 2.3.5
  expect_error 1 MU-132
  ((SECONDS - start < 95)) || fail "it took $((SECONDS - start)) s"
  untouched
}
test_interrupt_while_a_child_runs_ends_at_once() {
  stack
  # A shell starts what is in the background with SIGINT ignored.
  FAULT=info:hang env --default-signal=INT "$MU" check compose --to 2.3.5 >"$FOLDER/out" 2>"$FOLDER/err" &
  local pid=$! start=$SECONDS
  sleep 1
  kill -INT "$pid"
  sleep 0.3
  kill -INT "$pid" 2>/dev/null
  wait "$pid"
  CODE=$?
  [[ $CODE == 130 ]] || fail "exit code $CODE"
  ((SECONDS - start < 15)) || fail "it took $((SECONDS - start)) s"
}
