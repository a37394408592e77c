# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The client (client/client.py) in an environment per pymilvus version. Sourced by `ground` after stack.sh.

client_python() { # VERSION: prints the interpreter
  local folder recipe=$GROUND_DIR/recipes/client
  case $1 in 2.1.*) recipe+=-2.1 ;; esac
  folder=$(cached_build "client-$1" "$(cache_key "$recipe" "$1")" "$recipe" "$1")
  printf '%s\n' "$folder/bin/python"
}

client_address() { # FOLDER|HOST[:PORT]: prints HOST:PORT of the proxy
  case $1 in
    */* | .) [ -d "$1" ] || usage_error "there is no folder $1" && printf '%s:19530\n' "$(stack_address "$1")" ;;
    *:*) printf '%s\n' "$1" ;;
    *) printf '%s:19530\n' "$1" ;;
  esac
}
