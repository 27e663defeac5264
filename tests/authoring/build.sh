#!/usr/bin/env bash
# The first steps of an author, for every language and kind: `lockgate package new`, the project's unit test, `build`, `test`, `inspect`. The
# components go into a folder as LANG_KIND.wasm: `build.sh <program> <folder> [LANG...]`. A project that is the same as the last time,
# its SDK included, is not built again.
set -euo pipefail
lockgate="$(readlink -f "$1")"
dist="$(mkdir -p "$2" && cd "$2" && pwd)"
shift 2
languages=("$@")
[ "$#" -gt 0 ] || languages=(rust python js ts go c cpp)
export LOCKGATE_CACHE="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}"
# One for all projects in Rust, so that what they depend on is built once.
export CARGO_TARGET_DIR="${LOCKGATE_GUEST_TARGET:-$LOCKGATE_CACHE/guests}"
kept="$LOCKGATE_CACHE/authored"
mkdir -p "$kept"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# In Cargo's words, so that the last line of `make test` counts them.
counted() {
    awk '{ print }
        /^Ran [0-9]+ test/ { good += $2 }
        / pass [0-9]+$/ { good += $NF }
        / fail [1-9][0-9]*$/ || /^ *--- FAIL|^FAIL/ { bad++ }
        /^--- PASS/ { good++ }
        /^test result: / { good += $4 }
        END { printf "test result: %s. %d passed; %d failed\n", bad ? "FAILED" : "ok", good, bad; exit bad > 0 || good == 0 }'
}

# The unit test that the project's README names. Tools of npm are shared but for one project, which does what its README says.
unit() {
    case "$1" in
    rust) cargo test --quiet 2>&1 ;;
    python) python3 -B -m unittest 2>&1 ;;
    ts-source) npm install --silent --no-audit --no-fund && npm test 2>&1 ;;
    js* | ts*) LOCKGATE_JS_TOOLS="$(.lockgate-sdk/tools.sh)" node .lockgate-sdk/cli/lockgate-js.mjs test test/*.test.* 2>&1 ;;
    go) .lockgate-sdk/lockgate-go --test . 2>&1 ;;
    c | cpp) make --no-print-directory test 2>&1 ;;
    esac | grep -v '^test result: .* 0 passed' | counted
}

author() {
    local lang="$1" kind="$2" name="$1-$2" project="$kept/$1-$2" fresh="$work/$1-$2"
    "$lockgate" package new --lang "$lang" --kind "$kind" "my-$kind" --dir "$fresh" >/dev/null
    if ! diff -rq "$fresh" "$project/fresh" >/dev/null 2>&1 || [ ! -f "$project/done" ]; then
        rm -rf "$project"
        mkdir -p "$project"
        cp -r "$fresh" "$project/fresh"
        cp -r "$fresh" "$project/my-$kind"
        local tested="$lang"
        [ "$name" != ts-source ] || tested="$name"
        (cd "$project/my-$kind" && unit "$tested") >"$project/tested" || { cat "$project/tested"; return 1; }
        "$lockgate" package build "$project/my-$kind" >"$project/built"
        grep -q "next: lockgate package push" "$project/built"
        "$lockgate" package test "$project/my-$kind"/dist/*.wasm "$project/my-$kind"/tests/*.json >"$project/played" ||
            { cat "$project/played"; return 1; }
        touch "$project/done"
    fi
    tail -1 "$project/tested"
    local wasm
    wasm="$(echo "$project/my-$kind"/dist/*.wasm)"
    "$lockgate" package inspect "$wasm" >"$work/inspected"
    grep -q "com.example.My" "$work/inspected"
    grep -q "this package can reach" "$work/inspected"
    local place="$dist/${lang}_$kind.wasm"
    cmp -s "$wasm" "$place" || { cp "$wasm" "$place.new" && mv "$place.new" "$place"; }
}

for lang in "${languages[@]}"; do
    for kind in source sink transform; do
        began=$SECONDS
        author "$lang" "$kind" || { echo "authoring $lang $kind FAILED" >&2; exit 1; }
        echo "$lang $kind: new, unit test, build, test, inspect: $((SECONDS - began)) s"
    done
done
