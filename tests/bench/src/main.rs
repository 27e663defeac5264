//! `make bench`: Lockgate beside the raw client loop, in the same run, on the same broker and topics.
//!
//! Enters: names of cases, or none for all. Leaves: a table in Markdown on standard output, progress on standard error.
//! Invariant: records are counted at the far end, CPU is that of the worker's process, and every comparison stands beside the
//! comparison of the raw loop with itself.

mod cases;
mod framed;
mod guest;
mod idle;
mod instances;
mod languages;
mod languages_memory;
mod neighbour;
mod peer;
mod process;
mod raw;
mod series;
mod table;
mod uploads;
mod validate;

use lockgate_tests::Kafka;
use serde_json::Value;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|a| a == "__raw") {
        println!("{}", raw_loop(&arguments[1..]));
        return;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| name.starts_with(a.as_str()));
    let kafka = match std::env::var("LOCKGATE_TEST_BOOTSTRAP") {
        Ok(_) => Kafka::shared(),
        Err(_) => Box::leak(Box::new(Kafka::start(1, &[]))),
    };
    println!("load before: {}\n", process::load());
    let pairs = cases::all().into_iter().filter(|case| wanted(case.name));
    let rows: Vec<_> = pairs.map(|case| series::run(kafka, &case)).collect();
    if !rows.is_empty() {
        table::print_pairs(&rows);
    }
    if wanted("instances") {
        table::print("Instances", &instances::run());
    }
    if wanted("validate") {
        table::print("JSON that passes through is valid", &validate::run());
    }
    if wanted("languages") {
        table::print("Languages", &languages::run());
    }
    if wanted("memory") {
        table::print("Cost of a language", &languages_memory::run(kafka));
    }
    if wanted("idle") {
        table::print("Idle sink connectors", &idle::run(kafka));
    }
    if wanted("upload") {
        table::print("From upload to RUNNING", &uploads::run(kafka));
    }
    if wanted("neighbour") {
        table::print("A spinning neighbour", &neighbour::run(kafka));
    }
    if wanted("peer") {
        let cases: Vec<_> = cases::all().into_iter().filter(|case| cases::PEER.contains(&case.name)).collect();
        table::print("Beside Kafka Connect", &peer::run(kafka, &cases));
    }
    println!("load after: {}", process::load());
}

fn raw_loop(arguments: &[String]) -> Value {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().expect("a number");
    match words[..] {
        ["consume", bootstrap, topic, partitions, count] => {
            raw::consume(bootstrap, topic, partitions.parse().expect("partitions"), number(count))
        }
        ["produce", bootstrap, topic, count, size, linger, batch] => {
            raw::produce(bootstrap, topic, number(count), usize::try_from(number(size)).expect("a size"), linger, batch)
        }
        ["idle", bootstrap, topic, clients] => raw::idle(bootstrap, topic, clients.parse().expect("clients")),
        _ => panic!("__raw {words:?}"),
    }
}
