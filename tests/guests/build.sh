#!/usr/bin/env bash
# Builds the guests that are not Rust into a folder, each only if its sources, its SDK or
# the WIT changed: `build.sh <where the .wasm files go>`. The tools are installed once, into $LOCKGATE_CACHE/tools.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dist="$(mkdir -p "$1" && cd "$1" && pwd)"
wit="$here/../../wit/v0.1" sdk="$here/../../sdk"
cache="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}"
built="$cache/built-guests"
mkdir -p "$built"

# The digest of what a guest is made of: files and folders.
digest() {
    find "$@" "$wit" "$here/build.sh" -type f -not -path '*/__pycache__/*' -not -path '*/node_modules/*' -print0 | sort -z |
        xargs -0 cat | sha256sum | cut -c1-16
}

# Puts a built component into the folder, if it is not the same already.
install_guest() { cmp -s "$1" "$2" || { cp "$1" "$2.new" && mv "$2.new" "$2"; }; }

# `build_python <name of the .wasm> <module> <folder of the module>`
build_python() {
    local name="$1" module="$2" folder="$3" wasm
    wasm="$built/$name-$(digest "$folder" "$sdk/python/src").wasm"
    if [ ! -f "$wasm" ]; then
        local env
        env="$("$here/../../.ci/python-tools")"
        PATH="$env/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$sdk/python/src" \
            python3 -m lockgate build "$module" --path "$folder" --output "$wasm.new" >/dev/null
        mv "$wasm.new" "$wasm"
    fi
    install_guest "$wasm" "$dist/$name.wasm"
}

# `build_js <name of the .wasm> <module> <folder of what it is made of> [engine]`
build_js() {
    local name="$1" module="$2" folder="$3" wasm
    wasm="$built/$name-$(digest "$folder" "$sdk/js/src" "$sdk/js/cli").wasm"
    if [ ! -f "$wasm" ]; then
        LOCKGATE_JS_TOOLS="$("$sdk/js/tools.sh")" node "$sdk/js/cli/lockgate-js.mjs" build "$module" --output "$wasm.new" \
            --engine "${4:-quickjs}" >/dev/null
        mv "$wasm.new" "$wasm"
    fi
    install_guest "$wasm" "$dist/$name.wasm"
}

build_python python app "$here/python"
build_js js "$here/js/guest.ts" "$here/js"
build_js js_starlingmonkey "$here/js/starlingmonkey.ts" "$here/js" starlingmonkey
ci="$here/../../.ci"
"$ci/build-c" "$dist" c "$here/c"
"$ci/build-c" "$dist" words_cpp "$here/cpp"
"$ci/build-go" "$dist" go "$here/go"
