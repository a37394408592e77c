# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A registry on 127.0.0.1:PORT, a process of its own, for pulls, digests and logins. Sourced by `ground` after the others.
# Several ports, several registries; the data of each goes with its stop. Engines take loopback registries without TLS.

registry_use() { # PORT
  [[ $1 =~ ^[0-9]{4,5}$ ]] || usage_error "--port takes a port number, not '$1'"
  registry_address=127.0.0.1:$1
  registry_run=$GROUND_RUN/registry-$1
}

registry_pid() {
  local pid
  pid=$(cat "$registry_run/pid" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$registry_run/config.yml" || return 1
  printf '%s\n' "$pid"
}

# Any HTTP answer will do: with a password it is 401.
registry_answers() { curl -s --max-time 2 -o /dev/null "http://$registry_address/v2/"; }

registry_start() { # [USER:PASSWORD]
  local login=$1
  need_root "ground registry start"
  need_command docker-registry ground
  if registry_pid >/dev/null; then
    die "a registry runs on $registry_address already; stop it first: tests/ground/ground registry stop"
  fi
  ! registry_answers || die "$registry_address is taken by something else; choose another with --port"
  mkdir -p "$registry_run/data"
  chmod 700 "$registry_run"
  {
    printf 'version: 0.1\nlog:\n  level: warn\nhttp:\n  addr: %s\n' "$registry_address"
    printf 'storage:\n  filesystem:\n    rootdirectory: %s\n  delete:\n    enabled: true\n' "$registry_run/data"
    [ -z "$login" ] || printf 'auth:\n  htpasswd:\n    realm: ground\n    path: %s\n' "$registry_run/htpasswd"
  } >"$registry_run/config.yml"
  if [ -n "$login" ]; then
    [[ $login == ?*:?* ]] || usage_error "--auth takes USER:PASSWORD"
    need_command htpasswd ground
    htpasswd -iBc "$registry_run/htpasswd" "${login%%:*}" <<<"${login#*:}" 2>/dev/null
    printf '%s' "$login" >"$registry_run/login"
    chmod 600 "$registry_run/login"
  fi
  # The inner shell notes its pid and becomes the registry.
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid --fork bash -c 'echo $$ >"$1/pid"; exec docker-registry serve "$1/config.yml"' registry "$registry_run" \
    </dev/null >"$registry_run/log" 2>&1
  wait_for 10 "registry on $registry_address" registry_answers
  printf '%s\n' "$registry_address"
}

registry_is_gone() { ! registry_pid >/dev/null; }

registry_stop() {
  local pid
  if pid=$(registry_pid); then
    kill -TERM "$pid"
    wait_for 10 "end of the registry on $registry_address" registry_is_gone
  fi
  rm -rf "$registry_run"
}

# Prints NAME:TAG and NAME@DIGEST as the registry has it. The login is made in a client configuration that is thrown away:
# a test of a missing login must not find one.
registry_push() { # REFERENCE
  registry_pid >/dev/null || die "no registry runs on $registry_address; start one: tests/ground/ground registry start"
  local path=${1#*/} target digest config
  case $1 in */*/* | *.*/* | *:*/*) ;; *) path=$1 ;; esac
  target=$registry_address/$path
  docker image inspect "$1" >/dev/null 2>&1 || images_ensure "$1"
  docker tag "$1" "$target"
  config=$(mktemp -d)
  if [ -e "$registry_run/login" ]; then
    local login
    login=$(cat "$registry_run/login")
    printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$registry_address" "$(printf '%s' "$login" | base64 -w0)" >"$config/config.json"
  fi
  if ! digest=$(docker --config "$config" push "$target" | sed -nE 's/.* digest: (sha256:[0-9a-f]+) .*/\1/p') || [ -z "$digest" ]; then
    rm -rf "$config"
    die "could not push $target"
  fi
  rm -rf "$config"
  printf '%s\n%s@%s\n' "$target" "${target%:*}" "$digest"
}
