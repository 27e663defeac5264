//! Config providers: values reach the plugin and nobody else, and come anew when they change.
//!
//! Enters: references in the worker's and in connectors' settings. Leaves: records where the values say; answers, logs,
//! metrics and topics, searched for the values.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lockgate_tests::{Answer, Kafka, Worker, WorkerOptions, eventually, eventually_equal, places};
use serde_json::{Value, json};

use crate::configs::{file_sink, lines, with};

const SECRET: &str = "hunter2-and-nobody-else";

/// A worker with all four providers, and what they read in `dir`.
fn worker_with_secrets(kafka: &Kafka, dir: &Path) -> Worker {
    let tenant = dir.join("secrets/default");
    fs::create_dir_all(&tenant).unwrap();
    fs::write(tenant.join("password"), SECRET).unwrap();
    fs::write(dir.join("worker.env"), format!("group={}\n", lockgate_tests::worker::unique("provided"))).unwrap();
    fs::set_permissions(&tenant, Permissions::from_mode(0o700)).unwrap();
    let folder = dir.to_str().unwrap();
    let mut options = WorkerOptions::default()
        .with("config.providers", "file,dir,env,secret")
        .with("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider")
        .with("config.providers.file.param.allowed.paths", folder)
        .with("config.providers.file.param.ttl.ms", "300")
        .with("config.providers.env.param.allowlist.pattern", "LG_.*")
        .with("config.providers.secret.param.dir", &format!("{folder}/secrets"))
        .with("lockgate.grants.read", folder)
        .with("lockgate.grants.write", folder)
        .with("group.id", &format!("${{file:{folder}/worker.env:group}}"));
    options.environment.push(("LG_TASKS".to_owned(), "1".to_owned()));
    Worker::start_with(&kafka.bootstrap, options)
}

/// Every text that a caller or an operator may read.
fn everything(worker: &Worker, names: &[&str]) -> String {
    let paths = ["", "/config", "/status", "/tasks", "/tasks-config", "/tasks/0/status", "/logs?tail=1000", "/offsets"];
    let of_connectors = names.iter().flat_map(|name| paths.map(|path| format!("/connectors/{name}{path}")));
    let general = ["/connectors?expand=info&expand=status", "/metrics", "/connector-plugins?connectorsOnly=false", "/"];
    let all = of_connectors.chain(general.map(str::to_owned));
    all.map(|path| worker.get(&path).text()).chain([worker.log()]).collect::<Vec<_>>().join("\n")
}

fn validate(worker: &Worker, config: &Value) -> Answer {
    worker.call("PUT", "/connector-plugins/ref.Sink/config/validate", config).expect(200)
}

#[test]
fn a_value_reaches_the_plugin_and_is_seen_nowhere_else() {
    let kafka = Kafka::shared();
    let dir = tempfile::tempdir().unwrap();
    let worker = worker_with_secrets(kafka, dir.path());
    worker.upload(&places::guest("reference")).expect(201);
    let topic = kafka.topic("secret", 1);
    let config = json!({
        "connector.class": "ref.Sink", "topics": topic.name, "tasks.max": "${env:LG_TASKS}", "mode": "quiet",
        "password": "${secret:password}", "name": "quiet",
    });
    worker.create_running("quiet", config.clone());
    assert_eq!(worker.get("/connectors/quiet/config").expect(200).json(), config, "REST holds the references");
    assert_eq!(worker.get("/connectors/quiet/tasks").json()[0]["config"]["password"], "${secret:password}");
    let configs = kafka.topic_named(&worker.property("config.storage.topic"));
    let stored =
        eventually("the config is stored", || Some(configs.texts().join("\n")).filter(|t| t.contains("quiet")));
    assert!(stored.contains("${secret:password}") && !stored.contains(SECRET), "{stored}");

    // The plugin says it back: in its answer to validation, in a bad record's reason, in its log.
    let refusing = with(config.clone(), &[("fail.config", "${secret:password}"), ("name", "refusing")]);
    let infos = validate(&worker, &refusing).text();
    assert!(infos.contains("refused by validate: [hidden]") && !infos.contains(SECRET), "{infos}");
    let refused = worker.call("POST", "/connectors", &json!({"name": "refusing", "config": refusing})).expect(400);
    assert!(refused.text().contains("refused by validate: [hidden]"), "{}", refused.text());
    let unresolved =
        with(config.clone(), &[("password", "${secret:nothing}"), ("name", "unresolved"), ("tasks.max", "0")]);
    let unresolved =
        worker.call("POST", "/connectors", &json!({"name": "unresolved", "config": unresolved})).expect(400);
    let text = unresolved.text();
    assert!(text.contains("there is no secret nothing") && text.contains("2 error(s)"), "all errors at once: {text}");
    topic.write_records([(None, None, Some(SECRET.as_bytes().to_vec()))], &[("ref.bad", SECRET)]);
    let trace = worker.wait_failed("quiet");
    assert!(trace.contains("marked bad: [hidden]"), "{trace}");

    let dead = kafka.topic("secret-dead", 1);
    let letters = [
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &dead.name),
        ("errors.deadletterqueue.context.headers.enable", "true"),
        ("name", "tells-no-secret"),
    ];
    worker.create_running("tells-no-secret", with(config, &letters));
    let letter = eventually("the bad record is a dead letter", || dead.read().into_iter().next());
    let said = |name: &str| letter.header(&format!("__connect.errors.exception.{name}"));
    assert_eq!(said("message"), Some("marked bad: [hidden] [ref.bad]"));
    assert!(said("stacktrace").is_some_and(|trace| trace.contains("[hidden]") && !trace.contains(SECRET)));

    let seen = everything(&worker, &["quiet", "tells-no-secret"]);
    assert!(!seen.contains(SECRET), "{}", seen.lines().filter(|l| l.contains(SECRET)).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_value_that_changed_restarts_its_connector_unless_it_wants_none_of_it() {
    let kafka = Kafka::shared();
    let dir = tempfile::tempdir().unwrap();
    let worker = worker_with_secrets(kafka, dir.path());
    let topic = kafka.topic("rotated", 1);
    let (before, after) = (dir.path().join("before.txt"), dir.path().join("after.txt"));
    let values = dir.path().join("values.properties");
    let say = |path: &Path| fs::write(&values, format!("file={}\n", path.display())).unwrap();
    say(&before);
    let reference = format!("${{file:{}:file}}", values.display());
    worker.create_running("follows", file_sink(&topic.name, &reference));
    worker.create_running("stays", with(file_sink(&topic.name, &reference), &[("config.action.reload", "none")]));
    topic.write(["one"]);
    eventually_equal("both write to the first file", &2, || lines(&before).len());
    say(&after);
    eventually("the new file is opened", || after.exists().then_some(()));
    worker.wait_running("follows");
    topic.write(["two"]);
    eventually_equal("the one that follows", &vec!["two".to_owned()], || lines(&after));
    eventually_equal("the one that stays", &3, || lines(&before).len());
    assert!(!everything(&worker, &["follows", "stays"]).contains(after.to_str().unwrap()));
}
