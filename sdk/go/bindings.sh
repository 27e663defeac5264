#!/usr/bin/env bash
# Makes internal/wit from wit/, by wit-bindgen of exactly this version: the bindings are locked to the WIT and to the generator.
# The runtime that the generator expects is internal/wit/runtime (ours, see there) and internal/wit/types (its own, copied).
set -euo pipefail
cd "$(dirname "$0")"
version=0.61.1
wit-bindgen --version 2>/dev/null | grep -q " $version" || {
    echo "cargo install wit-bindgen-cli --version $version --no-default-features --features go" >&2
    exit 1
}
module="$(sed -n 's/^module //p' go.mod)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
wit-bindgen go wit -w mixed-package --out-dir "$work" >/dev/null
rm -rf internal/wit/lockgate_connect_* internal/wit/exports/wit_exports.go
mkdir -p internal/wit/exports
mv "$work"/lockgate_connect_* internal/wit/
# A library cannot be `package main`.
sed 's/^package main$/package exports/' "$work/wit_exports.go" >internal/wit/exports/wit_exports.go
sed -i -e "s|go.bytecodealliance.org/pkg/wit/|$module/internal/wit/|" -e "s|\"wit_component/|\"$module/internal/wit/|" \
    $(find internal/wit -name '*.go' -path '*lockgate*' -o -name wit_exports.go)
sed -i '1i //go:build wasip1\n' $(find internal/wit -name wit_bindings.go) internal/wit/exports/wit_exports.go
gofmt -w internal/wit
cat wit/*.wit | sha256sum >internal/wit/wit.sha256
