//! Kafka Connect 4.3 and Lockgate, asked the same.
//!
//! Enters: `tests/parity`. Leaves: one test. Invariant: each has a Kafka of its own with the same topics in it, so that neither
//! sees what the other does.

use std::fmt::Write as _;
use std::path::Path;

use lockgate_tests::worker::unique;
use lockgate_tests::{Answer, Connect, Kafka, Worker, WorkerOptions};

use crate::parity::{Difference, Places, differences, judge, steps, walk};

/// The group of both workers: one sink is named so that its consumers would join it.
const GROUP: &str = "connect-taken";

/// Differences that a failure prints; all of them are in the report.
const PRINTED_MAX: usize = 60;

/// One server's answers, and its own words with their stand-ins.
struct Side {
    answers: Vec<(String, Result<Answer, String>)>,
    own: [(String, &'static str); 2],
}

impl Side {
    /// Asks everything of a server whose connectors may use `dir`.
    fn ask(address: &str, dir: &Path, topic: &str) -> Self {
        std::fs::write(dir.join("in.txt"), "one\ntwo\nthree\n").unwrap();
        let dir = dir.to_string_lossy().into_owned();
        let own = [(address.to_owned(), "HOST"), (dir.clone(), "DIR")];
        let (topic, sourced) = (topic.to_owned(), format!("{topic}-sourced"));
        Self { answers: walk(address, &steps(&Places { dir, topic, sourced })), own }
    }

    fn answer(&self, id: &str) -> Option<&Result<Answer, String>> {
        self.answers.iter().find(|(other, _)| other == id).map(|(_, answer)| answer)
    }

    fn own(&self) -> [(&str, &str); 2] {
        self.own.each_ref().map(|(word, stand_in)| (word.as_str(), *stand_in))
    }
}

#[test]
fn what_kafka_connect_answers_lockgate_answers() {
    let topic = unique("parity");
    let prepare = |kafka: &Kafka| kafka.topic_named(&topic).create(1, 1).write(["one", "two", "three"]);
    let (connect, lockgate) = std::thread::scope(|scope| {
        let connect = scope.spawn(|| {
            let kafka = Kafka::start(1, &[]);
            prepare(&kafka);
            let connect = Connect::start_with(&kafka.bootstrap, &[("group.id", GROUP)]);
            Side::ask(&connect.address, connect.dir.path(), &topic)
        });
        let kafka = Kafka::shared();
        prepare(kafka);
        let worker = Worker::start_with(&kafka.bootstrap, WorkerOptions::default().with("group.id", GROUP));
        let lockgate = Side::ask(&worker.address, worker.dir.path(), &topic);
        (connect.join().unwrap(), lockgate)
    });
    let judgement = judge(compared(&connect, &lockgate));
    let report = report(&judgement.unwanted);
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity.txt"), &report).unwrap();
    let (unwanted, untrue) = (judgement.unwanted.len(), judgement.untrue.len());
    assert!(
        unwanted + untrue == 0,
        "{unwanted} differences that nobody wants:\n{}\n{untrue} wanted differences that are none:\n{}",
        report.lines().take(PRINTED_MAX).collect::<Vec<_>>().join("\n"),
        judgement.untrue.join("\n"),
    );
}

fn compared(connect: &Side, lockgate: &Side) -> Vec<Difference> {
    let only_ours = lockgate.answers.iter().filter(|(id, _)| connect.answer(id).is_none());
    let mut found = Vec::new();
    for (id, _) in connect.answers.iter().chain(only_ours) {
        match (connect.answer(id), lockgate.answer(id)) {
            (Some(Ok(theirs)), Some(Ok(ours))) => {
                found.extend(differences(id, (theirs, &connect.own()), (ours, &lockgate.own())));
            }
            (theirs, ours) => {
                let text = |answer: Option<&Result<Answer, String>>| match answer {
                    None => "as expected".to_owned(),
                    Some(Ok(answer)) => answer.text(),
                    Some(Err(none)) => none.clone(),
                };
                let (connect, lockgate) = (text(theirs), text(ours));
                found.push(Difference { request: id.clone(), at: "answer".to_owned(), connect, lockgate });
            }
        }
    }
    found
}

fn report(differences: &[Difference]) -> String {
    let mut text = String::new();
    for Difference { request, at, connect, lockgate } in differences {
        writeln!(text, "{request}\t{at}\n    Connect:  {connect}\n    Lockgate: {lockgate}").unwrap();
    }
    text
}
