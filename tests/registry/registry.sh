#!/usr/bin/env bash
# A real schema registry on this machine, for tests: Apicurio, which speaks Confluent's API at /apis/ccompat/v7.
#
#   registry.sh fetch            fetches and unpacks it (once; about 140 MB by Maven), prints its directory
#   registry.sh start DIR PORT   listens on 127.0.0.1:PORT, keeps everything in memory; ready when it returns
#   registry.sh kill  DIR        ends what was started in DIR
#
# Environment: LOCKGATE_CACHE (default ~/.cache/lockgate), JAVA_HOME.
set -euo pipefail

readonly VERSION=2.6.13.Final
readonly CACHE=${LOCKGATE_CACHE:-$HOME/.cache/lockgate}
readonly START_DEADLINE_S=180

fail() { echo "registry.sh: $*" >&2; exit 1; }

# Two callers at once wait for each other; a broken download leaves nothing.
fetch() {
  local dir=$CACHE/apicurio-$VERSION
  if [[ ! -f $dir/.complete ]]; then
    mkdir -p "$CACHE"
    (
      flock -w 900 9 || fail "somebody else is still fetching the registry"
      if [[ ! -f $dir/.complete ]]; then
        local fresh=$dir.fetching
        rm -rf "$fresh"
        mkdir -p "$fresh"
        echo "fetching the schema registry $VERSION (about 140 MB, once)" >&2
        mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
          -Dartifact="io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all" -DoutputDirectory="$fresh" >&2 ||
          fail "Maven could not fetch the registry (see above)"
        tar -xzf "$fresh"/*.tar.gz -C "$fresh"
        rm -f "$fresh"/*.tar.gz
        touch "$fresh/.complete"
        rm -rf "$dir"
        mv "$fresh" "$dir"
      fi
    ) 9>"$CACHE/.apicurio.lock"
  fi
  echo "$dir"
}

start() {
  local dir=$1 port=$2 home jar java=java
  home=$(fetch)
  jar=$(find "$home" -name 'apicurio-registry-app-*-runner.jar' | head -n 1)
  [[ -n $jar ]] || fail "no jar in $home"
  [[ -z ${JAVA_HOME:-} ]] || java=$JAVA_HOME/bin/java
  mkdir -p "$dir"
  (cd "$dir" && QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$port exec "$java" -Xmx512m -XX:+UseSerialGC \
    -XX:TieredStopAtLevel=1 -jar "$jar" >"$dir/log" 2>&1 </dev/null) &
  echo $! >"$dir/pid"
  local end=$((SECONDS + START_DEADLINE_S))
  until curl -fs -o /dev/null "http://127.0.0.1:$port/apis/ccompat/v7/subjects"; do
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || { tail -n 20 "$dir/log" >&2; fail "the registry ended at once"; }
    ((SECONDS < end)) || { tail -n 20 "$dir/log" >&2; fail "the registry is not ready after $START_DEADLINE_S s"; }
    sleep 0.2
  done
}

stop() {
  [[ ! -f $1/pid ]] || kill -9 "$(cat "$1/pid")" 2>/dev/null || true
}

case ${1:-} in
  fetch) fetch ;;
  start) start "$2" "$3" ;;
  kill) stop "$2" ;;
  *) fail "usage: registry.sh fetch | start DIR PORT | kill DIR" ;;
esac
