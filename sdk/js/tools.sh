#!/usr/bin/env bash
# Installs what building and testing need, once, into $LOCKGATE_CACHE/tools, and prints the folder: for LOCKGATE_JS_TOOLS.
set -euo pipefail
cd "$(dirname "$0")"
version() { sed -n "s|.*\"$1\": \"\([0-9.]*\)\".*|\1|p" package.json; }
packages=("componentize-qjs@$(version componentize-qjs)" "esbuild@$(version esbuild)" "typescript@$(version typescript)" "@types/node@20"
    "@bytecodealliance/componentize-js@$(version @bytecodealliance/componentize-js)")
folder="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/tools/js-$(echo "${packages[@]}" | sha256sum | cut -c1-8)"
if [ ! -f "$folder/complete" ]; then
    mkdir -p "$folder"
    cd "$folder"
    npm init --yes >/dev/null
    npm install --silent --no-audit --no-fund "${packages[@]}" >&2
    touch complete
fi
echo "$folder"
