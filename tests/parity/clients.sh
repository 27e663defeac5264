#!/usr/bin/env bash
# Clients of Kafka Connect as the registries have them, each with a small program that walks through a connector's life.
#
#   clients.sh fetch                     fetches and builds what is not there yet; quick when everything is
#   clients.sh go|python|java URL TOPIC DIR   runs one against a worker that has no connectors
#   clients.sh schemathesis ARGUMENTS..  the property-based tester of OpenAPI documents
#   clients.sh formats URL AVRO|JSON|PROTOBUF TOPIC   a client of schema registries, on topic bytes as lines
#
# Everything lies below $LOCKGATE_CACHE (default ~/.cache/lockgate) in folders named after their content: whoever changes a
# program or a version gets a new folder.
set -euo pipefail

readonly HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/clients" && pwd)
readonly CACHE=${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/clients

fail() { echo "clients.sh: $*" >&2; exit 1; }

# place KIND: where a client of this content belongs
place() { echo "$CACHE/$1-$(cat "$HERE/$1"/* | sha256sum | cut -c 1-16)"; }

make_go() { (cd "$HERE/go" && go build -mod=readonly -o "$1/walk" .); }

# pypi KIND DIR: a virtual environment with what requirements.txt names
pypi() {
  python3 -m venv "$2"
  "$2/bin/pip" install --quiet --disable-pip-version-check -r "$HERE/$1/requirements.txt"
}

make_python() { pypi python "$1"; }

make_schemathesis() { pypi schemathesis "$1"; }

make_formats() { pypi formats "$1"; }

make_java() {
  mvn -q -B -f "$HERE/java/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$1/jars"
  javac -cp "$1/jars/*" -d "$1/classes" "$HERE/java/Walk.java"
}

# made KIND: its folder, made if need be; several may ask at once
made() {
  local kind=$1 dir
  dir=$(place "$kind")
  if [[ ! -f $dir/.complete ]]; then
    mkdir -p "$CACHE"
    (
      flock 9
      if [[ ! -f $dir/.complete ]]; then
        echo "fetching the $kind client" >&2
        rm -rf "$dir"
        mkdir -p "$dir"
        "make_$kind" "$dir" >&2 || fail "the $kind client could not be made (see above)"
        touch "$dir/.complete"
      fi
    ) 9>"$CACHE/.$kind.lock"
  fi
  echo "$dir"
}

case ${1:-} in
  fetch) for kind in go python java schemathesis formats; do made "$kind" >/dev/null; done ;;
  go) exec "$(made go)/walk" "${@:2}" ;;
  python) exec "$(made python)/bin/python" -B "$HERE/python/walk.py" "${@:2}" ;;
  java) dir=$(made java); exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$dir/classes:$dir/jars/*" Walk "${@:2}" ;;
  formats) exec "$(made formats)/bin/python" -B "$HERE/formats/formats.py" "${@:2}" ;;
  schemathesis) exec "$(made schemathesis)/bin/schemathesis" "${@:2}" ;;
  *) sed -n '2,10p' "${BASH_SOURCE[0]}" | cut -c 3- >&2; exit 2 ;;
esac
