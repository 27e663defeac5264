#!/usr/bin/env bash
# Builds the guests of the benchmark, with the SDKs and behind plain bindings, into a folder: `build.sh <where the .wasm files go>`.
# A language whose tools cannot be had is said and left out; the benchmark then says so too.
set -uo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
dist="$(mkdir -p "$1" && cd "$1" && pwd)"
sdk="$here/../../../sdk" naive="$here/../naive"
export LOCKGATE_CACHE="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}"
tools="$LOCKGATE_CACHE/tools" componentize_py=0.25.1 wit_bindgen=0.61.1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# `make_one <name> <command...>`: the command writes "$work/<name>.wasm".
make_one() {
    local name="$1"
    shift
    if "$@" >"$work/$name.log" 2>&1; then
        mv "$work/$name.wasm" "$dist/$name.wasm"
    else
        echo "bench guests: $name could not be built:" >&2
        tail -5 "$work/$name.log" >&2
    fi
}

python_tools() {
    local env="$tools/componentize-py-$componentize_py"
    [ -x "$env/bin/componentize-py" ] || { python3 -m venv "$env" && "$env/bin/pip" --quiet install "componentize-py==$componentize_py"; }
    PATH="$env/bin:$PATH"
}

bindgen_tools() {
    PATH="$tools/wit-bindgen-$wit_bindgen/bin:$PATH"
    wit-bindgen --version 2>/dev/null | grep -q " $wit_bindgen" && return
    cargo install --quiet wit-bindgen-cli --version "$wit_bindgen" --locked --no-default-features --features c,go \
        --root "$tools/wit-bindgen-$wit_bindgen"
}

sdk_python() { python_tools && PYTHONPATH="$sdk/python/src" python3 -m lockgate build bench --path "$here/python" --output "$work/bench_python.wasm"; }
sdk_js() { LOCKGATE_JS_TOOLS="$("$sdk/js/tools.sh")" node "$sdk/js/cli/lockgate-js.mjs" build "$here/js/bench.ts" --output "$work/bench_js.wasm"; }

naive_rust() {
    (cd "$naive/rust" && CARGO_TARGET_DIR="${LOCKGATE_GUEST_TARGET:-$LOCKGATE_CACHE/guests}" cargo build --release --target wasm32-wasip2) &&
        cp "${LOCKGATE_GUEST_TARGET:-$LOCKGATE_CACHE/guests}/wasm32-wasip2/release/naive.wasm" "$work/naive_rust.wasm"
}

naive_python() { python_tools && componentize-py -d "$naive/wit" -w naive componentize -p "$naive/python" naive_app -o "$work/naive_python.wasm"; }

naive_js() {
    "$("$sdk/js/tools.sh")/node_modules/.bin/componentize-qjs" -w "$naive/wit" -n naive -j "$naive/js/naive.js" --sync -o "$work/naive_js.wasm"
}

naive_c() {
    bindgen_tools && wit-bindgen c "$naive/wit" --world naive --out-dir "$work/c" &&
        cc="$(ls -d "$tools"/zig-*/bin/python3 | head -1)" && made="$work/c/core.wasm" &&
        "$cc" -m ziglang cc -target wasm32-wasi -O2 -mexec-model=reactor -Wl,--stack,65536 -I"$work/c" "$naive/c/naive.c" "$work/c/naive.c" \
            "$work/c/naive_component_type.o" -o "$made" && component "$made" naive_c
}

naive_go() {
    bindgen_tools && mkdir -p "$work/go" && wit-bindgen go "$naive/wit" --world naive --out-dir "$work/go" &&
        mkdir -p "$work"/go/export_bench_naive_naive_{sink,source} &&
        cp "$naive/go/naive_sink.go" "$work/go/export_bench_naive_naive_sink/" &&
        cp "$naive/go/naive_source.go" "$work/go/export_bench_naive_naive_source/" || return 1
    local runtime
    runtime="$(ls -d "$HOME"/.cargo/registry/src/*/wit-bindgen-go-"$wit_bindgen"/src/pkg | head -1)"
    (cd "$work/go" && cp -r "$runtime" ../witpkg && chmod -R u+w ../witpkg &&
        go mod edit -replace=go.bytecodealliance.org/pkg=../witpkg && go mod tidy &&
        GOOS=wasip1 GOARCH=wasm go build -trimpath -buildmode=c-shared -ldflags=-checklinkname=0 -o ../core-go.wasm .) &&
        wasm_tools component embed "$naive/wit" --world naive "$work/core-go.wasm" -o "$work/embedded.wasm" &&
        component "$work/embedded.wasm" naive_go
}

wasm_tools() { "$(ls -d "$tools"/wasm-tools-*/bin/wasm-tools "$tools"/zig-*/bin/wasm-tools 2>/dev/null | head -1)" "$@"; }

component() {
    wasm_tools component new "$1" --adapt "wasi_snapshot_preview1=$sdk/go/adapter/wasi_snapshot_preview1.reactor.wasm" -o "$work/$2.wasm"
}

make_one bench_c "$sdk/c/lockgate-cc" -o "$work/bench_c.wasm" "$here/c/bench.c"
make_one bench_go "$sdk/go/lockgate-go" -o "$work/bench_go.wasm" "$here/go"
make_one bench_python sdk_python
make_one bench_js sdk_js
make_one naive_rust naive_rust
make_one naive_c naive_c
make_one naive_go naive_go
make_one naive_python naive_python
make_one naive_js naive_js
ls -l "$dist" | awk 'NR > 1 { print $9, $5 }'
