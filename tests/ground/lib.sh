# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared shell functions of the ground. Sourced, never run: it defines functions and the paths below, starts nothing
# and writes nothing until a function is called. Callers set `set -euo pipefail` themselves.
#
#   GROUND_DIR    this folder
#   GROUND_CACHE  what is expensive to make and safe to delete: wheels, binaries, venvs, the engine's image store
#   GROUND_RUN    what only lives while something runs: sockets, pid files, logs (short path: sockets allow 107 bytes)

GROUND_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GROUND_CACHE=${MILVUS_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/milvus-upgrade}
GROUND_RUN=${MILVUS_UPGRADE_GROUND_RUN:-/run/milvus-upgrade-ground}
export GROUND_DIR GROUND_CACHE GROUND_RUN

# Progress goes to stderr: stdout belongs to results (`ground env`, `ground client search`).
say() { printf 'ground: %s\n' "$*" >&2; }

# die SENTENCE...: one clear sentence, then exit 1.
die() {
  printf 'ground: error: %s\n' "$*" >&2
  exit 1
}

# usage_error SENTENCE...: wrong arguments, exit 2.
usage_error() {
  printf 'ground: error: %s (see %s --help)\n' "$*" "${0##*/}" >&2
  exit 2
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "${1:-this} needs root (a Docker Engine of our own is started); run it as root or with sudo"
}

# need_command PROGRAM GROUP: refuses with the command that installs it.
need_command() {
  command -v "$1" >/dev/null 2>&1 || die "$1 is not installed; run tests/ground/install $2"
}

# cache_key TEXT|FILE|FOLDER...: a short sha256 over the arguments; a path that exists counts by its content (a folder
# by names, modes and contents of all files in it), any other argument as text. Same inputs, same key, on any machine.
cache_key() {
  local item
  for item in "$@"; do
    if [ -f "$item" ]; then
      printf 'file %s %s\n' "${item##*/}" "$(sha256sum <"$item")"
    elif [ -d "$item" ]; then
      (cd "$item" && find . -type f -printf '%P %m\n' | LC_ALL=C sort | while read -r path mode; do
        printf 'file %s %s %s\n' "$path" "$mode" "$(sha256sum <"$path")"
      done)
    else
      printf 'text %s\n' "$item"
    fi
  done | sha256sum | cut -c1-16
}

# with_lock NAME COMMAND...: one process at a time per NAME on this machine; others wait. The lock goes with the process.
with_lock() {
  local name=$1 status=0
  shift
  mkdir -p "$GROUND_CACHE/locks"
  exec {ground_lock_fd}>"$GROUND_CACHE/locks/$name"
  local fd=$ground_lock_fd
  flock "$fd"
  # The command must not inherit the lock: a daemon started in it would hold it for ever.
  ("$@") {ground_lock_fd}>&- || status=$?
  exec {fd}>&-
  return "$status"
}

# cached_build NAME KEY PROGRAM [ARGS...]: prints the path of the folder $GROUND_CACHE/artifacts/NAME-KEY. When it is not
# there, PROGRAM ARGS... TEMP is run, TEMP being an empty folder to fill, and the folder is renamed into place when the
# program succeeds, so a half-made artifact is never found. PROGRAM is a program (a recipe script), not a function: bash
# ignores `set -e` in a function whose result is tested. Its stdout goes to stderr. Older keys of NAME are removed.
cached_build() {
  local place=$GROUND_CACHE/artifacts/$1-$2
  if [ ! -d "$place" ]; then
    with_lock "artifact-$1" cached_build_locked "$place" "$@" >&2 || die "could not make $1"
  fi
  printf '%s\n' "$place"
}

cached_build_locked() {
  local place=$1 name=$2 key=$3
  shift 3
  [ ! -d "$place" ] || return 0
  local old temp started=$SECONDS
  mkdir -p "$GROUND_CACHE/artifacts" || return 1
  temp=$(mktemp -d "$GROUND_CACHE/artifacts/.$name.XXXXXX") || return 1
  say "making $name ($key)"
  if ! { "$@" "$temp" && chmod 755 "$temp" && mv -T "$temp" "$place"; }; then
    rm -rf "$temp"
    return 1
  fi
  for old in "$GROUND_CACHE/artifacts/$name"-*; do
    # NAME-KEY with a key of 16 hex digits: etcd-* must not take etcd-image-* along.
    if [[ ${old##*/} =~ ^"$name"-[0-9a-f]{16}$ && $old != "$place" ]]; then rm -rf "$old"; fi
  done
  say "made $name in $((SECONDS - started)) s"
}

# pip_fetch FOLDER NAME==VERSION: fetches one package, without its dependencies, into FOLDER. Debian's own Python is named
# by path: another one first on PATH may be of a version that has no wheels of what we pin.
pip_fetch() {
  /usr/bin/python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$1" "$2"
}

# wait_for SECONDS WHAT COMMAND...: polls each 0.2 s until COMMAND succeeds; dies naming WHAT when time is up.
wait_for() {
  local limit=$1 what=$2
  shift 2
  local end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || die "$what: not within $limit s"
    sleep 0.2
  done
}

# small_root ROOT PROGRAM...: lays the base of a small image into ROOT: busybox with a link for each of its commands, and
# the libraries that each PROGRAM (an executable or library, dynamically linked) needs, at the paths they have here. A
# PROGRAM outside ROOT is copied too.
small_root() {
  local root=$1 program library
  shift
  mkdir -p "$root"/{bin,etc,tmp,root,usr/bin}
  chmod 1777 "$root/tmp"
  install -m 755 "$(command -v busybox)" "$root/bin/busybox"
  for program in $("$root/bin/busybox" --list); do
    [ -e "$root/bin/$program" ] || ln -s busybox "$root/bin/$program"
  done
  for program in "$@"; do
    case $program in "$root"/*) ;; *) install -D -m 755 "$program" "$root$program" ;; esac
    # Lines of ldd: `name => path (address)`, `path (address)` for the loader, `name (address)` for the kernel's page.
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do
      case $library in "$root"/*) continue ;; esac
      [ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
    done
  done
}
