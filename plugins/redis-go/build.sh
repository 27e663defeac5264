#!/usr/bin/env bash
# Builds this package: `build.sh <where>`. 75: no Go to be had.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
"$here/../../sdk/go/lockgate-go" --tools || exit 75
exec "$here/../../.ci/build-go" "$1" redis "$here"
