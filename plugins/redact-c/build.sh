#!/usr/bin/env bash
# Builds the component: `build.sh <file>`; `build.sh --test` runs the unit tests on this machine; `build.sh --sources` names what it is made of.
set -euo pipefail
out="$(readlink -m -- "${1:?a file, --test or --sources}")"
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/c && pwd)"
case "$1" in
--sources) echo "$PWD" "$sdk/include" "$sdk/src" "$sdk/bindings" "$sdk/wit" "$sdk/lockgate-cc" ;;
--test)
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    cc -std=c11 -D_DEFAULT_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover -Wall -Wextra -Wno-unused-parameter -I"$sdk/include" \
        -I"$sdk/test" ./*.c "$sdk/test/fake_host.c" $(find "$sdk/src" -maxdepth 1 -name '*.c' -not -name 'host.c' -not -name 'export*.c') \
        -o "$work/test"
    ASAN_OPTIONS=detect_leaks=0 "$work/test"
    ;;
*) exec "$sdk/lockgate-cc" -o "$out" plugin.c hide.c hmac.c json.c path.c patterns.c ;;
esac
