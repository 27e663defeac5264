#!/usr/bin/env bash
# Builds the component: `build.sh <file>`; `build.sh --test` runs the unit tests on this machine; `build.sh --sources` names what it is made of.
set -euo pipefail
out="$(readlink -m -- "${1:?a file, --test or --sources}")"
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/go && pwd)"
case "$1" in
--sources) echo "$PWD" "$sdk/"*.go "$sdk/internal" "$sdk/tcp" "$sdk/wit" "$sdk/lockgate-go" ;;
--test)
    "$sdk/lockgate-go" --test . 2>&1 | awk '{ print } /^--- PASS/ { good++ } /^ *--- FAIL|^FAIL/ { bad++ }
        END { printf "test result: %d passed; %d failed\n", good, bad; exit bad > 0 }'
    ;;
*) exec "$sdk/lockgate-go" -o "$out" . ;;
esac
