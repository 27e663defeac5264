//! Settings of Kafka clients that a connector may be shown to override, as Kafka 4.3 defines them.
//!
//! Enters: a client and a key without prefix. Leaves: its definition. Invariant: names, types, defaults and importance are
//! those of the Java clients; whether a key may be overridden is not said here.

use lockgate_model::package::{ConfigType, Importance};

use ConfigType::{Boolean, Int, List, Long, String as Text};
use Importance::{High, Low, Medium};

use crate::definitions::Known;
use crate::overrides::Client;
use Client::{Admin, Consumer, Producer};

/// The definition of a key; `None` if the client does not know it.
pub fn client_key(client: Client, key: &str) -> Option<Known> {
    let (_, _, kind, default, importance) =
        KEYS.iter().find(|(name, clients, ..)| *name == key && clients.contains(&client))?;
    let text = format!("A setting of the connector's {} in Kafka's own words.", client.noun());
    let known = Known::new(&format!("{}{key}", client.prefix()), *kind, *default, *importance, &text);
    Some(known.named(key))
}

type Row = (&'static str, &'static [Client], ConfigType, Option<&'static str>, Importance);

const ALL: &[Client] = &[Producer, Consumer, Admin];
const P: &[Client] = &[Producer];
const C: &[Client] = &[Consumer];
const A: &[Client] = &[Admin];
const PC: &[Client] = &[Producer, Consumer];
const PA: &[Client] = &[Producer, Admin];
const CA: &[Client] = &[Consumer, Admin];

#[rustfmt::skip] // a row a line
const KEYS: [Row; 66] = [
    ("client.dns.lookup", ALL, Text, Some("use_all_dns_ips"), Medium),
    ("buffer.memory", P, Long, Some("33554432"), High),
    ("retries", P, Int, Some("2147483647"), High),
    ("acks", P, Text, Some("all"), Low),
    ("compression.type", P, Text, Some("none"), High),
    ("compression.gzip.level", P, Int, Some("-1"), Medium),
    ("compression.lz4.level", P, Int, Some("9"), Medium),
    ("compression.zstd.level", P, Int, Some("3"), Medium),
    ("batch.size", P, Int, Some("16384"), Medium),
    ("partitioner.adaptive.partitioning.enable", P, Boolean, Some("true"), Low),
    ("partitioner.availability.timeout.ms", P, Long, Some("0"), Low),
    ("partitioner.ignore.keys", P, Boolean, Some("false"), Medium),
    ("linger.ms", P, Long, Some("5"), Medium),
    ("delivery.timeout.ms", P, Int, Some("120000"), Medium),
    ("client.id", PA, Text, Some(""), Medium),
    ("send.buffer.bytes", ALL, Int, Some("131072"), Medium),
    ("receive.buffer.bytes", P, Int, Some("32768"), Medium),
    ("max.request.size", P, Int, Some("1048576"), Medium),
    ("reconnect.backoff.ms", ALL, Long, Some("50"), Low),
    ("reconnect.backoff.max.ms", ALL, Long, Some("1000"), Low),
    ("retry.backoff.ms", ALL, Long, Some("100"), Low),
    ("retry.backoff.max.ms", ALL, Long, Some("1000"), Low),
    ("enable.metrics.push", PC, Boolean, Some("true"), Low),
    ("max.block.ms", P, Long, Some("60000"), Medium),
    ("request.timeout.ms", ALL, Int, Some("30000"), Medium),
    ("metadata.max.age.ms", ALL, Long, Some("300000"), Low),
    ("metadata.max.idle.ms", P, Long, Some("300000"), Low),
    ("metrics.sample.window.ms", ALL, Long, Some("30000"), Low),
    ("metrics.num.samples", ALL, Int, Some("2"), Low),
    ("metrics.recording.level", ALL, Text, Some("INFO"), Low),
    ("max.in.flight.requests.per.connection", P, Int, Some("5"), Low),
    ("socket.connection.setup.timeout.ms", ALL, Long, Some("10000"), Medium),
    ("socket.connection.setup.timeout.max.ms", ALL, Long, Some("30000"), Medium),
    ("connections.max.idle.ms", PC, Long, Some("540000"), Medium),
    ("enable.idempotence", P, Boolean, Some("true"), Low),
    ("metadata.recovery.strategy", ALL, Text, Some("rebootstrap"), Low),
    ("metadata.recovery.rebootstrap.trigger.ms", ALL, Long, Some("300000"), Low),
    ("group.id", C, Text, None, High),
    ("group.instance.id", C, Text, None, Medium),
    ("session.timeout.ms", C, Int, Some("45000"), High),
    ("heartbeat.interval.ms", C, Int, Some("3000"), High),
    ("partition.assignment.strategy", C, List, Some("org.apache.kafka.clients.consumer.CooperativeStickyAssignor"), Medium),
    ("enable.auto.commit", C, Boolean, Some("true"), Medium),
    ("auto.commit.interval.ms", C, Int, Some("5000"), Low),
    ("client.id", C, Text, Some(""), Low),
    ("client.rack", C, Text, Some(""), Low),
    ("max.partition.fetch.bytes", C, Int, Some("1048576"), High),
    ("receive.buffer.bytes", CA, Int, Some("65536"), Medium),
    ("fetch.min.bytes", C, Int, Some("1"), High),
    ("fetch.max.bytes", C, Int, Some("52428800"), Medium),
    ("fetch.max.wait.ms", C, Int, Some("500"), Low),
    ("auto.offset.reset", C, Text, Some("latest"), Medium),
    ("check.crcs", C, Boolean, Some("true"), Low),
    ("default.api.timeout.ms", CA, Int, Some("60000"), Medium),
    ("max.poll.records", C, Int, Some("500"), Medium),
    ("max.poll.interval.ms", C, Int, Some("300000"), Medium),
    ("exclude.internal.topics", C, Boolean, Some("true"), Medium),
    ("isolation.level", C, Text, Some("read_uncommitted"), Medium),
    ("allow.auto.create.topics", C, Boolean, Some("true"), Medium),
    ("group.protocol", C, Text, Some("classic"), High),
    ("group.remote.assignor", C, Text, None, Medium),
    ("share.acknowledgement.mode", C, Text, Some("implicit"), Medium),
    ("share.acquire.mode", C, Text, Some("BATCH_OPTIMIZED"), Medium),
    ("enable.metrics.push", A, Boolean, Some("false"), Low),
    ("connections.max.idle.ms", A, Long, Some("300000"), Medium),
    ("retries", A, Int, Some("2147483647"), Low),
];
