#!/usr/bin/env bash
# Builds the guests that are not Rust, and the templates of the SDKs for C and Go, into a folder, each only if its sources, its SDK or
# the WIT changed: `build.sh <where the .wasm files go>`. The tools are installed once, into $LOCKGATE_CACHE/tools.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dist="$(mkdir -p "$1" && cd "$1" && pwd)"
wit="$here/../../wit/v0.1"
cache="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}"
built="$cache/built-guests" tools="$cache/tools"
mkdir -p "$built" "$tools"

componentize_py=0.25.1
componentize_qjs=0.4.5
esbuild=0.25.12

# The digest of what a guest is made of.
digest() { cat "$@" "$wit"/*.wit "$here/build.sh" | sha256sum | cut -c1-16; }

# Puts a built component into the folder, if it is not the same already.
install_guest() { cmp -s "$1" "$2" || { cp "$1" "$2.new" && mv "$2.new" "$2"; }; }

build_python() {
    local wasm
    wasm="$built/python-$(digest "$here/python/app.py").wasm"
    if [ ! -f "$wasm" ]; then
        local env="$tools/componentize-py-$componentize_py"
        if [ ! -x "$env/bin/componentize-py" ]; then
            python3 -m venv "$env"
            "$env/bin/pip" --quiet --disable-pip-version-check install "componentize-py==$componentize_py"
        fi
        # Outside the environment: else all that is installed there would be searched for modules.
        env -u VIRTUAL_ENV "$env/bin/componentize-py" -d "$wit" -w mixed-package componentize -p "$here/python" app \
            -o "$wasm.new" >/dev/null
        mv "$wasm.new" "$wasm"
    fi
    install_guest "$wasm" "$dist/python.wasm"
}

build_js() {
    local wasm
    wasm="$built/js-$(digest "$here/js/guest.js").wasm"
    if [ ! -f "$wasm" ]; then
        local modules="$tools/js-$componentize_qjs"
        if [ ! -x "$modules/node_modules/.bin/componentize-qjs" ] || [ ! -x "$modules/node_modules/.bin/esbuild" ]; then
            mkdir -p "$modules"
            (cd "$modules" && npm init --yes >/dev/null &&
                npm install --silent --no-audit --no-fund "componentize-qjs@$componentize_qjs" "esbuild@$esbuild")
        fi
        local bin="$modules/node_modules/.bin"
        "$bin/esbuild" "$here/js/guest.js" --bundle --format=esm '--external:lockgate:*' --log-level=warning \
            --outfile="$built/js.bundle.js"
        "$bin/componentize-qjs" -w "$wit" -n mixed-package -j "$built/js.bundle.js" --sync -o "$wasm.new" >/dev/null
        mv "$wasm.new" "$wasm"
    fi
    install_guest "$wasm" "$dist/js.wasm"
}

# Builds a package by the SDK for C: `build_c <name of the package's file> <folder with its sources>`.
build_c() {
    local wasm sources sdk="$here/../../sdk/c"
    mapfile -t sources < <(find "$2" -name '*.c' -not -name '*_test.c' | sort)
    wasm="$built/$1-$(digest "$2"/*.[ch] "$sdk"/lockgate-cc "$sdk"/include/* "$sdk"/src/* "$sdk"/bindings/*.[ch]).wasm"
    if [ ! -f "$wasm" ]; then
        LOCKGATE_CACHE="$cache" "$sdk/lockgate-cc" -o "$wasm" "${sources[@]}"
    fi
    install_guest "$wasm" "$dist/$1.wasm"
}

# Builds a package by the SDK for Go, likewise.
build_go() {
    local wasm sources sdk="$here/../../sdk/go"
    mapfile -t sources < <(find "$sdk" -name '*.go' -not -path '*/template/*' -not -name '*_test.go' | sort)
    wasm="$built/$1-$(digest "$2"/*.go "$2/go.mod" "$sdk/lockgate-go" "${sources[@]}").wasm"
    if [ ! -f "$wasm" ]; then
        LOCKGATE_CACHE="$cache" "$sdk/lockgate-go" -o "$wasm" "$2"
    fi
    install_guest "$wasm" "$dist/$1.wasm"
}

build_python
build_js
build_c c "$here/c"
build_c my_sink_c "$here/../../sdk/c/template"
build_go go "$here/go"
build_go my_sink_go "$here/../../sdk/go/template"
