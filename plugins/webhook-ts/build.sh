#!/usr/bin/env bash
# Builds the component: `build.sh <file>`; `build.sh --test` checks the types and runs the unit tests on this machine; `build.sh --sources`
# names what it is made of.
set -euo pipefail
out="$(readlink -m -- "${1:?a file, --test or --sources}")"
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/js && pwd)"
if [ "$1" = --sources ]; then
    echo "$PWD/src" "$PWD/build.sh" "$sdk/src" "$sdk/cli" "$sdk/wit" "$sdk/package.json"
    exit
fi
command -v node >/dev/null && command -v npm >/dev/null || { echo "Node 20 or newer is missing" >&2; exit 1; }
LOCKGATE_JS_TOOLS="$("$sdk/tools.sh")"
export LOCKGATE_JS_TOOLS
if [ "$1" = --test ]; then
    "$LOCKGATE_JS_TOOLS/node_modules/.bin/tsc" --project tsconfig.json --typeRoots "$LOCKGATE_JS_TOOLS/node_modules/@types"
    node "$sdk/cli/lockgate-js.mjs" test test/*.test.ts 2>&1 | awk '{ print } / pass [0-9]+$/ { n = $NF } END { print "test result: " n " passed" }'
else
    node "$sdk/cli/lockgate-js.mjs" build src/webhook.ts --output "$out"
fi
