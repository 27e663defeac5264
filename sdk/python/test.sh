#!/usr/bin/env bash
# The tests of the Python SDK, on this machine. With componentize-py at hand (tests/guests/build.sh puts it into
# the cache) the checked-in bindings are compared with the WIT as well.
set -euo pipefail
cd "$(dirname "$0")"
for bin in "${LOCKGATE_CACHE:-$HOME/.cache/lockgate}"/tools/componentize-py-*/bin; do PATH="$bin:$PATH"; done
export PATH PYTHONPATH="$PWD/src" PYTHONDONTWRITEBYTECODE=1
# In Cargo's words, so that the last line of `make test` counts them.
counted() { "$@" 2>&1 | awk '{ print } /^Ran [0-9]+ test/ { n = $2 } END { print "test result: " n " passed" }'; }
counted python3 -m unittest discover --start-directory tests
./publishable.sh
