#!/usr/bin/env bash
# Builds this package: `build.sh <where>`. `build.sh --test` runs its unit tests on this machine. 75: no Python or no PyPI to be had.
set -euo pipefail
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/python && pwd)" ci="$(cd ../../.ci && pwd)"
python_tools="$("$ci/python-tools")" || exit 75
deps="$(dirname "$python_tools")/feed-python-$(sha256sum <requirements.txt | cut -c1-16)"
if [ ! -d "$deps" ]; then
    new="$deps.$$"
    "$python_tools/bin/pip" --quiet --disable-pip-version-check install --no-deps --require-hashes --target "$new" \
        --requirement requirements.txt || exit 75
    mv "$new" "$deps" 2>/dev/null || rm -rf "$new"
fi
export PYTHONDONTWRITEBYTECODE=1
if [ "${1:?where, or --test}" = --test ]; then
    PYTHONPATH="src:$deps:$sdk/src" python3 -m unittest discover --start-directory tests 2>&1 |
        awk '{ print } /^Ran [0-9]+ test/ { n = $2 } END { print "test result: " n " passed" }'
    exit
fi
mapfile -t sources < <(find src "$sdk/src" requirements.txt -type f -not -path '*/__pycache__/*' | sort)
export PATH="$python_tools/bin:$PATH" PYTHONPATH="$sdk/src"
exec "$ci/built-once" "$1/feed_python.wasm" "${sources[@]}" -- \
    python3 -m lockgate build lockgate_feed --path src --path "$deps" --output @
