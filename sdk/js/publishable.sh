#!/usr/bin/env bash
# What npm would get: the package holds exactly what a plugin needs, its types check in a project of strangers, and its command works there.
set -euo pipefail
cd "$(dirname "$0")"
LOCKGATE_JS_TOOLS="${LOCKGATE_JS_TOOLS:-$(./tools.sh)}"
export LOCKGATE_JS_TOOLS
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
mkdir "$place/sdk"
cp -r cli src wit package.json tsconfig.json README.md CHANGELOG.md "$place/sdk"
here="$PWD"
cd "$place/sdk"
"$LOCKGATE_JS_TOOLS/node_modules/.bin/tsc" --project tsconfig.json
cp src/lockgate-connect.d.ts dist/
npm pack --silent --ignore-scripts --pack-destination "$place" >/dev/null

mkdir -p "$place/project/node_modules/@lockgate"
tar --extract --gzip --file "$place"/lockgate-sdk-*.tgz --directory "$place/project/node_modules/@lockgate"
mv "$place/project/node_modules/@lockgate/package" "$place/project/node_modules/@lockgate/sdk"
held="$(cd "$place/project/node_modules/@lockgate/sdk" && find . -type f | sort)"
wanted="$({ echo ./CHANGELOG.md; echo ./README.md; echo ./cli/lockgate-js.mjs; echo ./package.json; echo ./dist/lockgate-connect.d.ts
    cd "$place/sdk"; find ./wit -name '*.wit'
    find src -name '*.ts' -not -name '*.d.ts' | sed 's|^src/\(.*\)\.ts$|./dist/\1.js\n./dist/\1.d.ts|'; } | sort)"
[ "$held" = "$wanted" ] || { echo "npm pack holds something else than wanted:" >&2; diff <(echo "$held") <(echo "$wanted") >&2; exit 1; }

# A project of strangers: the template, strict, with the types of the package looked at as well.
cp -r "$here/template/ts/source/." "$place/project"
cd "$place/project"
cat >tsconfig.json <<'TSCONFIG'
{
  "compilerOptions": { "target": "ES2022", "lib": ["ES2023"], "module": "NodeNext", "strict": true, "noEmit": true, "types": ["node"] },
  "include": ["src", "test"]
}
TSCONFIG
for name in typescript @types undici-types; do ln -s "$LOCKGATE_JS_TOOLS/node_modules/$name" node_modules/; done
node_modules/typescript/bin/tsc --noEmit --skipLibCheck false
node node_modules/@lockgate/sdk/cli/lockgate-js.mjs test test/*.test.ts >"$place/tests.log" || { cat "$place/tests.log"; exit 1; }
node node_modules/@lockgate/sdk/cli/lockgate-js.mjs build src/*.ts --output "$place/made.wasm"
echo "test result: 1 passed (the package of npm)"
