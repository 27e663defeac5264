#!/usr/bin/env bash
# Builds the bundled packages that are not Rust: `build.sh <where the .wasm files go>` runs each `*/build.sh <where>`, which builds only what
# changed. A package whose tools cannot be had is left out, with a line that says so: everything else works without it. In CI that is an
# error.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dist="$(mkdir -p "$1" && cd "$1" && pwd)"
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
left_out=0
for script in "$here"/*/build.sh; do
    "$script" "$dist" >"$said" 2>&1 && continue
    left_out=$((left_out + 1))
    why="$(grep -v '^[[:space:]]*$' "$said" | tail -1)"
    echo "plugins: the bundled package $(basename "$(dirname "$script")") is left out, it could not be built: ${why:-no reason was given}" >&2
    [ -z "${CI:-}" ] || cat "$said" >&2
done
[ "$left_out" -eq 0 ] || [ -z "${CI:-}" ]
