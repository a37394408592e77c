# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Milvus stacks of stacks/NAME in a folder of the caller's. Sourced by `ground` after the other parts.

compose_of() { # v1|v2: sets the array compose
  case $1 in
    v1) need_command docker-compose ground && compose=(/usr/bin/docker-compose) ;;
    v2) compose=(docker compose) ;;
    *) usage_error "--compose takes v1 or v2, not '$1'" ;;
  esac
}

# Prints the generation that made the running containers of the folder; nothing where there are none.
stack_generation() { # FOLDER
  local version
  version=$(docker ps -a --filter "label=com.docker.compose.project.working_dir=$(realpath "$1")" \
    --format '{{.Label "com.docker.compose.version"}}' | head -n 1)
  case $version in '') ;; 1.*) echo v1 ;; *) echo v2 ;; esac
}

stack_address() { # FOLDER: prints the loopback address that its ports are published to
  local address
  address=$(sed -n 's/^GROUND_ADDRESS=//p' "$1/.env" 2>/dev/null || true)
  printf '%s\n' "${address:-127.0.0.1}"
}

# A server says 200 for 10 to 25 ms at its very start, before its components are registered (2.2.16: seen in three of four
# starts): one 200 is no answer, three with pauses are.
stack_answers() { # FOLDER
  local address
  address=$(stack_address "$1")
  for _ in 1 2 3; do
    engine_in_net curl -sf --max-time 2 "http://$address:9091/healthz" || return 1
    sleep 0.2
  done
}

# A stack of someone else's with our container names or ports is never touched: said before anything is made.
stack_refuse_foreign() { # FOLDER
  local folder=$1 name owner port address
  for name in $(sed -nE 's/^ *container_name: *//p' "$folder/docker-compose.yml"); do
    owner=$(docker container inspect --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' "$name" 2>/dev/null) || continue
    [ "$owner" = "$(realpath "$folder")" ] ||
      die "this engine has a container called $name already, of ${owner:-no compose project}: it is left alone, and this stack cannot start beside it"
  done
  [ -z "$engine_remote" ] && [ -z "$(stack_generation "$folder")" ] || return 0
  address=$(stack_address "$folder")
  for port in 19530 9091; do
    if (: >"/dev/tcp/$address/$port") 2>/dev/null; then
      die "something listens on $address:$port already: stop it, or give this stack another loopback address with --address"
    fi
  done
}

stack_up() { # NAME FOLDER GENERATION TAG ADDRESS
  local name=$1 folder=$2 generation=$3 tag=$4 address=$5 compose started=$SECONDS reference references
  [ -f "$GROUND_DIR/stacks/$name/docker-compose.yml" ] ||
    usage_error "no stack is called '$name'; there are: $(cd "$GROUND_DIR/stacks" && echo *)"
  mkdir -p "$folder"
  if [ ! -e "$folder/docker-compose.yml" ]; then
    cp -R "$GROUND_DIR/stacks/$name/." "$folder/"
    [ -z "$tag" ] || sed -i -E "s|(image: *ground\.local/milvusdb/milvus:).*|\1$tag|" "$folder/docker-compose.yml"
    [ -z "$address" ] || printf 'GROUND_ADDRESS=%s\n' "$address" >"$folder/.env"
  fi
  stack_refuse_foreign "$folder"
  mapfile -t references < <(sed -nE '/\$/d; s/^ *image: *//p' "$folder/docker-compose.yml" | sort -u)
  for reference in "${references[@]}"; do
    docker image inspect "$reference" >/dev/null 2>&1 || images_ensure "$reference"
  done
  compose_of "$generation"
  (cd "$folder" && "${compose[@]}" up -d >&2)
  wait_for 180 "/healthz of the stack in $folder" stack_answers "$folder"
  say "stack $name is up in $folder after $((SECONDS - started)) s"
}

stack_down() { # FOLDER [EXTRA ARGUMENTS]
  local folder=$1 generation compose
  [ -e "$folder/docker-compose.yml" ] || return 0
  generation=$(stack_generation "$folder")
  compose_of "${generation:-v2}"
  (cd "$folder" && "${compose[@]}" down --remove-orphans --timeout 0 >&2)
}

stack_wipe() { # FOLDER
  stack_down "$1"
  engine_in_host rm -rf "$(realpath "$1")/volumes"
}
