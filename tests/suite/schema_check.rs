//! The API against its own description: requests made up from the `OpenAPI` document by schemathesis.
//!
//! Enters: `/openapi.json` of a worker. Leaves: one test. Invariant: no 5xx, no hang-up; every status code, content type, header
//! and body is one that the document promises, for good and for bad requests.

use std::process::{Command, Stdio};

use lockgate_tests::{Kafka, Worker, places};

/// Where the making-up begins: the same requests in every run.
const SEED: &str = "20";

/// Requests for each operation and phase at most.
const EXAMPLES: &str = "25";

/// Seconds for all of it at most.
const TIME_MAX_S: &str = "80";

#[test]
fn every_answer_to_made_up_requests_is_one_that_the_document_promises() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let address = format!("http://{}/openapi.json", worker.address);
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                  response_schema_conformance,unsupported_method,allow_header_conformance";
    let output = Command::new(places::root().join("tests/parity/clients.sh"))
        .args(["schemathesis", "run", &address, "--checks", checks, "--phases", "examples,coverage,fuzzing"])
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--max-time", TIME_MAX_S, "--request-timeout", "20"])
        .args([
            "--exclude-operation-id-regex",
            "^upload",
            "--continue-on-failure",
            "--suppress-health-check",
            "all",
            "--no-color",
            "--warnings",
            "off",
        ])
        .current_dir(worker.dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    worker.get("/health").expect(200);
}
