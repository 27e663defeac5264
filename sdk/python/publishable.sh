#!/usr/bin/env bash
# What PyPI would get: the wheel holds what a plugin needs, and works where nothing else of this repository is.
set -euo pipefail
cd "$(dirname "$0")"
# What is on the path already would not be installed.
unset PYTHONPATH
place="$(mktemp -d)"
trap 'rm -rf "$place" build src/*.egg-info' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" --quiet --disable-pip-version-check wheel --no-deps --wheel-dir "$place" .
"$place/env/bin/pip" --quiet --disable-pip-version-check install --no-index "$place"/lockgate-*.whl
wheel="$(python3 -m zipfile --list "$place"/lockgate-*.whl | awk '{ print $1 }')"

missing() { comm -23 <(cd src && find lockgate -type f -not -path '*/__pycache__/*' | sort) <(sort <<<"$wheel"); }
more() { grep -v -e '^lockgate/' -e '^lockgate-[0-9.]*\.dist-info/' -e '^File$' <<<"$wheel" || true; }
for unlike in "$(missing)" "$(more)"; do
    [ -z "$unlike" ] || { echo "the wheel and src differ: $unlike" >&2; exit 1; }
done

# Away from the checkout: the template's own tests, and the command.
cp -r template/source "$place/template"
cd "$place/template"
"$place/env/bin/python" -m unittest
"$place/env/bin/lockgate-py" --help >/dev/null
"$place/env/bin/python" -c '
import importlib.metadata, pathlib, lockgate
assert importlib.metadata.version("lockgate") == lockgate.__version__
assert pathlib.Path(lockgate.__file__).with_name("py.typed").exists()'
echo "test result: 1 passed (the wheel)"
