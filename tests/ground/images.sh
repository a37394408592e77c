# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Images of our own from package registries. Sourced by `ground` after lib.sh and engine.sh.
# images/NAME/build.sh [ARGUMENT] FOLDER lays the root of an image into FOLDER; images/NAME/image.conf names the images
# made by it (`ref REFERENCE [ARGUMENT]`) and their configuration (instructions as in a Dockerfile).

images_known() { # prints NAME REFERENCE [ARGUMENT] of every image
  local file word reference argument
  for file in "$GROUND_DIR"/images/*/image.conf; do
    while read -r word reference argument; do
      [ "$word" != ref ] || printf '%s %s %s\n' "$(basename "$(dirname "$file")")" "$reference" "$argument"
    done <"$file"
  done
}

image_row() { # REFERENCE: prints NAME REFERENCE [ARGUMENT] of it
  images_known | awk -v wanted="$1" '$2 == wanted { print; found = 1 } END { exit !found }' ||
    die "no recipe in tests/ground/images makes $1"
}

# Prints the folder that holds the root of an image, made where it is lacking: its programs, for use without an engine.
image_root() { # REFERENCE
  local row name argument folder
  row=$(image_row "$1")
  read -r name _ argument <<<"$row"
  folder=$GROUND_DIR/images/$name
  cached_build "image-$name${argument:+-$argument}" "$(cache_key "$folder" "$argument")" "$folder/build.sh" ${argument:+"$argument"}
}

# Makes the named images in the engine of DOCKER_HOST where they are lacking or their recipe has changed.
images_ensure() { # REFERENCE...
  local reference row name argument
  for reference in "$@"; do
    row=$(image_row "$reference")
    read -r name _ argument <<<"$row"
    image_ensure "$name" "$reference" "$argument"
  done
}

image_ensure() { # NAME REFERENCE ARGUMENT
  local folder=$GROUND_DIR/images/$1 reference=$2 argument=$3 key root line changes=()
  key=$(cache_key "$folder" "$argument")
  [ "$(docker image inspect --format '{{index .Config.Labels "ground.key"}}' "$reference" 2>/dev/null)" != "$key" ] || return 0
  root=$(image_root "$reference")
  while IFS= read -r line; do
    case $line in '' | '#'* | 'ref '*) ;; *) changes+=(--change "$line") ;; esac
  done <"$folder/image.conf"
  tar -C "$root" --numeric-owner --owner=0 --group=0 -cf - . |
    docker import "${changes[@]}" --change "LABEL ground.key=$key" - "$reference" >/dev/null
  say "image $reference is in the engine"
}

# The image of the metadata migration's tool: packaging/meta-migration around a static program, with variables of its own.
images_migration() { # PROGRAM REFERENCE [NAME=VALUE...]
  local program=$1 reference=$2 recipe=$GROUND_DIR/../../packaging/meta-migration/Dockerfile key folder
  shift 2
  key=$(cache_key "$program" "$recipe" "$@")
  [ "$(docker image inspect --format '{{index .Config.Labels "ground.key"}}' "$reference" 2>/dev/null)" != "$key" ] || return 0
  folder=$(mktemp -d)
  ln "$program" "$folder/milvus-upgrade" 2>/dev/null || cp "$program" "$folder/milvus-upgrade"
  {
    cat "$recipe"
    [ $# -eq 0 ] || printf 'ENV %s\n' "$@"
    printf 'LABEL ground.key=%s\n' "$key"
  } >"$folder/Dockerfile"
  if ! DOCKER_BUILDKIT=0 docker build -t "$reference" "$folder" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    rm -rf "$folder"
    die "image $reference cannot be made"
  fi
  rm -rf "$folder"
  say "image $reference is in the engine"
}
