//! Components made to make the compiler explode: refused with a reason, in bounded time, at nobody's expense.
//!
//! Enters: a good package with a module or component in it that nobody uses, but that is compiled with it. Leaves: refusals;
//! other connectors that went on. Relies on L5 and L6.

use std::borrow::Cow;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually, places};
use lockgate_wasm::{CompileLimits, Compiler, Engine, EngineOptions, PackageErrorClass};
use wasm_encoder::{BlockType, CodeSection, Function, FunctionSection, Instruction, Module, TypeSection, ValType};

use crate::configs::blackhole;
use crate::contract::fixture::run;

/// Bytes of one function's body that the validator takes at most, with room for its end.
const BODY_MAX: usize = 7_654_321 - 64;

/// Section ids of a component.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// The guest `reference` with more sections behind its own.
fn package_with(sections: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Vec<u8> {
    let mut package = places::guest("reference");
    for (id, content) in sections {
        package.push(id);
        let mut rest = content.len();
        loop {
            let low = u8::try_from(rest & 0x7f).unwrap();
            rest >>= 7;
            package.push(if rest == 0 { low } else { low | 0x80 });
            if rest == 0 {
                break;
            }
        }
        package.extend(content);
    }
    package
}

/// A module with functions `(i32) -> i32` of these bodies, over one local.
fn module(functions: usize, body: impl Fn(&mut Function)) -> Vec<u8> {
    let (mut types, mut declared, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut function = Function::new([(1, ValType::I32)]);
    body(&mut function);
    function.instruction(&Instruction::LocalGet(0)).instruction(&Instruction::End);
    for _ in 0..functions {
        declared.function(0);
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    module.finish()
}

/// Arithmetic with a branch in each line: many blocks, and values that live long.
fn arithmetic(function: &mut Function, bytes: usize) {
    function.instruction(&Instruction::Block(BlockType::Empty));
    let begun = function.byte_len();
    let mut n = 0;
    while function.byte_len() - begun < bytes {
        n += 1;
        function
            .instruction(&Instruction::LocalGet(0))
            .instruction(&Instruction::I32Const(n))
            .instruction(&Instruction::I32Mul)
            .instruction(&Instruction::LocalTee(1))
            .instruction(&Instruction::BrIf(0))
            .instruction(&Instruction::LocalGet(1))
            .instruction(&Instruction::LocalSet(0));
    }
    function.instruction(&Instruction::End);
}

fn nested_loops(function: &mut Function, depth: u32) {
    for _ in 0..depth {
        function.instruction(&Instruction::Loop(BlockType::Empty));
    }
    for level in 0..depth {
        function.instruction(&Instruction::LocalGet(0)).instruction(&Instruction::BrIf(depth - 1 - level));
    }
    for _ in 0..depth {
        function.instruction(&Instruction::End);
    }
}

fn jump_table(function: &mut Function, targets: u32) {
    const BLOCKS: u32 = 100;
    for _ in 0..=BLOCKS {
        function.instruction(&Instruction::Block(BlockType::Empty));
    }
    let labels: Vec<u32> = (0..targets).map(|n| n % BLOCKS).collect();
    function.instruction(&Instruction::LocalGet(0)).instruction(&Instruction::BrTable(Cow::Owned(labels), 0));
    for _ in 0..=BLOCKS {
        function.instruction(&Instruction::End);
    }
}

/// Types that differ, in every module.
fn types(count: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    let kinds = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    for n in 0..count {
        types.ty().function((0..10).map(|digit| kinds[(n as usize >> (2 * digit)) & 3]), []);
    }
    let mut module = Module::new();
    module.section(&types);
    module.finish()
}

/// Components one in the other.
fn nest(depth: usize) -> Vec<u8> {
    let empty = vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    (0..depth).fold(empty.clone(), |inner, _| {
        let mut outer = empty.clone();
        outer.push(COMPONENT);
        let mut rest = inner.len();
        while rest > 0x7f {
            outer.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        outer.push(u8::try_from(rest).unwrap());
        outer.extend(inner);
        outer
    })
}

fn huge_function() -> Vec<u8> {
    package_with([(CORE_MODULE, module(1, |f| arithmetic(f, BODY_MAX - 200)))])
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let filled = || module(60, |f| arithmetic(f, 1 << 20));
    vec![
        ("one huge function", huge_function()),
        ("many tiny functions", package_with([(CORE_MODULE, module(400_000, |_| ()))])),
        ("deep nesting", package_with([(CORE_MODULE, module(40, |f| nested_loops(f, 40_000)))])),
        ("huge jump tables", package_with([(CORE_MODULE, module(60, |f| jump_table(f, 65_000)))])),
        ("sixty MiB", package_with([(CORE_MODULE, filled())])),
        ("many modules with many types", package_with((0..1_500).map(|_| (CORE_MODULE, types(1_000))))),
        ("thousands of components", package_with((0..5_000).map(|_| (COMPONENT, nest(1))))),
    ]
}

/// An engine whose compiler may use two seconds.
fn strict_engine() -> Engine {
    let compile = CompileLimits {
        cpu: Duration::from_secs(2),
        wall: Duration::from_secs(60),
        memory_bytes: 1 << 30,
        ..CompileLimits::default()
    };
    let compiler = Compiler::Child { program: places::lockgate(), args: vec!["__compile".into()] };
    run(async { Engine::new(EngineOptions { compiler, compile, ..EngineOptions::default() }) }).unwrap()
}

#[test]
fn every_bomb_is_refused_by_a_limit_that_has_a_name() {
    let engine = strict_engine();
    for (what, package) in bombs() {
        let began = Instant::now();
        let refused = run(engine.load(package.into())).map(drop).expect_err(what);
        let text = refused.to_string();
        assert_ne!(refused.class(), PackageErrorClass::Host, "{what}: it is the package's fault: {text}");
        assert!(refused.code().starts_with("package.") && text.contains(refused.code()), "{what}: {text}");
        assert!(text.len() < 2_000, "{what}: {text}");
        assert!(began.elapsed() < Duration::from_secs(60), "{what} took {:?}", began.elapsed());
    }
}

#[test]
fn components_nested_thousands_deep_are_odd_but_no_bomb() {
    run(strict_engine().load(package_with([(COMPONENT, nest(3_000))]).into())).map(drop).unwrap();
}

/// Compilers that work for a process now.
fn children(pid: u32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let pids = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let all: Vec<String> =
        pids.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let compiles = |pid: &String| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(9).any(|part| part == b"__compile"))
    };
    all.iter().filter(|pid| compiles(pid)).count()
}

fn resident_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn bombs_that_come_together_are_taken_in_turn_and_harm_nobody() {
    let kafka = Kafka::shared();
    let options = WorkerOptions::default()
        .with("lockgate.limits.compile.cpu.ms", "2000")
        .with("lockgate.limits.compile.ms", "60000")
        .with("lockgate.limits.compile.memory.mb", "1024");
    let worker = Worker::start_with(&kafka.bootstrap, options);
    let pid = worker.pid().unwrap();
    let topic = kafka.topic("beside-bombs", 1);
    worker.create_running("healthy", blackhole(&topic.name));
    let put = || worker.metric("kafka_connect_sink_task_metrics_sink_record_send_total", &[r#"connector="healthy""#]);
    topic.write(["0"]);
    eventually("the first record was put", || put().filter(|n| *n >= 1.0));
    let before = resident_mib(pid);
    let (bomb, over) = (huge_function(), AtomicBool::new(false));
    let (mut written, mut most_children, mut most_mib, mut slowest) = (1.0, 0, 0, Duration::ZERO);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..3).map(|_| scope.spawn(|| worker.upload(&bomb))).collect();
        let ends = scope.spawn(|| {
            let answers: Vec<_> = uploads.into_iter().map(|upload| upload.join().unwrap()).collect();
            over.store(true, Relaxed);
            answers
        });
        while !over.load(Relaxed) {
            let began = Instant::now();
            topic.write(["x"]);
            written += 1.0;
            eventually("the healthy one goes on", || put().filter(|n| *n >= written));
            slowest = slowest.max(began.elapsed());
            most_children = most_children.max(children(pid));
            most_mib = most_mib.max(resident_mib(pid));
        }
        ends.join().unwrap()
    });
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
        assert!(answer.text().contains("package.compile"), "{}", answer.text());
        assert!(answer.text().contains("lockgate.limits.compile"), "{}", answer.text());
    }
    assert_eq!(most_children, 1, "one compiles, the others wait");
    // The three bodies, as long as they wait.
    assert!(most_mib < before + 300, "{before} MiB before, {most_mib} MiB during");
    assert!(slowest < Duration::from_secs(10), "a record took {slowest:?}");
    eventually("the compiler is gone", || (children(pid) == 0).then_some(()));
    worker.wait_running("healthy");
    worker.upload(&places::guest("reference")).expect(201);
}
