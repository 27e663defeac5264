//! Wasm to native code, in a child process with limits.
//!
//! Enters: a validated component. Leaves: the bytes of its native image. Invariant: a compile bomb costs the child, never
//! this process; one compilation runs at a time; the child dies with its parent's interest in it.

use std::io::{self, BufRead, Read, Write};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::engine::{Core, compiler_config};
use crate::error::PackageError;
use crate::options::{CompileLimits, Compiler};

/// What the child says at most.
const COMPLAINT_BYTES_MAX: u64 = 4 << 10;
/// Threads of the compiler at most: the cores are the tasks' first.
const THREADS_MAX: usize = 4;
/// Exit code: the component cannot be compiled. Everything else is the host's trouble.
const EXIT_REFUSED: u8 = 65;

/// First line of the child's standard input.
#[derive(Serialize, Deserialize)]
struct Order {
    memory_bytes: u64,
    cpu_seconds: u64,
}

/// Compiles, by the engine's compiler.
pub(crate) async fn compile(core: &Arc<Core>, wasm: Bytes) -> Result<Vec<u8>, PackageError> {
    // Never closed: the semaphore lives as long as the engine.
    let _turn = core.compiling.acquire().await.map_err(|e| host(format!("no turn to compile: {e}")))?;
    match &core.options.compiler {
        Compiler::InProcess => {
            let engine = core.wasm.clone();
            let work = tokio::task::spawn_blocking(move || engine.precompile_component(&wasm));
            match work.await {
                Ok(Ok(image)) => Ok(image),
                Ok(Err(e)) => Err(refused(format!("{e:#}"))),
                Err(e) => Err(host(format!("the compiler panicked: {e}"))),
            }
        }
        Compiler::Child { program, args } => {
            let limits = &core.options.compile;
            let mut command = Command::new(program);
            command.args(args).env_clear().env("RAYON_NUM_THREADS", threads()).current_dir("/").kill_on_drop(true);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            match tokio::time::timeout(limits.wall, converse(command, &wasm, limits)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(refused(format!(
                    "compiling takes longer than {} s (lockgate.limits.compile.ms)",
                    limits.wall.as_secs()
                ))),
            }
        }
    }
}

async fn converse(mut command: Command, wasm: &[u8], limits: &CompileLimits) -> Result<Vec<u8>, PackageError> {
    let mut child = command.spawn().map_err(|e| host(format!("the compiler process cannot be started: {e}")))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(host("the compiler process has no pipes".to_owned()));
    };
    let order = Order { memory_bytes: limits.memory_bytes, cpu_seconds: limits.cpu.as_secs().max(1) };
    let mut head = serde_json::to_vec(&order).map_err(|e| host(e.to_string()))?;
    head.push(b'\n');
    let feed = async {
        stdin.write_all(&head).await?;
        stdin.write_all(wasm).await?;
        stdin.shutdown().await?;
        drop(stdin);
        io::Result::Ok(())
    };
    // A child that stops reading has said why on its standard error: the write error itself tells nothing.
    let (sent, image, complaint) =
        tokio::join!(feed, take(stdout, limits.output_bytes), take(stderr, COMPLAINT_BYTES_MAX));
    let image = image.map_err(|e| host(format!("the native image cannot be read: {e}")))?;
    if image.len() as u64 > limits.output_bytes {
        return Err(refused(format!("the native image is larger than {} bytes", limits.output_bytes)));
    }
    let status = child.wait().await.map_err(|e| host(format!("the compiler process is lost: {e}")))?;
    let complaint = complaint.unwrap_or_default();
    let complaint = String::from_utf8_lossy(&complaint);
    match (status.code(), sent) {
        (Some(0), Ok(())) => Ok(image),
        (Some(code), _) if code == i32::from(EXIT_REFUSED) => Err(refused(complaint.trim().to_owned())),
        _ => Err(killed(status, complaint.trim(), limits)),
    }
}

/// Reads to the end, but no more than one byte beyond `max`.
async fn take(pipe: impl AsyncRead + Unpin, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(max + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn killed(status: std::process::ExitStatus, complaint: &str, limits: &CompileLimits) -> PackageError {
    use std::os::unix::process::ExitStatusExt;
    let what = match (status.signal(), status.code()) {
        (Some(libc::SIGXCPU), _) => {
            format!("compiling uses more than {} s of CPU (lockgate.limits.compile.cpu.ms)", limits.cpu.as_secs())
        }
        _ if complaint.contains("overflowed its stack") => {
            "compiling needs more stack than there is: it is nested too deeply".to_owned()
        }
        (Some(libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS), _) => {
            let mib = limits.memory_bytes >> 20;
            format!("compiling uses more than {mib} MiB of memory (lockgate.limits.compile.memory.mb)")
        }
        (Some(libc::SIGKILL), _) => "the compiler was killed, most likely because memory ran out".to_owned(),
        // A panic of the compiler: the same bytes end the same way.
        (_, Some(101)) => format!("the compiler broke down: {}", complaint.lines().nth(1).unwrap_or(complaint)),
        _ => return host(format!("the compiler process ended with {status}: {complaint}")),
    };
    refused(what)
}

fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(THREADS_MAX).to_string()
}

fn refused(message: String) -> PackageError {
    PackageError::Compile { message, host: false }
}

fn host(message: String) -> PackageError {
    PackageError::Compile { message, host: true }
}

/// Entry of the child process: reads an order and a component from standard input, writes the native image to standard
/// output. The order is one line of JSON. Limits are set before anything of the component is looked at.
pub fn compile_main() -> ExitCode {
    match child() {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

fn child() -> Result<(), (u8, String)> {
    const EXIT_IO: u8 = 74;
    let trouble = |what: &str| {
        let what = what.to_owned();
        move |e: io::Error| (EXIT_IO, format!("{what}: {e}"))
    };
    let mut input = io::BufReader::new(io::stdin().lock());
    let mut line = String::new();
    input.by_ref().take(4096).read_line(&mut line).map_err(trouble("reading the order"))?;
    let order: Order = serde_json::from_str(&line).map_err(|e| (EXIT_IO, format!("the order is not JSON: {e}")))?;
    limit(&order).map_err(|e| (EXIT_IO, format!("setting limits: {e}")))?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm).map_err(trouble("reading the component"))?;
    let engine = wasmtime::Engine::new(&compiler_config()).map_err(|e| (EXIT_IO, format!("{e:#}")))?;
    let image = engine.precompile_component(&wasm).map_err(|e| (EXIT_REFUSED, format!("{e:#}")))?;
    let mut output = io::stdout().lock();
    output.write_all(&image).and_then(|()| output.flush()).map_err(trouble("writing the native image"))
}

fn limit(order: &Order) -> rustix::io::Result<()> {
    let set = |resource, soft: u64, hard: u64| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    set(Resource::As, order.memory_bytes, order.memory_bytes)?;
    set(Resource::Cpu, order.cpu_seconds, order.cpu_seconds + 1)?;
    set(Resource::Core, 0, 0)?;
    // Output goes through a pipe; no file is ever written.
    set(Resource::Fsize, 0, 0)?;
    // Running tasks come first.
    rustix::process::nice(10).map(drop)
}
