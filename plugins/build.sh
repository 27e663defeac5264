#!/usr/bin/env bash
# Builds the bundled packages that are not Rust: `build.sh <where the .wasm files go>` runs each `*/build.sh <file>` whose sources changed
# since it was last built (`build.sh --sources` names them), and keeps what it made in $LOCKGATE_CACHE/built-plugins by their digest. A
# package whose tools cannot be had is left out, with a line that says so: everything else works without it. In CI that is an error.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dist="$(mkdir -p "$1" && cd "$1" && pwd)"
built="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/built-plugins"
mkdir -p "$built"
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
left_out=0

digest() {
    find "$@" "$here/../wit/v0.1" -type f -not -path '*/__pycache__/*' -not -path '*/node_modules/*' -print0 | sort -z |
        xargs -0 cat | sha256sum | cut -c1-16
}

for script in "$here"/*/build.sh; do
    folder="$(basename "$(dirname "$script")")" name="${folder//-/_}"
    read -ra sources < <("$script" --sources)
    wasm="$built/$name-$(digest "${sources[@]}").wasm"
    if [ ! -f "$wasm" ]; then
        if ! "$script" "$wasm.$$" >"$said" 2>&1; then
            left_out=$((left_out + 1))
            why="$(grep -v '^[[:space:]]*$' "$said" | tail -1)"
            echo "plugins: the bundled package $folder is left out, it could not be built: ${why:-no reason was given}" >&2
            [ -z "${CI:-}" ] || cat "$said" >&2
            rm -f "$dist/$name.wasm"
            continue
        fi
        mv "$wasm.$$" "$wasm"
    fi
    cmp -s "$wasm" "$dist/$name.wasm" || { cp "$wasm" "$dist/$name.wasm.new" && mv "$dist/$name.wasm.new" "$dist/$name.wasm"; }
done
[ "$left_out" -eq 0 ] || [ -z "${CI:-}" ]
