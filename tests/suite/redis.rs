//! The bundled sink to Redis, written in Go: what it writes is in a real Redis, whatever happens on the way.
//!
//! Enters: records. Leaves: keys, read by Redis's own client. Invariant: what the topic holds is what Redis holds in the end.

use lockgate_tests::redis::Redis;
use lockgate_tests::{Kafka, Topic, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::configs::with;

/// A sink from a topic to a server.
fn to_redis(topic: &Topic, redis: &Redis, more: &[(&str, &str)]) -> Value {
    let config = json!({
        "connector.class": "lockgate.RedisSink", "topics": topic.name, "tasks.max": "1", "redis.address": redis.address(),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
    });
    with(config, more)
}

fn worker(kafka: &Kafka, redis: &Redis) -> Worker {
    Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("lockgate.grants.tcp", &redis.address()))
}

fn keyed(topic: &Topic, records: &[(&str, Option<&str>)]) {
    let bytes = |text: &str| text.as_bytes().to_vec();
    topic.write_records(records.iter().map(|(k, v)| (None, Some(bytes(k)), v.map(bytes))), &[]);
}

#[test]
fn records_become_strings_hashes_streams_and_lists_in_redis() {
    let (kafka, redis) = (Kafka::shared(), Redis::start(&[]));
    let (worker, topic) = (worker(kafka, &redis), kafka.topic("to-redis", 1));
    keyed(
        &topic,
        &[("a", Some(r#"{"n":1,"s":"zażółć"}"#)), ("b", Some(r#"{"n":2}"#)), ("a", Some(r#"{"n":3}"#)), ("b", None)],
    );
    let hash = [("redis.command", "HSET"), ("redis.key", "h:{key}"), ("redis.ttl.seconds", "1000")];
    let tolerant = ("errors.tolerance", "all"); // a stream and a list have no place for a tombstone
    let stream = [("redis.command", "XADD"), ("redis.key", "s:{partition}"), ("redis.stream.id", "offset"), tolerant];
    let list = [("redis.command", "RPUSH"), ("redis.key", "l"), tolerant];
    worker.create("strings", to_redis(&topic, &redis, &[("redis.key", "v:{key}")]));
    worker.create("hashes", to_redis(&topic, &redis, &hash));
    worker.create("streams", to_redis(&topic, &redis, &stream));
    worker.create("lists", to_redis(&topic, &redis, &list));
    for name in ["strings", "hashes", "streams", "lists"] {
        eventually_equal(name, &Some(4), || topic.committed(&format!("connect-{name}")).get(&0).copied());
    }
    assert_eq!(redis.ask(&["GET", "v:a"]), r#"{"n":3}"#);
    assert_eq!(redis.ask(&["EXISTS", "v:b", "h:b"]), "0", "a tombstone deletes");
    assert_eq!(redis.ask(&["HGETALL", "h:a"]), "n\n3\ns\nzażółć");
    let left: u32 = redis.ask(&["TTL", "h:a"]).parse().unwrap();
    assert!((900..=1000).contains(&left), "{left}");
    assert_eq!(redis.ask(&["XRANGE", "s:0", "-", "+"]), "1-0\nn\n1\ns\nzażółć\n2-0\nn\n2\n3-0\nn\n3");
    assert_eq!(redis.ask(&["LLEN", "l"]), "3");
    assert_eq!(redis.ask(&["LINDEX", "l", "-1"]), r#"{"n":3}"#);
}

#[test]
fn a_redis_that_dies_in_the_middle_loses_nothing() {
    const RECORDS: usize = 4_000;
    let (kafka, mut redis) = (Kafka::shared(), Redis::start(&[]));
    let (worker, topic) = (worker(kafka, &redis), kafka.topic("redis-dies", 2));
    let write = |from: usize, to: usize| {
        let records = (from..to).map(|n| (None, Some(format!("k{n}").into_bytes()), Some(n.to_string().into_bytes())));
        topic.write_records(records, &[]);
    };
    write(0, RECORDS / 2);
    worker.create_running(
        "survivor",
        to_redis(&topic, &redis, &[("redis.batch.max", "50"), ("consumer.override.max.poll.records", "100")]),
    );
    eventually("some of it has arrived", || (redis.ask(&["DBSIZE"]) != "0").then_some(()));
    redis.kill();
    write(RECORDS / 2, RECORDS);
    eventually("the sink has noticed", || worker.log().contains("[tcp.connect]").then_some(()));
    redis.start_again();
    eventually_equal("everything is there", &RECORDS.to_string(), || redis.ask(&["DBSIZE"]));
    assert_eq!(redis.ask(&["GET", "k3999"]), "3999");
    worker.wait_running("survivor");
}

#[test]
fn a_wrong_password_stops_the_task_and_the_right_one_starts_it() {
    let (kafka, redis) = (Kafka::shared(), Redis::start(&["--requirepass", "right-secret"]));
    let (worker, topic) = (worker(kafka, &redis), kafka.topic("redis-password", 1));
    keyed(&topic, &[("a", Some("1"))]);
    worker.create("guarded", to_redis(&topic, &redis, &[("redis.password", "wrong-secret")]));
    let trace = worker.wait_failed("guarded");
    assert!(
        trace.contains("redis.auth") && trace.contains("redis.password") && !trace.contains("wrong-secret"),
        "{trace}"
    );
    let right = to_redis(&topic, &redis, &[("redis.password", "right-secret"), ("redis.database", "3")]);
    worker.call("PUT", "/connectors/guarded/config", &right).expect(200);
    let ask = |command: &[&str]| redis.ask_with(&["-a", "right-secret", "--no-auth-warning", "-n", "3"], command);
    eventually_equal("it is written", &"1".to_owned(), || ask(&["GET", "a"]));
    worker.post("/connectors/guarded/tasks/0/restart").expect(204);
    keyed(&topic, &[("a", Some("2"))]);
    eventually_equal("the next one too, after a restart of the task", &"2".to_owned(), || ask(&["GET", "a"]));
    assert!(!worker.log().contains("-secret"), "a password is in the log");
}

#[test]
fn a_redis_that_is_not_granted_is_named_with_the_setting() {
    let (kafka, redis) = (Kafka::shared(), Redis::start(&[]));
    let (worker, topic) = (Worker::start(&kafka.bootstrap), kafka.topic("redis-closed", 1));
    keyed(&topic, &[("a", Some("1"))]);
    let config = to_redis(&topic, &redis, &[]);
    let answer = worker.call("POST", "/connectors", &json!({"name": "locked", "config": config}));
    let reason = if answer.status == 201 { worker.wait_failed("locked") } else { answer.text() };
    assert!(reason.contains(&redis.address()) && reason.contains("lockgate.grants.tcp"), "{reason}");
    assert_eq!(redis.ask(&["DBSIZE"]), "0");
}

#[test]
fn redis_is_spoken_to_by_tls_and_a_certificate_of_another_name_is_refused() {
    let tls = |name: &str| places::root().join("tests/suite/tls").join(name).to_string_lossy().into_owned();
    let settings = ["--tls-port", "--tls-cert-file", &tls("server.pem"), "--tls-key-file", &tls("server.key")];
    let more = ["--tls-ca-cert-file", &tls("ca.pem"), "--tls-auth-clients", "no"];
    let (kafka, redis) = (Kafka::shared(), Redis::start(&[&settings[..], &more[..]].concat()));
    let address = format!("localhost:{}", redis.port);
    let options = WorkerOptions::default()
        .with("lockgate.grants.tcp", &address)
        .with("lockgate.grants.private", "127.0.0.0/8, ::1")
        .with("lockgate.grants.read", &places::root().join("tests/suite/tls").to_string_lossy());
    let (worker, topic) = (Worker::start_with(&kafka.bootstrap, options), kafka.topic("redis-tls", 1));
    keyed(&topic, &[("a", Some("1"))]);
    let settings = [("redis.address", address.as_str()), ("redis.tls", "true"), ("redis.tls.ca.file", &tls("ca.pem"))];
    let secure = to_redis(&topic, &redis, &settings);
    worker.create("secure", secure.clone());
    let options = ["--tls", "--cacert", &tls("ca.pem"), "--sni", "localhost", "-h", "localhost"];
    eventually_equal("it is written", &"1".to_owned(), || redis.ask_with(&options, &["GET", "a"]));
    worker.create("strange", with(secure, &[("redis.tls.server.name", "elsewhere")]));
    let trace = worker.wait_failed("strange");
    assert!(trace.contains("redis.tls") && trace.contains("elsewhere"), "{trace}");
}
