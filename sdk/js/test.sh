#!/usr/bin/env bash
# The types and the tests of the JavaScript SDK, on this machine.
set -euo pipefail
cd "$(dirname "$0")"
LOCKGATE_JS_TOOLS="$(./tools.sh)"
export LOCKGATE_JS_TOOLS
"$LOCKGATE_JS_TOOLS/node_modules/.bin/tsc" --project tsconfig.json --noEmit
"$LOCKGATE_JS_TOOLS/node_modules/.bin/tsc" --project tsconfig.tests.json --typeRoots "$LOCKGATE_JS_TOOLS/node_modules/@types"
# In Cargo's words, so that the last line of `make test` counts them.
counted() { "$@" 2>&1 | awk '{ print } / pass [0-9]+$/ { n = $NF } END { print "test result: " n " passed" }'; }
counted node cli/lockgate-js.mjs test test/*.test.ts
./publishable.sh
