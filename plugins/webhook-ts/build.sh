#!/usr/bin/env bash
# Builds this package: `build.sh <where>`. `build.sh --test` checks its types and runs its unit tests on this machine. 75: no Node or no npm
# registry to be had.
set -euo pipefail
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/js && pwd)"
command -v node >/dev/null && command -v npm >/dev/null || { echo "Node 20 or newer is missing" >&2; exit 75; }
LOCKGATE_JS_TOOLS="$("$sdk/tools.sh")" || exit 75
export LOCKGATE_JS_TOOLS
if [ "${1:?where, or --test}" = --test ]; then
    "$LOCKGATE_JS_TOOLS/node_modules/.bin/tsc" --project tsconfig.json --typeRoots "$LOCKGATE_JS_TOOLS/node_modules/@types"
    node "$sdk/cli/lockgate-js.mjs" test test/*.test.ts 2>&1 | awk '{ print } / pass [0-9]+$/ { n = $NF } END { print "test result: " n " passed" }'
    exit
fi
mapfile -t sources < <(find src "$sdk/src" "$sdk/cli" "$sdk/wit" "$sdk/package.json" -type f | sort)
exec ../../.ci/built-once "$1/webhook_ts.wasm" "${sources[@]}" -- \
    node "$sdk/cli/lockgate-js.mjs" build src/webhook.ts --output @
