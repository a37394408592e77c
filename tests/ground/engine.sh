# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Docker Engine of our own: start, stop, kill, restart, status. Sourced by `ground` after lib.sh.
# It owns $GROUND_RUN/NAME (socket, pid file, log, client configuration), $GROUND_CACHE/engine/NAME (image store) and
# the bridge mug-<octet>; it never speaks to, signals or reconfigures an engine that it did not start. So it runs with
# --iptables=false: a second engine would rewrite the chains of the first. Ports published on 127.0.0.1 do not need
# them (docker-proxy serves loopback either way), nor do containers on one bridge, nor the DNS inside a container.

engine_use() { # NAME: sets the paths of that engine
  engine_name=$1
  [[ $engine_name =~ ^[a-z0-9]{1,12}$ ]] || usage_error "an engine's name is 1 to 12 of a-z and 0-9, not '$engine_name'"
  engine_run=$GROUND_RUN/$engine_name
  engine_data=$GROUND_CACHE/engine/$engine_name
  engine_socket=$engine_run/docker.sock
  engine_octet=$(engine_octet_of "$engine_name")
  engine_bridge=mug-$engine_octet
  engine_host=unix://$engine_socket
  engine_tls=
  engine_net=mug-$engine_name
  engine_remote=
  if [ -e "$engine_run/remote" ]; then engine_use_remote; fi
}

# One /16 of 10.x for each name; `default` has a fixed one so that addresses in logs are familiar.
engine_octet_of() { # NAME
  if [ "$1" = default ]; then printf '213\n'; else printf '%s\n' $((214 + $(printf %s "$1" | cksum | cut -d' ' -f1) % 40)); fi
}

# Two names can have the same addresses; then the stop of one would take the bridge of the other.
engine_has_its_addresses_alone() {
  local other
  for other in "$GROUND_RUN"/*/docker.pid; do
    other=$(basename "$(dirname "$other")")
    if [ "$other" = "$engine_name" ] || [ "$(engine_octet_of "$other")" != "$engine_octet" ]; then continue; fi
    ! (engine_use "$other" && engine_pid >/dev/null) || die "engine $other runs with the addresses of $engine_name; stop it or take another --name"
  done
}

# A remote-like engine: its network and its files are not ours; we reach it by TLS over a virtual cable.
engine_use_remote() {
  engine_remote=yes
  engine_tls=$engine_run/tls
  engine_host=tcp://10.$engine_octet.255.2:2376
}

engine_pid() { # prints the pid of the running dockerd of this engine, else fails
  local pid
  pid=$(cat "$engine_run/docker.pid" 2>/dev/null) || return 1
  # A pid file outlives its process: the command line tells whether this is the one.
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "--pidfile $engine_run/docker.pid" || return 1
  printf '%s\n' "$pid"
}

engine_answers() {
  curl -sf --max-time 2 --unix-socket "$engine_socket" http://engine/_ping
}

engine_is_ready() {
  engine_pid >/dev/null && engine_answers >/dev/null
}

engine_environment() { # exports what a docker client needs to reach this engine
  export DOCKER_HOST=$engine_host DOCKER_CONFIG=$engine_run/config
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
  [ -z "$engine_tls" ] || export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$engine_tls
}

# Runs a command in the network (and for files: mount) namespace of a remote-like engine; in ours for a local one.
engine_in_net() { if [ -n "$engine_remote" ]; then nsenter --net="/run/netns/$engine_net" "$@"; else "$@"; fi; }
engine_in_host() { if [ -n "$engine_remote" ]; then nsenter --target "$(engine_pid)" --mount --net "$@"; else "$@"; fi; }

engine_start() { # [--remote-like]
  case ${1:-} in '' | --remote-like) ;; *) usage_error "engine start does not know '$1'" ;; esac
  need_root "ground engine start"
  need_command dockerd ground
  need_command iptables ground # the DNS inside containers is wired with it
  if engine_is_ready; then
    [ -n "$engine_remote" ] || [ -z "${1:-}" ] || die "engine $engine_name runs as a local one; stop it or take another --name"
    say "engine $engine_name is already running"
    return
  fi
  engine_has_its_addresses_alone
  [ -z "${1:-}" ] || engine_use_remote
  mkdir -p "$engine_run/config/cli-plugins" "$engine_data"
  chmod 700 "$engine_run"
  local compose
  compose=$(cached_build compose-v2 "$(cache_key "$GROUND_DIR/recipes/compose-v2")" "$GROUND_DIR/recipes/compose-v2")
  ln -sfn "$compose/docker-compose" "$engine_run/config/cli-plugins/docker-compose"

  if [ -n "$engine_remote" ]; then engine_prepare_remote; fi
  if ! engine_in_net ip link show "$engine_bridge" >/dev/null 2>&1; then
    engine_in_net ip link add "$engine_bridge" type bridge
    engine_in_net ip address add "10.$engine_octet.0.1/24" dev "$engine_bridge"
    engine_in_net ip link set "$engine_bridge" up
  fi
  engine_allow_forwarding
  engine_launch
  say "engine $engine_name is up: $engine_host"
}

engine_prepare_remote() {
  need_command openssl ground
  touch "$engine_run/remote"
  if [ ! -e "/run/netns/$engine_net" ]; then
    ip netns add "$engine_net"
    ip link add "mugv-$engine_octet" type veth peer name uplink netns "$engine_net"
    ip address add "10.$engine_octet.255.1/30" dev "mugv-$engine_octet"
    ip link set "mugv-$engine_octet" up
    engine_in_net ip address add "10.$engine_octet.255.2/30" dev uplink
    engine_in_net ip link set uplink up
    engine_in_net ip link set lo up
  fi
  [ ! -e "$engine_tls/cert.pem" ] || return 0
  mkdir -p "$engine_tls"
  engine_certificate ca "/CN=ground ca" "basicConstraints=critical,CA:TRUE"
  engine_certificate server "/CN=ground engine" "subjectAltName=IP:10.$engine_octet.255.2"
  # The names that the docker client looks for in DOCKER_CERT_PATH: ca.pem, cert.pem, key.pem.
  engine_certificate cert "/CN=ground client" "extendedKeyUsage=clientAuth"
  mv "$engine_tls/cert-key.pem" "$engine_tls/key.pem"
}

engine_certificate() { # NAME SUBJECT EXTENSION: NAME.pem and NAME-key.pem; the first one, ca, signs the others
  local signer=()
  [ "$1" = ca ] || signer=(-CA "$engine_tls/ca.pem" -CAkey "$engine_tls/ca-key.pem")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "$2" -addext "$3" \
    "${signer[@]}" -keyout "$engine_tls/$1-key.pem" -out "$engine_tls/$1.pem" 2>/dev/null
}

# Another engine on this machine may have set the policy of forwarded packets to DROP, which can cut our containers off
# from each other. One rule of our own, about our own addresses only, keeps them together.
engine_forward_rule() {
  printf '%s\n' FORWARD -s "10.$engine_octet.0.0/16" -d "10.$engine_octet.0.0/16" -m comment --comment milvus-upgrade-ground -j ACCEPT
}

engine_allow_forwarding() {
  local rule
  [ -z "$engine_remote" ] || return 0
  mapfile -t rule < <(engine_forward_rule)
  if iptables -S FORWARD 2>/dev/null | grep -q -- '-P FORWARD DROP' && ! iptables -C "${rule[@]}" 2>/dev/null; then
    iptables -I "${rule[@]}"
  fi
}

engine_launch() {
  rm -f "$engine_run/docker.pid"
  # A killed dockerd takes its containerd along. Where PID 1 is slow to reap, the dead one still answers to its pid, and
  # the new dockerd would wait for it instead of starting its own.
  local daemon_pid
  daemon_pid=$(cat "$engine_run/exec/containerd/containerd.pid" 2>/dev/null || true)
  if [ -n "$daemon_pid" ] && ! tr '\0' ' ' 2>/dev/null <"/proc/$daemon_pid/cmdline" | grep -qF -- "--config $engine_run/exec/"; then
    rm -f "$engine_run/exec/containerd/containerd.pid"
  fi
  local data=$engine_data around=() listen=(--host "unix://$engine_socket")
  if [ -n "$engine_remote" ]; then
    data=$engine_run/data
    around=(nsenter --net="/run/netns/$engine_net" unshare --mount --uts --propagation private
      "$GROUND_DIR/remote-host" "$engine_data" "$data" "$(dirname "$GROUND_DIR")")
    listen+=(--host "$engine_host" --tlsverify --tlscacert "$engine_tls/ca.pem"
      --tlscert "$engine_tls/server.pem" --tlskey "$engine_tls/server-key.pem")
  fi
  # Its own session and no descriptor of ours: whoever started the script can wait for the script alone.
  setsid --fork "${around[@]}" dockerd --data-root "$data" --exec-root "$engine_run/exec" --pidfile "$engine_run/docker.pid" \
    "${listen[@]}" --bridge "$engine_bridge" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    --default-address-pool "base=10.$engine_octet.16.0/20,size=24" --log-level warn \
    </dev/null >>"$engine_run/dockerd.log" 2>&1
  local end=$((SECONDS + 60))
  until engine_is_ready; do
    if [ "$SECONDS" -ge "$end" ] || { [ "$SECONDS" -gt $((end - 57)) ] && ! engine_pid >/dev/null; }; then
      tail -n 15 "$engine_run/dockerd.log" >&2
      die "engine $engine_name did not start; its log is $engine_run/dockerd.log"
    fi
    sleep 0.1
  done
}

engine_is_gone() { ! engine_pid >/dev/null; }

engine_stop() {
  local pid
  if pid=$(engine_pid); then
    kill -TERM "$pid"
    wait_for 60 "end of engine $engine_name" engine_is_gone
  fi
  engine_clear
}

# What an engine that was killed leaves: shims with their containers, mounts, the bridge. All is told by our own paths.
engine_clear() {
  local pid shim
  for shim in $(pgrep -f "containerd-shim.* -address $engine_run/exec/" || true); do
    for pid in $(pgrep -P "$shim" || true); do kill -KILL "$pid" 2>/dev/null || true; done
    kill -KILL "$shim" 2>/dev/null || true
  done
  for pid in $(pgrep -f "containerd --config $engine_run/exec/" || true) $(pgrep -f "docker-proxy .* -container-ip 10\.$engine_octet\." || true); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  { grep -oE " ($engine_run|$engine_data)(/[^ ]*)? " /proc/self/mounts || true; } | sort -r | while read -r mount _; do
    umount -l "$mount" 2>/dev/null || true
  done
  local rule link
  mapfile -t rule < <(engine_forward_rule)
  iptables -D "${rule[@]}" 2>/dev/null || true
  for link in $(ip -o -4 address show 2>/dev/null | awk -v net="10.$engine_octet." 'index($4, net) == 1 {print $2}'); do
    ip link delete "$link" 2>/dev/null || true
  done
  if [ -n "$engine_remote" ]; then
    ip link delete "mugv-$engine_octet" 2>/dev/null || true
    ip netns delete "$engine_net" 2>/dev/null || true
  fi
  rm -rf "$engine_run/exec" "$engine_run/docker.pid" "$engine_socket" "$engine_run/remote"
}

engine_kill() {
  local pid
  pid=$(engine_pid) || die "engine $engine_name is not running"
  kill -KILL "$pid"
  wait_for 10 "end of engine $engine_name" engine_is_gone
}

# SIGTERM and start again: containers stop and those with a restart policy come back, as `systemctl restart docker` does.
# After `kill` it is the start of a crashed engine: what it left is what it finds.
engine_restart() {
  local pid
  if pid=$(engine_pid); then
    kill -TERM "$pid"
    wait_for 60 "end of engine $engine_name" engine_is_gone
  fi
  engine_launch
}

engine_wipe() {
  engine_stop
  rm -rf "$engine_data" "$engine_run"
}

engine_status() {
  if engine_is_ready; then
    printf 'engine %s: running, pid %s, %s\n' "$engine_name" "$(engine_pid)" "$engine_host"
  else
    printf 'engine %s: not running\n' "$engine_name"
    return 1
  fi
}
