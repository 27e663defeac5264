#!/usr/bin/env bash
# Builds the component: `build.sh <file>`; `build.sh --test` runs the unit tests on this machine; `build.sh --sources` names what it is made of.
set -euo pipefail
out="$(readlink -m -- "${1:?a file, --test or --sources}")"
cd "$(dirname "$0")"
sdk="$(cd ../../sdk/python && pwd)"
if [ "$1" = --sources ]; then
    echo "$PWD/src" "$PWD/requirements.txt" "$PWD/build.sh" "$sdk/src"
    exit
fi
tools="$(../../.ci/python-tools)"
deps="$(dirname "$tools")/feed-python-$(sha256sum <requirements.txt | cut -c1-16)"
if [ ! -d "$deps" ]; then
    new="$deps.$$"
    "$tools/bin/pip" --quiet --disable-pip-version-check install --no-deps --require-hashes --target "$new" --requirement requirements.txt
    mv "$new" "$deps" 2>/dev/null || rm -rf "$new"
fi
export PYTHONDONTWRITEBYTECODE=1
if [ "$1" = --test ]; then
    PYTHONPATH="src:$deps:$sdk/src" python3 -m unittest discover --start-directory tests 2>&1 |
        awk '{ print } /^Ran [0-9]+ test/ { n = $2 } END { print "test result: " n " passed" }'
else
    PATH="$tools/bin:$PATH" PYTHONPATH="$sdk/src" python3 -m lockgate build lockgate_feed --path src --path "$deps" --output "$out"
fi
