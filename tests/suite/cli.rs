//! The commands that speak to a worker: the real program against a real worker.
//!
//! Enters: command lines. Leaves: what they print and their exit codes, as `docs/cli.md` says.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lockgate_tests::{Kafka, Receiver, Reply, Worker, eventually, places};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::configs::{blackhole, file_sink, json_values};

/// What a command left behind.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// What it printed, the worker's address replaced by a word of the same length.
    fn table(&self, worker: &Worker) -> String {
        self.out.replace(&worker.address, &format!("{:W<width$}", "", width = worker.address.len()))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

fn program(server: &str, args: &[&str]) -> Command {
    let mut command = Command::new(places::lockgate());
    for name in ["LOCKGATE_USER", "LOCKGATE_TOKEN", "LOCKGATE_PASSWORD", "LOCKGATE_CA"] {
        command.env_remove(name);
    }
    command.env("LOCKGATE_SERVER", format!("http://{server}")).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn at(server: &str, args: &[&str]) -> Ran {
    ended(program(server, args).spawn().unwrap())
}

fn connector(worker: &Worker, args: &[&str]) -> Ran {
    let all: Vec<&str> = ["connector"].iter().chain(args).copied().collect();
    at(&worker.address, &all)
}

#[test]
fn a_connectors_whole_life_goes_by_commands() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("by-command", 1);
    let topics = format!("topics={}", topic.name);
    let run = |args: &[&str]| connector(&worker, args).ends(0);
    assert_eq!(run(&["list"]).out, "NAME  TYPE  STATE  TASKS  WORKER  CLASS  REASON\n");
    let created = run(&["create", "c", "connector.class=blackhole", &topics, "my.password=geheim", "--wait"]);
    assert_eq!(created.out, "c created\nc RUNNING\n");
    let width = worker.address.len();
    let list = format!(
        "NAME  TYPE  STATE    TASKS  {:width$}  CLASS      REASON\nc     sink  RUNNING  1/1    {:W<width$}  blackhole  -\n",
        "WORKER", ""
    );
    assert_eq!(run(&["list"]).table(&worker), list);
    let status = run(&["status", "c"]).table(&worker);
    assert!(status.starts_with("c: RUNNING\n\nPART       STATE    WORKER "), "{status}");
    assert!(status.contains("\nconnector  RUNNING  WWW") && status.contains("\ntask 0     RUNNING  WWW"), "{status}");
    let get = run(&["get", "c"]).out;
    let settings = format!(
        "KEY              VALUE\nconnector.class  blackhole\nmy.password      ********\nname             c\ntopics           {}\n",
        topic.name
    );
    assert_eq!(get, format!("c: a sink with 1 task(s)\n\n{settings}"));
    assert_eq!(run(&["config", "c"]).out, settings);
    assert_eq!(
        run(&["config", "c", "--set", "tasks.max=2", "--unset", "my.password", "--wait"]).out,
        "c updated\nc RUNNING\n"
    );
    let config = run(&["config", "c", "-o", "json"]).json();
    assert_eq!((&config["tasks.max"], &config["my.password"]), (&json!("2"), &Value::Null));
    assert_eq!(run(&["pause", "c", "--wait"]).out, "c: pause accepted\nc PAUSED\n");
    assert_eq!(run(&["resume", "c", "--wait"]).out, "c: resume accepted\nc RUNNING\n");
    assert!(run(&["restart", "c", "--include-tasks", "--wait"]).out.contains("restart accepted"));
    assert!(run(&["restart", "c", "--task", "0", "--wait"]).out.ends_with("c RUNNING\n"));
    assert_eq!(run(&["stop", "c", "--wait"]).out, "c: stop accepted\nc STOPPED\n");
    assert_eq!(run(&["delete", "c"]).out, "c deleted\n");
    worker.get("/connectors/c").expect(404);
}

#[test]
fn scripts_get_the_rest_object_as_it_is() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("as-it-is", 1);
    worker.create_running("größe & co", blackhole(&topic.name));
    let same = |args: &[&str], path: &str| {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        assert_eq!(at(&worker.address, &args).ends(0).out, worker.get(path).expect(200).text() + "\n", "{path}");
    };
    let path = "/connectors/gr%C3%B6%C3%9Fe%20%26%20co";
    same(&["connector", "get", "größe & co"], path);
    same(&["connector", "status", "größe & co"], &format!("{path}/status"));
    same(&["connector", "list"], "/connectors?expand=info&expand=status");
    same(&["connector", "offsets", "get", "größe & co"], &format!("{path}/offsets"));
    same(&["plugin", "list", "--all"], "/connector-plugins?connectorsOnly=false");
    same(&["plugin", "config", "blackhole"], "/connector-plugins/blackhole/config");
    same(&["package", "list"], "/packages");
    same(&["package", "inspect", "file"], "/packages/file");
    same(&["cluster", "info"], "/");
    let yaml = connector(&worker, &["config", "größe & co", "-o", "yaml"]).ends(0).out;
    assert!(yaml.contains("connector.class: blackhole\n") && yaml.contains("name: größe & co\n"), "{yaml}");
}

#[test]
fn plugins_and_packages_are_shown_as_tables() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let run = |args: &[&str]| at(&worker.address, args);
    let plugins = run(&["plugin", "list"]).ends(0).out;
    assert!(plugins.starts_with("CLASS ") && plugins.contains("FileStreamSink") && !plugins.contains("predicate"));
    assert!(run(&["plugin", "list", "--all"]).ends(0).out.contains("predicate"));
    let keys = run(&["plugin", "get", "FileStreamSink"]).ends(0).out;
    assert!(keys.starts_with("KEY ") && keys.contains("\nfile "), "{keys}");
    let file = worker.path("package.wasm");
    fs::write(&file, places::guest("reference")).unwrap();
    let file = file.to_string_lossy().into_owned();
    let pushed = run(&["package", "push", &file]).ends(0).out;
    assert!(pushed.contains(" uploaded: ") && pushed.contains("ref.Sink"), "{pushed}");
    assert!(run(&["package", "push", &file]).ends(0).out.contains("was there already"));
    let list = run(&["package", "list"]).ends(0).out;
    assert!(list.starts_with("NAME ") && list.contains("sha256:"), "{list}");
    let row = list.lines().find(|line| line.contains(" no ")).unwrap().split_whitespace().collect::<Vec<_>>();
    let (name, version) = (row[0], row[1]);
    let inspected = run(&["package", "get", name, version]).ends(0).out;
    assert!(inspected.contains("ref.Source") && inspected.contains("ASKS FOR"), "{inspected}");
    assert_eq!(run(&["package", "delete", name, version]).ends(0).out, format!("{name} {version} deleted\n"));
    run(&["package", "get", name, version]).ends(3);
    let info = run(&["cluster", "info"]).ends(0).out;
    assert!(info.contains("Worker has completed startup") && info.contains("connectors"), "{info}");
    fs::write(worker.path("bad.yaml"), "connector.class: FileStreamSink\ntasks.max: many\nfile: f\n").unwrap();
    let bad = worker.path_text("bad.yaml");
    let judged = run(&["plugin", "validate", "-f", &bad]).ends(5);
    assert!(judged.out.contains("tasks.max  Invalid value many"), "{}", judged.out);
    fs::write(worker.path("good.yaml"), "connector.class: FileStreamSink\ntopics: t\nfile: f\n").unwrap();
    assert!(run(&["plugin", "validate", "-f", &worker.path_text("good.yaml")]).ends(0).out.contains("is valid"));
}

#[test]
fn each_kind_of_failure_has_its_exit_code_and_a_hint() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("codes", 1);
    let topics = format!("topics={}", topic.name);
    let run = |args: &[&str]| connector(&worker, args);
    let says = |ran: Ran, code: i32, words: &[&str]| {
        let ran = ran.ends(code);
        assert!(words.iter().all(|word| ran.err.contains(word)), "{words:?} are not all in:\n{}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
    };
    says(run(&["frobnicate"]), 2, &["frobnicate"]);
    says(run(&["create"]), 2, &["--file"]);
    says(
        run(&["status", "nobody"]),
        3,
        &["No status found for connector nobody", "hint: `lockgate connector list`", "exit code 3"],
    );
    run(&["create", "c", "connector.class=blackhole", &topics, "--state", "stopped", "--wait"]).ends(0);
    says(run(&["create", "c", "connector.class=blackhole", &topics]), 4, &["Connector c already exists", "apply"]);
    let invalid = run(&["create", "d", "connector.class=FileStreamSnk", &topics]);
    says(invalid, 5, &["FileStreamSnk", "exit code 5 (invalid)"]);
    says(run(&["delete", "nobody", "c", "no-one"]).keeping(), 3, &["nobody", "no-one"]);
    worker.get("/connectors/c").expect(404);
    says(at("127.0.0.1:1", &["cluster", "info"]), 6, &["http://127.0.0.1:1", "LOCKGATE_SERVER"]);
    topic.write(["not JSON"]);
    worker.create("f", json_values(file_sink(&topic.name, &worker.path_text("out.txt"))));
    says(run(&["restart", "f", "--include-tasks", "--wait"]).keeping(), 9, &["f FAILED: ", "status f --trace"]);
    let traced = run(&["status", "f", "--trace"]).ends(0).out;
    assert!(traced.contains("f: RUNNING (task FAILED)") && traced.contains("\ntask 0:\n  "), "{traced}");
}

impl Ran {
    /// Without what it printed on the way.
    fn keeping(self) -> Self {
        Self { out: String::new(), ..self }
    }
}

#[test]
fn credentials_are_sent_and_refusals_by_servers_of_any_kind_understood() {
    let server = Receiver::start();
    let run = |args: &[&str]| at(&server.address, args);
    server.answer_by(|request| {
        let said = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, v)| v.as_str());
        match said {
            Some("Bearer t0ken" | "Basic YTpi") if request.path.ends_with("/status") => {
                let body = r#"{"name":"a","connector":{"state":"UNASSIGNED","worker_id":"\u001b[2Jw"},"tasks":[]}"#;
                Some(Reply { body: body.to_owned(), ..Reply::status(200) })
            }
            Some("Bearer moved") => Some(Reply::status(307).with("location", "http://elsewhere/")),
            Some("Bearer page") => Some(Reply { body: "<html>Bad Gateway".to_owned(), ..Reply::status(502) }),
            _ => Some(Reply {
                body: r#"{"error_code":401,"message":"User cannot access the resource."}"#.to_owned(),
                ..Reply::status(401)
            }),
        }
    });
    let refused = run(&["connector", "list"]).ends(7);
    assert!(refused.err.contains("User cannot access") && refused.err.contains("--token"), "{}", refused.err);
    let shown = run(&["connector", "status", "a", "--token", "t0ken"]).ends(0).out;
    assert!(shown.contains("a: UNASSIGNED") && !shown.contains('\u{1b}'), "{shown:?}");
    run(&["connector", "status", "a", "--user", "a:b"]).ends(0);
    let by_env =
        program(&server.address, &["connector", "status", "a", "--user", "a"]).env("LOCKGATE_PASSWORD", "b").spawn();
    ended(by_env.unwrap()).ends(0);
    run(&["connector", "status", "a", "--user", "a:b", "--token", "t0ken"]).ends(2);
    let late = run(&["connector", "pause", "a", "--token", "t0ken"]).ends(7);
    assert!(!late.err.contains("t0ken"), "{}", late.err);
    let moved = run(&["cluster", "info", "--token", "moved"]).ends(1);
    assert!(moved.err.contains("http://elsewhere/"), "{}", moved.err);
    assert!(run(&["cluster", "info", "--token", "page"]).ends(1).err.contains("HTTP 502 <html>Bad Gateway"));
    server.answer_by(|request| {
        let body = if request.method == "GET" {
            r#"{"connector":{"state":"RUNNING"},"tasks":[{"id":0,"state":"UNASSIGNED"}]}"#
        } else {
            ""
        };
        Some(Reply { body: body.to_owned(), ..Reply::status(202) })
    });
    let late = run(&["connector", "resume", "a", "--wait", "--deadline", "300ms"]).ends(8);
    assert!(late.err.contains("a is not RUNNING after 300ms") && late.err.contains("[UNASSIGNED]"), "{}", late.err);
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

#[test]
fn a_cluster_becomes_equal_to_a_folder() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("folder", 1).name.clone();
    let (dir, path) = (worker.path("connectors"), worker.path_text("connectors"));
    let apply = |more: &[&str]| {
        let args: Vec<&str> = ["apply", "-f", &path].iter().chain(more).copied().collect();
        connector(&worker, &args)
    };
    write(&dir, "b.json", &json!({"name": "b", "config": blackhole(&topic)}).to_string());
    write(
        &dir,
        "two.yaml",
        &format!(
            "name: a\nconnector.class: blackhole\ntopics: {topic}\n---\nname: c\nconfig:\n  connector.class: blackhole\n  topics: {topic}\n  db.password: geheim\n  other.token: ${{env:TOKEN}}\n"
        ),
    );
    write(&dir, "notes.txt", "not a connector");
    let dry = apply(&["--dry-run"]).ends(0).out;
    assert!(dry.contains("+ a (new, from ") && dry.contains("    + topics: "), "{dry}");
    assert!(dry.contains("+ db.password: ********") && dry.contains("+ other.token: ${env:TOKEN}"), "{dry}");
    assert!(
        !dry.contains("geheim")
            && dry.ends_with("3 created, 0 updated, 0 unchanged, 0 deleted, 0 failed (dry run: nothing was changed)\n"),
        "{dry}"
    );
    assert_eq!(worker.get("/connectors").json(), json!([]));
    let first = apply(&["--wait"]).ends(0).out;
    assert!(first.starts_with("a created\nb created\nc created\n"), "by name: {first}");
    assert!(first.ends_with("3 created, 0 updated, 0 unchanged, 0 deleted, 0 failed\n"), "{first}");
    worker.wait_running("c");
    let starts = |name: &str| worker.log().lines().filter(|l| l.contains(name) && l.contains("task=")).count();
    let before = starts("connector=\"a\"");

    worker.create_running("stray", blackhole(&topic));
    fs::remove_file(dir.join("b.json")).unwrap();
    write(
        &dir,
        "two.yaml",
        &format!(
            "name: a\nconnector.class: blackhole\ntopics: {topic}\n---\nname: c\nconfig:\n  connector.class: blackhole\n  topics: {topic}\n  tasks.max: 2\n  db.password: anders\n"
        ),
    );
    let dry = apply(&["--dry-run", "--prune"]).ends(0).out;
    let expected = [
        "= a\n",
        "- b (deleted)\n",
        "~ c (changed, by ",
        "    - db.password: ********\n    + db.password: ********\n",
        "    - other.token: ${env:TOKEN}\n",
        "    + tasks.max: 2\n",
        "- stray (deleted)\n",
        "0 created, 1 updated, 1 unchanged, 2 deleted, 0 failed (dry run: nothing was changed)\n",
    ];
    expected.iter().for_each(|words| assert!(dry.contains(words), "{words:?} is not in:\n{dry}"));
    let report = apply(&["--prune", "-o", "json"]).ends(0).json();
    let actions: Vec<_> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["name"].as_str().unwrap(), l["action"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, [("a", "unchanged"), ("b", "deleted"), ("c", "updated"), ("stray", "deleted")]);
    assert_eq!(worker.get("/connectors").json(), json!(["a", "c"]));
    assert_eq!(worker.get("/connectors/c/config").json()["tasks.max"], "2");
    worker.wait_running("a");
    assert_eq!(starts("connector=\"a\""), before, "what is as wanted is not touched");
    assert_eq!(
        apply(&["--prune"]).ends(0).out,
        "a unchanged\nc unchanged\n0 created, 0 updated, 2 unchanged, 0 deleted, 0 failed\n"
    );
}

#[test]
fn a_file_that_fails_stops_no_other_and_deletes_nothing() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("failing", 1).name.clone();
    let (dir, path) = (worker.path("connectors"), worker.path_text("connectors"));
    worker.create_running("old", blackhole(&topic));
    write(&dir, "a.json", "{\"name\": \"old\", ");
    write(&dir, "b.yaml", "name: wrong\nconnector.class: FileStreamSnk\n");
    write(&dir, "c.yaml", &format!("name: new\nconnector.class: blackhole\ntopics: {topic}\n"));
    let dry = connector(&worker, &["apply", "-f", &path, "--dry-run", "--prune"]).ends(5);
    assert!(dry.out.contains("1 created, 0 updated, 0 unchanged, 0 deleted, 2 failed"), "{}", dry.out);
    let ran = connector(&worker, &["apply", "-f", &path, "--prune"]).ends(5);
    assert!(
        ran.err.contains("a.json") && ran.err.contains("wrong: ") && ran.err.contains("nothing is pruned"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out, "new created\n1 created, 0 updated, 0 unchanged, 0 deleted, 2 failed\n");
    assert_eq!(worker.get("/connectors").json(), json!(["new", "old"]), "a file that is broken deletes nothing");

    let piped = |text: &str, more: &[&str]| {
        let args: Vec<&str> = ["connector", "apply", "-f", "-"].iter().chain(more).copied().collect();
        let mut child = program(&worker.address, &args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        ended(child)
    };
    let empty = piped("", &["--prune"]).ends(2);
    assert!(empty.err.contains("--allow-empty"), "{}", empty.err);
    let got = connector(&worker, &["get", "old", "-o", "yaml"]).ends(0).out;
    assert!(piped(&got, &[]).ends(0).out.starts_with("old unchanged\n"), "what `get` prints can be applied");
    assert!(piped("[]", &["--prune", "--allow-empty"]).ends(0).out.contains("2 deleted"));
    assert_eq!(worker.get("/connectors").json(), json!([]));
}

#[test]
fn watching_shows_each_change_and_ends_by_a_signal() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("watched", 1);
    worker.create_running("c", blackhole(&topic.name));
    let args = ["connector", "status", "c", "--watch", "--interval", "50ms", "-o", "json"];
    let mut watching = program(&worker.address, &args).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains(r#""state":"RUNNING""#));
    worker.put("/connectors/c/pause").expect(202);
    while !next().contains(r#""state":"PAUSED""#) {}
    kill_process(Pid::from_raw(watching.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let status = watching.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2), "{status}");

    let mut watching =
        program(&worker.address, &["connector", "status", "c", "-w", "--interval", "50ms"]).spawn().unwrap();
    assert_eq!(BufReader::new(watching.stdout.take().unwrap()).lines().next().unwrap().unwrap(), "c: PAUSED");
    worker.delete("/connectors/c").expect(204);
    assert_eq!(watching.wait().unwrap().code(), Some(3), "what is gone ends the watching");
}

#[test]
fn logs_are_followed_without_a_line_lost_or_said_twice() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    worker.upload(&places::guest("reference")).expect(201);
    let topic = kafka.topic("followed", 1);
    worker.create_running("speaks", json!({"connector.class": "ref.Sink", "topics": topic.name, "tasks.max": "1"}));
    let said = |n: usize| format!("{}-0@{n}", topic.name);
    let has = |n: usize| connector(&worker, &["logs", "speaks"]).ends(0).out.contains(&said(n)).then_some(());
    topic.write(["zero"]);
    eventually("a line about the first record", || has(0));
    let args = ["connector", "logs", "speaks", "--follow", "--interval", "50ms"];
    let mut following = program(&worker.address, &args).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    for n in 0..3 {
        if n > 0 {
            topic.write([n.to_string()]);
        }
        while !seen.last().is_some_and(|line: &String| line.contains(&said(n))) {
            seen.push(lines.next().unwrap().unwrap());
        }
    }
    kill_process(Pid::from_raw(following.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    following.wait().unwrap();
    for n in 0..3 {
        assert_eq!(seen.iter().filter(|line| line.contains(&said(n))).count(), 1, "{seen:#?}");
    }
    assert!(seen[0].contains("Z ") && seen[0].contains(" task 0: "), "{}", seen[0]);
    let one = connector(&worker, &["logs", "speaks", "--tail", "1", "-o", "json"]).ends(0).json();
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    connector(&worker, &["logs", "nobody"]).ends(3);
}

#[test]
fn shells_accept_their_completion_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let script = at("127.0.0.1:1", &["completion", shell]).ends(0).out;
        assert!(script.contains("connector") && script.contains("standalone"), "{shell}");
        let installed =
            Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
        assert!(installed || shell != "bash", "bash is there");
        if installed {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("script"), &script).unwrap();
            let status = Command::new(shell).arg("-n").arg(dir.path().join("script")).status().unwrap();
            assert!(status.success(), "{shell}: {status}");
        }
    }
    let reply = "source <(\"$0\" completion bash); COMP_WORDS=(lockgate connector re); COMP_CWORD=2; _lockgate lockgate re connector; echo \"${COMPREPLY[*]}\"";
    let completed = Command::new("bash").arg("-c").arg(reply).arg(places::lockgate()).output().unwrap();
    assert_eq!(String::from_utf8(completed.stdout).unwrap().trim(), "resume restart");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let mut child = program(&worker.address, &["plugin", "list", "--all"]).spawn().unwrap();
    drop(child.stdout.take());
    let ran = ended(child);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn every_command_explains_itself() {
    let help = |args: &[&str]| at("127.0.0.1:1", args).ends(0).out;
    let groups = [
        ("connector", "list get create apply status config pause resume stop restart delete offsets logs"),
        ("plugin", "list config validate"),
        ("package", "list push inspect delete"),
        ("cluster", "info"),
        ("logger", "list set"),
    ];
    assert!(help(&["--version"]).starts_with("lockgate "));
    let all = help(&["--help"]);
    for (group, commands) in groups {
        assert!(all.contains(&format!("\n  {group} ")), "{all}");
        let text = help(&[group, "--help"]);
        assert!(text.contains("5 invalid configuration"), "exit codes are in: {text}");
        for command in commands.split(' ') {
            assert!(text.contains(&format!("\n  {command} ")), "{command} in {text}");
            assert!(help(&[group, command, "--help"]).contains("Usage: lockgate"), "{group} {command}");
        }
    }
    for command in ["dev", "worker", "standalone"] {
        assert!(help(&[command, "--help"]).contains("Examples:"), "{command}");
    }
}
