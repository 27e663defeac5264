#!/usr/bin/env bash
# A real Apache Kafka on this machine, for tests and as the model of what `lockgate dev` starts by itself.
#
#   kafka.sh jars                          fetches the jars (once; Java and Maven by apt if they are missing), prints their directory
#   kafka.sh connect-jars                  as `jars`, with Kafka Connect's, for parity tests
#   kafka.sh start  DIR PORT [KEY=VALUE..] one node: broker on 127.0.0.1:PORT, controller on PORT+1; ready when it returns
#   kafka.sh start3 DIR PORT [KEY=VALUE..] three nodes: brokers on PORT, PORT+2, PORT+4, controllers on PORT+1, +3, +5
#   kafka.sh start-secure DIR PORT         one node that also wants logins: SASL_PLAINTEXT on PORT+2, SASL_SSL on PORT+3, SSL with
#                                          client certificates on PORT+4; user ann, password see SECRET; PEM files in DIR/tls
#   kafka.sh connect DIR FILE              a Kafka Connect worker (ConnectDistributed) with the properties in FILE; poll its REST
#   kafka.sh stop   DIR                    stops what was started in DIR, and waits for it; data stays
#   kafka.sh kill   DIR                    as `stop`, with SIGKILL
#
# Bootstrap is 127.0.0.1:PORT. `start` on a DIR that was used before goes on with its data. KEY=VALUE are more broker settings.
# Environment: LOCKGATE_CACHE (default ~/.cache/lockgate), JAVA_HOME, KAFKA_HEAP (default 512m).
#
# What it does, for those who do it from a program. With JARS the directory that `jars` prints, NODE = DIR/<node id>
# holding server.properties and log4j2.properties as written by `write_properties` below:
#
#   1. only if NODE/data/meta.properties is missing (a cluster id is 22 characters of URL-safe base64 of 16 random bytes):
#        java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=NODE/log4j2.properties \
#             -cp 'JARS/*' kafka.tools.StorageTool format --cluster-id ID --config NODE/server.properties
#   2. java -Xms64m -Xmx512m -XX:+UseSerialGC -Djava.awt.headless=true -Dlog4j2.configurationFile=NODE/log4j2.properties \
#             -cp 'JARS/*' kafka.Kafka NODE/server.properties
#   3. ready = a metadata request is answered (kcat, else org.apache.kafka.tools.ClusterTool), not the line in the log.
#      In the first second the coordinators may still answer NOT_COORDINATOR, which clients retry.
#   4. SIGTERM ends it within seconds; data survives SIGKILL too.
set -euo pipefail

readonly VERSION=4.3.1
readonly HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly CACHE=${LOCKGATE_CACHE:-$HOME/.cache/lockgate}
readonly START_DEADLINE_S=120 STOP_DEADLINE_S=30
readonly SECRET='sesame;open=1'
FORMAT=() # more arguments for formatting

fail() { echo "kafka.sh: $*" >&2; exit 1; }

java_program() {
  if [[ -n ${JAVA_HOME:-} && -x $JAVA_HOME/bin/java ]]; then echo "$JAVA_HOME/bin/java"; else command -v java || true; fi
}

apt_install() {
  local sudo=""
  [[ $(id -u) -eq 0 ]] || sudo=$(command -v sudo) || fail "please install $* (needs root)"
  command -v apt-get >/dev/null || fail "please install $* (no apt-get here)"
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 ||
    { $sudo apt-get update -q >&2 && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2; } ||
    fail "could not install $*: install it by hand and start again"
}

# jars KIND(kafka|connect): prints the directory. Two callers at once wait for each other; a broken download leaves nothing.
jars() {
  local kind=$1 dir=$CACHE/$1-$VERSION profile=()
  [[ -n $(java_program) ]] || apt_install openjdk-17-jre-headless
  if [[ ! -f $dir/.complete || $HERE/pom.xml -nt $dir/.complete ]]; then
    [[ $kind == kafka ]] || profile=(-Pconnect)
    command -v mvn >/dev/null || apt_install maven
    mkdir -p "$CACHE"
    (
      flock -w 900 9 || fail "somebody else is still fetching the jars"
      if [[ ! -f $dir/.complete || $HERE/pom.xml -nt $dir/.complete ]]; then
        local fresh=$dir.fetching
        rm -rf "$fresh"
        echo "fetching the jars of Apache Kafka $VERSION (about 50 MB, once)" >&2
        mvn -q -B -f "$HERE/pom.xml" "${profile[@]}" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
          -DincludeScope=runtime -DoutputDirectory="$fresh" >&2 || fail "Maven could not fetch the jars (see above)"
        touch "$fresh/.complete"
        rm -rf "$dir"
        mv "$fresh" "$dir"
      fi
    ) 9>"$CACHE/.$kind.lock"
  fi
  echo "$dir"
}

# write_properties NODE ID PORT VOTERS REPLICAS MIN_ISR [KEY=VALUE..]
write_properties() {
  local node=$1 id=$2 port=$3 voters=$4 replicas=$5 min_isr=$6
  shift 6
  mkdir -p "$node/data"
  cat >"$node/server.properties" <<END
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$node/data
default.replication.factor=$replicas
min.insync.replicas=$min_isr
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$min_isr
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$min_isr
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
controlled.shutdown.max.retries=1
END
  local setting
  for setting in "$@"; do
    [[ $setting == *=* ]] || fail "not KEY=VALUE: $setting"
    echo "$setting" >>"$node/server.properties"
  done
  write_logging "$node"
}

write_logging() {
  local node=$1
  cat >"$node/log4j2.properties" <<END
status=error
appender.file.type=File
appender.file.name=file
appender.file.fileName=$node/server.log
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
END
}

cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c 1-22; }

# launch NODE JARS CLUSTER
launch() {
  local node=$1 jars=$2 cluster=$3 java
  java=$(java_program)
  if [[ ! -f $node/data/meta.properties ]]; then
    "$java" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$node/log4j2.properties" \
      -cp "$jars/*" kafka.tools.StorageTool format --cluster-id "$cluster" --config "$node/server.properties" "${FORMAT[@]}" \
      >"$node/format.log" 2>&1 || { cat "$node/format.log" >&2; fail "could not format $node/data"; }
  fi
  setsid nohup "$java" -Xms64m "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseSerialGC -Djava.awt.headless=true \
    "-Dlog4j2.configurationFile=$node/log4j2.properties" -cp "$jars/*" kafka.Kafka "$node/server.properties" \
    >"$node/console.log" 2>&1 </dev/null 9>&- &
  echo $! >"$node/pid"
}

answers() {
  local port=$1 jars=$2
  if command -v kcat >/dev/null; then
    kcat -b "127.0.0.1:$port" -L -m 2 2>/dev/null | grep -q "broker .* at 127.0.0.1:$port"
  else
    timeout 1 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null &&
      "$(java_program)" -Xmx128m -cp "$jars/*" org.apache.kafka.tools.ClusterTool cluster-id \
        --bootstrap-server "127.0.0.1:$port" >/dev/null 2>&1
  fi
}

# wait_ready NODE PORT JARS
wait_ready() {
  local node=$1 port=$2 jars=$3 deadline=$((SECONDS + START_DEADLINE_S))
  until answers "$port" "$jars"; do
    kill -0 "$(cat "$node/pid")" 2>/dev/null ||
      { tail -n 20 "$node/console.log" "$node/server.log" >&2 || true; fail "the broker in $node ended at once (see above)"; }
    ((SECONDS < deadline)) || fail "the broker in $node did not answer within $START_DEADLINE_S s, see $node/server.log"
    sleep 0.2
  done
}

# start DIR PORT COUNT [KEY=VALUE..]
start() {
  local dir=$1 port=$2 count=$3 jars voters="" id node replicas=1 min_isr=1 cluster
  shift 3
  [[ $port =~ ^[0-9]+$ ]] || fail "PORT must be a number, not '$port'"
  jars=$(jars kafka)
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  ((count == 1)) || { replicas=3 min_isr=2; }
  [[ -f $dir/cluster.id ]] || cluster_id >"$dir/cluster.id"
  cluster=$(cat "$dir/cluster.id")
  for ((id = 1; id <= count; id++)); do voters+="${voters:+,}$id@127.0.0.1:$((port + 2 * id - 1))"; done
  for ((id = 1; id <= count; id++)); do
    node=$dir/$id
    ! { [[ -f $node/pid ]] && kill -0 "$(cat "$node/pid")" 2>/dev/null; } || fail "a broker is already running in $node"
    write_properties "$node" "$id" "$((port + 2 * (id - 1)))" "$voters" "$replicas" "$min_isr" "$@"
    launch "$node" "$jars" "$cluster"
  done
  for ((id = 1; id <= count; id++)); do wait_ready "$dir/$id" "$((port + 2 * (id - 1)))" "$jars"; done
  echo "127.0.0.1:$port"
}

# certificates DIR: a CA, a broker's certificate for 127.0.0.1 and a client's, as PEM, each with its key in one file besides
certificates() {
  local tls=$1 name
  [[ ! -f $tls/ca.pem ]] || return 0
  command -v openssl >/dev/null || apt_install openssl
  mkdir -p "$tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=lockgate-test-ca -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
  for name in broker client; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$tls/$name.key" -out "$tls/$name.csr" 2>/dev/null
    openssl x509 -req -in "$tls/$name.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 30 \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') -out "$tls/$name.pem" 2>/dev/null
    cat "$tls/$name.key" "$tls/$name.pem" >"$tls/$name.both.pem"
  done
}

# start_secure DIR PORT
start_secure() {
  local dir=$1 port=$2 tls module=org.apache.kafka.common.security listener settings
  certificates "$dir/tls"
  tls=$(cd "$dir/tls" && pwd)
  settings=(
    "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),SASL_PLAINTEXT://127.0.0.1:$((port + 2)),SASL_SSL://127.0.0.1:$((port + 3)),SSL://127.0.0.1:$((port + 4))"
    "advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$((port + 2)),SASL_SSL://127.0.0.1:$((port + 3)),SSL://127.0.0.1:$((port + 4))"
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL"
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
    "ssl.keystore.type=PEM" "ssl.keystore.location=$tls/broker.both.pem"
    "ssl.truststore.type=PEM" "ssl.truststore.location=$tls/ca.pem"
    "listener.name.ssl.ssl.client.auth=required"
  )
  for listener in sasl_plaintext sasl_ssl; do
    settings+=(
      "listener.name.$listener.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_ann=\"$SECRET\";"
      "listener.name.$listener.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;"
      "listener.name.$listener.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;"
      "listener.name.$listener.oauthbearer.sasl.jaas.config=$module.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";"
    )
  done
  FORMAT=(--add-scram "SCRAM-SHA-256=[name=ann,password=$SECRET]" --add-scram "SCRAM-SHA-512=[name=ann,password=$SECRET]")
  start "$dir" "$port" 1 "${settings[@]}"
}

# connect DIR FILE
connect() {
  local node=$1/connect file=$2 jars
  jars=$(jars connect)
  mkdir -p "$node"
  write_logging "$node"
  setsid nohup "$(java_program)" -Xms64m "-Xmx${KAFKA_HEAP:-384m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Djava.awt.headless=true "-Dlog4j2.configurationFile=$node/log4j2.properties" -cp "$jars/*" \
    org.apache.kafka.connect.cli.ConnectDistributed "$file" >"$node/console.log" 2>&1 </dev/null &
  echo $! >"$node/pid"
}

# stop DIR SIGNAL
stop() {
  local dir=$1 signal=$2 file deadline=$((SECONDS + STOP_DEADLINE_S))
  for file in "$dir"/*/pid; do
    [[ -f $file ]] && kill "-$signal" "$(cat "$file")" 2>/dev/null || true
  done
  for file in "$dir"/*/pid; do
    [[ -f $file ]] || continue
    while kill -0 "$(cat "$file")" 2>/dev/null; do
      ((SECONDS < deadline)) || { kill -KILL "$(cat "$file")" 2>/dev/null || true; }
      sleep 0.1
    done
    rm -f "$file"
  done
}

usage() { sed -n '2,13p' "${BASH_SOURCE[0]}" | cut -c 3- >&2; exit 2; }

case ${1:-} in
  jars) jars kafka ;;
  connect-jars) jars connect ;;
  start) [[ $# -ge 3 ]] || usage; start "$2" "$3" 1 "${@:4}" ;;
  start3) [[ $# -ge 3 ]] || usage; start "$2" "$3" 3 "${@:4}" ;;
  start-secure) [[ $# -eq 3 ]] || usage; start_secure "$2" "$3" ;;
  connect) [[ $# -eq 3 ]] || usage; connect "$2" "$3" ;;
  stop) [[ $# -eq 2 ]] || usage; stop "$2" TERM ;;
  kill) [[ $# -eq 2 ]] || usage; stop "$2" KILL ;;
  *) usage ;;
esac
