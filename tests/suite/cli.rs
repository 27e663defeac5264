//! The commands that speak to a worker: the real program against a real worker.
//!
//! Enters: command lines. Leaves: what they print and their exit codes, as `docs/cli.md` says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver as Lines, sync_channel};

use lockgate_tests::wait::PATIENCE;
use lockgate_tests::{Kafka, Receiver, Reply, Worker, eventually, places};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::configs::blackhole;
use crate::ran::Ran;

mod apply;
mod failures;
mod packages;

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
    child.wait_with_output().unwrap().into()
}

/// What a command prints while it runs; its pipe is read to the end.
pub fn lines_of(child: &mut Child) -> Lines<String> {
    let (send, lines) = sync_channel(10_000);
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    lines
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
    worker.create("größe & co", blackhole(&topic.name));
    connector(&worker, &["resume", "größe & co", "--wait"]).ends(0);
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
    same(&["worker", "info"], "/");
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
    fs::write(worker.path("bad.yaml"), "name: v\nconnector.class: FileStreamSink\ntasks.max: many\n").unwrap();
    let bad = worker.path_text("bad.yaml");
    let judged = run(&["plugin", "validate", "-f", &bad]).ends(5);
    assert!(judged.out.contains("\ntasks.max     Invalid value many"), "{}", judged.out);
    let good = json!({"name": "v", "config": crate::configs::file_sink("t", &worker.path_text("out.txt"))});
    fs::write(worker.path("good.yaml"), good.to_string()).unwrap();
    assert!(run(&["plugin", "validate", "-f", &worker.path_text("good.yaml")]).ends(0).out.contains("is valid"));
}

#[test]
fn watching_shows_each_change_and_ends_by_a_signal() {
    let kafka = Kafka::shared();
    let worker = Worker::start(&kafka.bootstrap);
    let topic = kafka.topic("watched", 1);
    worker.create_running("c", blackhole(&topic.name));
    let args = ["connector", "status", "c", "--watch", "--interval", "50ms", "-o", "json"];
    let mut watching = program(&worker.address, &args).spawn().unwrap();
    let lines = lines_of(&mut watching);
    let next = || lines.recv_timeout(PATIENCE).unwrap();
    assert!(next().contains(r#""state":"RUNNING""#));
    worker.put("/connectors/c/pause").expect(202);
    while !next().contains(r#""state":"PAUSED""#) {}
    kill_process(Pid::from_raw(watching.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    let status = watching.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}");

    let mut watching =
        program(&worker.address, &["connector", "status", "c", "-w", "--interval", "50ms"]).spawn().unwrap();
    assert_eq!(lines_of(&mut watching).recv_timeout(PATIENCE).unwrap(), "c: PAUSED");
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
    let said = |n: usize| format!("ref: {}-0@{n} ts=", topic.name);
    let has = |n: usize| connector(&worker, &["logs", "speaks"]).ends(0).out.contains(&said(n)).then_some(());
    topic.write(["zero"]);
    eventually("a line about the first record", || has(0));
    let args = ["connector", "logs", "speaks", "--follow", "--interval", "50ms"];
    let mut following = program(&worker.address, &args).spawn().unwrap();
    let lines = lines_of(&mut following);
    let mut seen = Vec::new();
    for n in 0..3 {
        if n > 0 {
            topic.write([n.to_string().as_str()]);
        }
        while !seen.last().is_some_and(|line: &String| line.contains(&said(n))) {
            seen.push(lines.recv_timeout(PATIENCE).unwrap());
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
        ("package", "new build list push inspect delete"),
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

#[test]
fn offsets_and_log_levels_go_out_as_connect_wants_them() {
    let server = Receiver::start();
    server.answer_by(|request| {
        let body =
            if request.path.contains("/offsets") { r#"{"message":"The offsets are altered"}"# } else { r#"["a.b"]"# };
        Some(Reply { body: body.to_owned(), ..Reply::status(200) })
    });
    let run = |args: &[&str]| at(&server.address, args).ends(0).out;
    let set = run(&["connector", "offsets", "set", "c/d", "t:0=42", "t:1=null"]);
    assert_eq!(set, "The offsets are altered\n");
    run(&["connector", "offsets", "reset", "c/d"]);
    assert_eq!(run(&["logger", "set", "a b", "DEBUG", "--scope", "cluster"]), "changed: a.b\n");
    let place = |n: u32| json!({"kafka_topic": "t", "kafka_partition": n});
    let offsets = json!({"offsets": [{"partition": place(0), "offset": {"kafka_offset": 42}}, {"partition": place(1), "offset": null}]});
    let received = server.received();
    let seen = |at: usize| (received[at].method.as_str(), received[at].path.as_str(), received[at].body.clone());
    assert_eq!(seen(0), ("PATCH", "/connectors/c%2Fd/offsets", offsets.to_string()));
    assert_eq!(seen(1), ("DELETE", "/connectors/c%2Fd/offsets", String::new()));
    assert_eq!(seen(2), ("PUT", "/admin/loggers/a%20b?scope=cluster", r#"{"level":"DEBUG"}"#.to_owned()));
    at(&server.address, &["connector", "offsets", "set", "c", "t=1"]).ends(2);
}
