# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Kubernetes control plane of our own on 127.0.0.1: etcd, API server, controllers, scheduler, and kwok in the place of all
# kubelets. Sourced by `ground` after lib.sh. No root, no engine, no container: six processes, told by what is in their
# command lines, and $GROUND_RUN/kube-NAME, which holds all that they know. kube/control-plane is the program, kube/kwok-config
# what becomes of a pod.

kube_parts='etcd kube-apiserver kube-controller-manager kube-scheduler kwok'
# What acts on what the shapes of kube/shape consist of; node-lifecycle is what takes the taint from a new node.
kube_controllers=deployment-controller,replicaset-controller,statefulset-controller,garbage-collector-controller
kube_controllers+=,namespace-controller,node-lifecycle-controller,disruption-controller,resourcequota-controller

kube_use() { # NAME: sets the paths of that control plane
  kube_name=$1
  kube_run=$GROUND_RUN/kube-$kube_name
  kube_config=$kube_run/kubeconfig
}

kube_pid() { # PART: prints the pid of the running part, else fails
  local pid
  pid=$(cat "$kube_run/$1.pid" 2>/dev/null) || return 1
  # A pid file outlives its process: the command line tells whether this is the one.
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qE -- "/$1 .*$kube_run/" || return 1
  printf '%s\n' "$pid"
}

kube_is_gone() { ! kube_pid "$1" >/dev/null; }

kube_read_ports() { read -r kube_etcd_port kube_peer_port kube_api_port kube_kwok_port <"$kube_run/ports"; }

# An API path as the control plane's own user, without the start of a kubectl.
kube_raw() { # PATH
  curl -sf --max-time 5 --cacert "$kube_run/pki/ca.pem" --cert "$kube_run/pki/control-plane.pem" \
    --key "$kube_run/pki/control-plane-key.pem" "https://127.0.0.1:$kube_api_port$1"
}
kube_api_answers() { kube_raw /readyz >/dev/null; }

kube_binaries() { # sets kube_programs: the folder of the programs, made where it is lacking
  kube_programs=$(cached_build control-plane "$(cache_key "$GROUND_DIR/recipes/control-plane" "$GROUND_DIR/kube/control-plane")" \
    "$GROUND_DIR/recipes/control-plane")
}

kube_certificate() { # NAME SUBJECT EXTENSION: NAME.pem and NAME-key.pem in pki; the first one, ca, signs the others
  local signer=() place=$kube_run/pki/$1
  [ "$1" = ca ] || signer=(-CA "$kube_run/pki/ca.pem" -CAkey "$kube_run/pki/ca-key.pem")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "$2" -addext "$3" \
    "${signer[@]}" -keyout "$place-key.pem" -out "$place.pem" 2>/dev/null || die "no certificate for $1"
}

kube_write_config() { # CERTIFICATE FILE: a kubeconfig that needs no other file
  local pki=$kube_run/pki
  cat >"$2" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: ground
    cluster:
      server: https://127.0.0.1:$kube_api_port
      certificate-authority-data: $(base64 -w0 "$pki/ca.pem")
users:
  - name: $1
    user:
      client-certificate-data: $(base64 -w0 "$pki/$1.pem")
      client-key-data: $(base64 -w0 "$pki/$1-key.pem")
contexts:
  - name: ground-$kube_name
    context:
      cluster: ground
      user: $1
current-context: ground-$kube_name
YAML
}

# What a control plane is made from, kept over stop and start: ports, certificates, what becomes of a pod.
kube_prepare() {
  [ ! -e "$kube_run/kwok.yaml" ] || return 0
  mkdir -p "$kube_run"/{bin,pki,users}
  chmod 700 "$kube_run"
  # Below the range from which the kernel takes ports for connections: they are still free when the API server comes back.
  /usr/bin/python3 - >"$kube_run/ports" <<'PY'
import random
import socket

taken = []
while len(taken) < 4:
    one = socket.socket()
    try:
        one.bind(("127.0.0.1", random.randrange(20000, 32000)))
        taken.append(one)
    except OSError:
        pass
print(*(one.getsockname()[1] for one in taken))
PY
  kube_read_ports
  kube_certificate ca "/CN=ground ca" basicConstraints=critical,CA:TRUE
  kube_certificate server "/CN=ground" "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
  kube_certificate control-plane "/O=system:masters/CN=ground-control-plane" extendedKeyUsage=clientAuth
  kube_certificate admin "/O=system:masters/CN=admin" extendedKeyUsage=clientAuth
  kube_write_config control-plane "$kube_run/control-plane.kubeconfig"
  kube_write_config admin "$kube_config"
  /usr/bin/python3 -B "$GROUND_DIR/kube/kwok-config" >"$kube_run/kwok.yaml.part"
  mv "$kube_run/kwok.yaml.part" "$kube_run/kwok.yaml"
}

kube_launch() { # PART ARGUMENTS...
  local part=$1
  shift
  rm -f "$kube_run/$part.pid"
  # The inner shell notes its pid and becomes the part; its own session, and no descriptor of ours.
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid --fork bash -c 'echo $$ >"$1"; shift; exec "$@"' "$part" "$kube_run/$part.pid" "$kube_programs/$part" "$@" \
    </dev/null >>"$kube_run/$part.log" 2>&1
  # On a busy machine the shell comes late: until it has noted its pid the part would be taken for one that has ended.
  local end=$((SECONDS + 30))
  until [ -s "$kube_run/$part.pid" ]; do
    [ "$SECONDS" -lt "$end" ] || die "$part of control plane $kube_name was not started"
    sleep 0.05
  done
}

kube_launch_api() {
  local pki=$kube_run/pki
  # Nobody answers at the advertised address (one of those for documentation): nothing of a cluster's inside runs here.
  kube_launch kube-apiserver --etcd-servers="http://127.0.0.1:$kube_etcd_port" --bind-address=127.0.0.1 \
    --secure-port="$kube_api_port" --advertise-address=192.0.2.1 --endpoint-reconciler-type=none \
    --tls-cert-file="$pki/server.pem" --tls-private-key-file="$pki/server-key.pem" --client-ca-file="$pki/ca.pem" \
    --kubelet-certificate-authority="$pki/ca.pem" --kubelet-client-certificate="$pki/control-plane.pem" \
    --kubelet-client-key="$pki/control-plane-key.pem" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/server.pem" \
    --service-account-signing-key-file="$pki/server-key.pem" --service-cluster-ip-range=10.96.0.0/16 \
    --authorization-mode=RBAC --disable-admission-plugins=ServiceAccount \
    --audit-policy-file="$GROUND_DIR/kube/audit-policy.yaml" --audit-log-path="$kube_run/audit.log"
}

kube_wait() { # PART SECONDS COMMAND...: until COMMAND succeeds; with the part's log when it has ended or time is up
  local part=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ] || kube_is_gone "$part"; then
      tail -n 15 "$kube_run/$part.log" >&2
      die "$part of control plane $kube_name does not come up; its log is $kube_run/$part.log"
    fi
    sleep 0.1
  done
}

kube_start_api() {
  kube_pid kube-apiserver >/dev/null || kube_launch_api
  kube_wait kube-apiserver 120 kube_api_answers
}

kube_nodes() { # COUNT: the nodes as JSON
  local number
  for ((number = 1; number <= $1; number++)); do
    printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-%d","labels":{"kubernetes.io/hostname":"node-%d"}},' "$number" "$number"
    printf '"status":{"capacity":{"cpu":"16","memory":"64Gi","pods":"110"},"allocatable":{"cpu":"16","memory":"64Gi","pods":"110"}}}\n'
  done
}

# Tools of the control plane's own; the admin is who tests and people are.
kube_kubectl() { "$kube_programs/kubectl" --kubeconfig "$kube_run/control-plane.kubeconfig" "$@"; }

kube_start() { # [--nodes N]
  local nodes=3 part
  if [ "${1:-}" = --nodes ]; then
    need_value "$1" $#
    nodes=$2
    shift 2
  fi
  [ $# -eq 0 ] || usage_error "kube start does not know '$1'"
  need_command openssl ground
  need_command curl ground
  kube_binaries
  kube_prepare
  kube_read_ports
  ln -sfn "$kube_programs/kubectl" "$kube_run/bin/kubectl"
  if ! kube_pid etcd >/dev/null; then
    # What is in it may be lost with the machine: it need not wait for the disk.
    kube_launch etcd --data-dir "$kube_run/etcd" --unsafe-no-fsync --log-level warn \
      --listen-client-urls "http://127.0.0.1:$kube_etcd_port" --advertise-client-urls "http://127.0.0.1:$kube_etcd_port" \
      --listen-peer-urls "http://127.0.0.1:$kube_peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$kube_peer_port" \
      --initial-cluster "default=http://127.0.0.1:$kube_peer_port"
  fi
  kube_start_api
  # Nodes of kwok send no heartbeat: they are lost when the annotation says so, not because time goes by.
  kube_pid kube-controller-manager >/dev/null ||
    kube_launch kube-controller-manager --kubeconfig="$kube_run/control-plane.kubeconfig" --secure-port=0 --leader-elect=false \
      --controllers="$kube_controllers" --concurrent-deployment-syncs=10 --node-monitor-grace-period=8760h
  kube_pid kube-scheduler >/dev/null ||
    kube_launch kube-scheduler --kubeconfig="$kube_run/control-plane.kubeconfig" --secure-port=0 --leader-elect=false
  kube_pid kwok >/dev/null ||
    kube_launch kwok --config="$kube_run/kwok.yaml" --kubeconfig="$kube_run/control-plane.kubeconfig" --manage-all-nodes=true \
      --node-ip=127.0.0.1 --node-port="$kube_kwok_port" --server-address="127.0.0.1:$kube_kwok_port" \
      --tls-cert-file="$kube_run/pki/server.pem" --tls-private-key-file="$kube_run/pki/server-key.pem"
  kube_nodes "$nodes" | kube_kubectl apply -f - >/dev/null
  kube_wait kwok 60 kube_kubectl wait --for=condition=Ready node --all --timeout=1s
  for part in $kube_parts; do kube_pid "$part" >/dev/null || kube_wait "$part" 1 false; done
  say "control plane $kube_name is up: https://127.0.0.1:$kube_api_port"
}

kube_stop() {
  local part pid
  # A SIGTERM would make the API server wait a minute for those who watch.
  kube_signal KILL kube-apiserver
  for part in kwok kube-scheduler kube-controller-manager etcd; do kube_signal TERM "$part"; done
  for part in $kube_parts; do
    wait_for 20 "end of $part of control plane $kube_name" kube_is_gone "$part"
    rm -f "$kube_run/$part.pid"
  done
}

kube_signal() { # SIGNAL PART
  local pid
  ! pid=$(kube_pid "$2") || kill "-$1" "$pid"
}

kube_remove() {
  kube_stop
  rm -rf "$kube_run"
}

kube_need() { [ -e "$kube_run/kwok.yaml" ] && kube_read_ports || die "there is no control plane $kube_name; make it: tests/ground/ground kube start"; }

# The API server dies as in a crash. All others stay and wait for it.
kube_kill-api() {
  kube_need
  kube_pid kube-apiserver >/dev/null || die "the API server of control plane $kube_name is not running"
  kube_signal KILL kube-apiserver
  wait_for 10 "end of the API server of control plane $kube_name" kube_is_gone kube-apiserver
}

kube_start-api() {
  kube_need
  kube_pid etcd >/dev/null || die "control plane $kube_name is not running; start it: tests/ground/ground kube start"
  kube_binaries
  kube_start_api
}

kube_env() {
  kube_need
  # shellcheck disable=SC2016 # PATH is the reader's
  printf 'export KUBECONFIG=%q PATH=%q:"$PATH"\n' "$kube_config" "$kube_run/bin"
}

# A user without any right of its own, for the tests of rights, and so that its requests can be told from others'.
kube_user() { # NAME: prints the path of its kubeconfig
  [[ ${1:-} =~ ^[a-z0-9-]+$ ]] || usage_error "kube user takes a name of a-z, 0-9 and -, not '${1:-}'"
  kube_need
  local file=$kube_run/users/$1
  [ -e "$kube_run/pki/$1.pem" ] || kube_certificate "$1" "/O=ground/CN=$1" extendedKeyUsage=clientAuth
  kube_write_config "$1" "$file"
  printf '%s\n' "$file"
}

# Every request of a user that the API server has answered, or begun to answer where it is a watch or a log that goes on: one
# JSON object of the audit log each.
kube_requests() { # USER
  [ $# -eq 1 ] || usage_error "kube requests takes a user"
  kube_need
  [ ! -e "$kube_run/audit.log" ] || grep -F "\"username\":\"$1\"" "$kube_run/audit.log" || true
}

kube_status() {
  local part pid running=0
  for part in $kube_parts; do
    if pid=$(kube_pid "$part"); then
      running=$((running + 1))
      printf '%s: pid %s, %s MB\n' "$part" "$pid" "$(awk '/^VmRSS/ {printf "%d", $2 / 1024}' "/proc/$pid/status")"
    else
      printf '%s: not running\n' "$part"
    fi
  done
  if [ "$running" -ne 5 ] || ! kube_read_ports || ! kube_api_answers; then
    printf 'control plane %s: not running\n' "$kube_name"
    return 1
  fi
  printf 'control plane %s: running, https://127.0.0.1:%s, KUBECONFIG=%s\n' "$kube_name" "$kube_api_port" "$kube_config"
}
