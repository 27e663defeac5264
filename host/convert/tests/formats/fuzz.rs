//! Random and mutated bytes through every decoder, for a bounded time.
//!
//! Enters: seeds, mutated. Leaves: nothing. Invariant: no panic, no overflow of a stack as small as the
//! host's, no input that takes seconds or memory beyond its size.
//!
//! `LOCKGATE_FUZZ_SECONDS` (default 5) is the time in all, `LOCKGATE_FUZZ_SEED` repeats a run; both are printed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use lockgate_convert::registry::SchemaType;
use lockgate_convert::schema::Schema;
use lockgate_convert::{Decode, Encode};
use lockgate_model::batch::Encoding;
use lockgate_model::schemas::Schemas;

use crate::rig::{Rig, decoded, encoded};
use crate::seeds;

/// As the threads of the host's runtime have it.
const STACK_BYTES: usize = 2 << 20;
/// An input is at most so large.
const INPUT_MAX: usize = 256 * 1024;
/// What one input may take; a machine that stalls takes less.
const INPUT_TIME: Duration = Duration::from_secs(20);
/// What the process may grow by, in all, in bytes.
const GROWTH_MAX: u64 = 1 << 30;

/// Small and fast; good enough to choose mutations.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }
}

/// Feeds a decoder; what it answers does not matter.
type Run = Box<dyn FnMut(&[u8])>;

struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    /// What nests in this format: an opening that is repeated.
    nests: &'static [u8],
    run: Run,
}

fn target(name: &'static str, seeds: &[&[u8]], nests: &'static [u8], run: impl FnMut(&[u8]) + 'static) -> Target {
    Target { name, seeds: seeds.iter().map(|s| s.to_vec()).collect(), nests, run: Box::new(run) }
}

fn reads(mut decode: (Decode, Schemas)) -> impl FnMut(&[u8]) {
    move |bytes| drop(decoded(&mut decode, Some(bytes)))
}

fn writes(mut encode: (Encode, Schemas), schema: &'static str) -> impl FnMut(&[u8]) {
    move |bytes| drop(encoded(&mut encode, Some(bytes), schema))
}

/// Text of a schema, then data written with it.
fn compiles(class: &'static str, schema_type: SchemaType) -> impl FnMut(&[u8]) {
    move |bytes| {
        // A registry for each text: what is kept is not what is looked at here.
        let rig = Rig::new(class, &[("json.fail.invalid.schema", "true")]);
        let id = seeds::register(&rig.registry, schema_type, &String::from_utf8_lossy(bytes));
        let _ = decoded(&mut rig.decode(Encoding::Json), Some(&seeds::framed(id, &[0, 0, 0, 0])));
    }
}

fn targets() -> Vec<Target> {
    [of_json(), of_registries(), of_payloads(), of_schemas()].into_iter().flatten().collect()
}

fn rig(class: &str, settings: &[(&str, &str)]) -> Rig {
    Rig::with(class, settings, seeds::registry())
}

const PLAIN: [(&str, &str); 1] = [("schemas.enable", "false")];

fn of_json() -> Vec<Target> {
    let envelope = format!(
        "{{\"schema\":{},\"payload\":{{\"a\":1,\"b\":null,\"c\":[],\"d\":[],\"e\":\"AA==\"}}}}",
        seeds::CONNECT
    );
    let (json, envelope) = (seeds::JSON.as_bytes(), envelope.as_bytes());
    let utf16 = rig("StringConverter", &[("converter.encoding", "UTF-16")]);
    vec![
        target("json to json", &[json], b"[", reads(rig("JsonConverter", &PLAIN).decode(Encoding::Json))),
        target("json to cbor", &[json], b"{\"a\":", reads(rig("JsonConverter", &PLAIN).decode(Encoding::Cbor))),
        target("envelope", &[envelope], b"[", reads(rig("JsonConverter", &[]).decode(Encoding::Json))),
        target(
            "envelope to cbor",
            &[envelope],
            b"{\"payload\":",
            reads(rig("JsonConverter", &[]).decode(Encoding::Cbor)),
        ),
        target("utf-16", &[b"\xfe\xff\0a"], b"\xd8\x3d", reads(utf16.decode(Encoding::Json))),
        of_headers(),
    ]
}

fn of_registries() -> Vec<Target> {
    let (avro, protobuf) = (seeds::avro_data(), seeds::protobuf());
    let json = seeds::framed(3, seeds::JSON.as_bytes());
    let flat = rig("ProtobufConverter", &[("flatten.unions", "true")]);
    let checked = rig("JsonSchemaConverter", &[("json.fail.invalid.schema", "true")]);
    vec![
        target("avro", &[&avro], b"\x02", reads(rig("AvroConverter", &[]).decode(Encoding::Json))),
        target("avro to cbor", &[&avro], b"\x01\x02", reads(rig("AvroConverter", &[]).decode(Encoding::Cbor))),
        target("protobuf", &[&protobuf], b"\x7b", reads(rig("ProtobufConverter", &[]).decode(Encoding::Json))),
        target("protobuf to cbor", &[&protobuf], b"\x83\x01", reads(flat.decode(Encoding::Cbor))),
        target("json schema data", &[&json], b"[", reads(rig("JsonSchemaConverter", &[]).decode(Encoding::Json))),
        target("validated json schema data", &[&json], b"{\"h\":", reads(checked.decode(Encoding::Cbor))),
    ]
}

fn of_payloads() -> Vec<Target> {
    let (cbor, json) = (seeds::cbor(), seeds::JSON.as_bytes());
    let typed = rig("JsonConverter", &[]).encode(Encoding::Cbor);
    let to_protobuf = rig("ProtobufConverter", &[]).encode(Encoding::Json);
    vec![
        target("cbor payload", &[&cbor], b"\x81", writes(rig("JsonConverter", &PLAIN).encode(Encoding::Cbor), "")),
        target("typed cbor payload", &[&cbor], b"\xa1\x00", writes(typed, seeds::CONNECT)),
        target("json payload to protobuf", &[json], b"[", writes(to_protobuf, seeds::CONNECT)),
    ]
}

fn of_schemas() -> Vec<Target> {
    let connect = |bytes: &[u8]| {
        drop(Schema::parse(&String::from_utf8_lossy(bytes)).map(|schema| schema.to_json()));
    };
    let (avro, proto) =
        (compiles("AvroConverter", SchemaType::Avro), compiles("ProtobufConverter", SchemaType::Protobuf));
    let json = compiles("JsonSchemaConverter", SchemaType::Json);
    vec![
        target("connect schema text", &[seeds::CONNECT.as_bytes()], b"{\"type\":\"array\",\"items\":", connect),
        target("avro schema text", &[seeds::AVRO.as_bytes()], b"{\"type\":\"array\",\"items\":", avro),
        target("proto text", &[seeds::PROTOBUF.as_bytes()], b"message M {", proto),
        target("json schema text", &[seeds::JSON_SCHEMA.as_bytes()], b"{\"items\":", json),
    ]
}

/// `Values`, by way of a header.
fn of_headers() -> Target {
    let seeds: [&[u8]; 3] =
        [b"{\"a\":[1,2.5,null],\"b\":{\"c\":\"2020-01-01\"}}", b"-1.5e300", b"2020-01-01T00:00:00.000Z"];
    let (mut decode, schemas) = (header_decode(), Schemas::default());
    target("values", &seeds, b"[", move |bytes: &[u8]| {
        use lockgate_model::batch::HeaderRow;
        let mut batch = crate::rig::batch(None, "", &schemas);
        let value = batch.push_bytes(Some(bytes));
        batch.headers.push(HeaderRow { value, ..bytemuck::Zeroable::zeroed() });
        batch.rows[0].header_count = 1;
        let _ = decode.batch(&mut batch);
    })
}

fn header_decode() -> Decode {
    use indexmap::IndexMap;
    use lockgate_convert::{Converter, Role};
    use lockgate_model::batch::Formats;
    let plain = |class, role| Converter::configure(class, &IndexMap::new(), role).unwrap();
    let (key, value) = (plain("ByteArrayConverter", Role::Key), plain("ByteArrayConverter", Role::Value));
    let formats = Formats { header: Encoding::Json, ..Formats::BYTES };
    Decode::new(key, value, plain("SimpleHeaderConverter", Role::Header), formats)
}

fn mutated(random: &mut Random, target: &Target) -> Vec<u8> {
    let mut bytes = target.seeds[random.below(target.seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let (at, len) = (random.below(bytes.len()), random.below(16) + 1);
        match random.below(10) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', b'9'][random.below(8)],
            3 => {
                let noise: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
                bytes.splice(at..at, noise);
            }
            4 => drop(bytes.drain(at..(at + len).min(bytes.len()))),
            5 => bytes.truncate(at),
            6 => {
                // A length that says too much.
                let absurd = [0xff_u8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
                bytes.splice(at..at, absurd[random.below(10)..].iter().copied());
            }
            7 => {
                let piece: Vec<u8> = bytes[at..(at + len).min(bytes.len())].to_vec();
                let times = random.below(200);
                bytes.splice(at..at, piece.repeat(times));
            }
            8 => {
                let times = 1 << random.below(15);
                bytes.splice(at..at, target.nests.repeat(times));
            }
            _ => bytes = (0..random.below(64)).map(|_| random.next().to_le_bytes()[0]).collect(),
        }
        bytes.truncate(INPUT_MAX);
    }
    bytes
}

/// Resident bytes of this process; zero where the system does not say.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn hunt(seconds: u64, seed: u64) {
    let mut targets = targets();
    let mut random = Random(seed);
    let before = resident();
    let share = Duration::from_secs(seconds) / u32::try_from(targets.len()).unwrap();
    for target in &mut targets {
        let began = Instant::now();
        let mut inputs = 0_u64;
        // What each decoder must stand: nothing, its seeds, and 10,000 levels.
        let mut first: Vec<Vec<u8>> = target.seeds.clone();
        first.extend([Vec::new(), target.nests.repeat(10_000), seeds::framed(2, &target.nests.repeat(10_000))]);
        while began.elapsed() < share || !first.is_empty() {
            let input = first.pop().unwrap_or_else(|| mutated(&mut random, target));
            let started = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
            let (name, took) = (target.name, started.elapsed());
            assert!(outcome.is_ok(), "{name} panicked, seed {seed}, input {:02x?}", &input[..input.len().min(2000)]);
            assert!(
                took < INPUT_TIME,
                "{name} took {took:?}, seed {seed}, input {:02x?}",
                &input[..input.len().min(2000)]
            );
            inputs += 1;
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < GROWTH_MAX, "{} has {grown} bytes more than at the start, seed {seed}", target.name);
        println!("{}: {inputs} inputs", target.name);
    }
}

#[test]
fn what_mutations_start_from_is_good() {
    let data = [
        ("AvroConverter", seeds::avro_data()),
        ("ProtobufConverter", seeds::protobuf()),
        ("JsonSchemaConverter", seeds::framed(3, seeds::JSON.as_bytes())),
    ];
    for (class, bytes) in data {
        let rig = Rig::with(class, &[], seeds::registry());
        let (payload, schema) = decoded(&mut rig.decode(Encoding::Json), Some(&bytes)).unwrap();
        assert!(payload.is_some_and(|p| p.len() > 40) && schema.starts_with("{\"type\":\"struct\""), "{class}");
    }
    assert!(Schema::parse(seeds::CONNECT).is_ok());
}

#[test]
fn no_input_does_harm_to_any_decoder() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("LOCKGATE_FUZZ_SECONDS").unwrap_or(5);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("LOCKGATE_FUZZ_SEED").unwrap_or(u64::from(now.subsec_nanos()) ^ now.as_secs());
    println!("LOCKGATE_FUZZ_SECONDS={seconds} LOCKGATE_FUZZ_SEED={seed}");
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || hunt(seconds, seed)).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
