//! The folder of compiled packages on a disk that is full, and with entries that others wrote.
//!
//! Enters: a small file system of its own where the process may mount one; else a file in the folder's place. Leaves:
//! uploads that run all the same, tasks that notice nothing.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockgate_tests::{Kafka, Worker, WorkerOptions, eventually_equal, places};
use serde_json::json;

use crate::configs::{file_sink, lines, numbers};

/// A folder on a file system of 24 MiB, or an ordinary one.
struct Disk {
    folder: PathBuf,
    mounted: bool,
}

impl Disk {
    fn at(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount_quietly(mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder));
        Self { folder, mounted }
    }

    /// From now on nothing more can be written into it.
    fn fill(&self) {
        if self.mounted {
            let mut filler = File::create(self.folder.join("filler")).unwrap();
            while filler.write(&[0; 4096]).is_ok_and(|n| n > 0) {}
        } else {
            fs::rename(&self.folder, self.folder.with_extension("moved")).unwrap();
            fs::write(&self.folder, b"in its place").unwrap();
        }
    }

    fn empty(&self) {
        if self.mounted {
            fs::remove_file(self.folder.join("filler")).unwrap();
        } else {
            fs::remove_file(&self.folder).unwrap();
            fs::rename(self.folder.with_extension("moved"), &self.folder).unwrap();
        }
    }
}

fn mount_quietly(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            mount_quietly(Command::new("umount").arg("--lazy").arg(&self.folder));
        }
    }
}

fn images(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut images: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "cwasm")).collect();
    images.sort();
    images
}

/// Packages that are enough for these tests: what is not there need not be compiled.
fn few_packages(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    for name in ["blackhole.wasm", "file.wasm"] {
        fs::copy(places::packages().join(name), folder.join(name)).unwrap();
    }
    folder.to_string_lossy().into_owned()
}

fn worker_on(kafka: &Kafka, cache: &Path, home: &Path) -> Worker {
    let options = WorkerOptions::default()
        .with("lockgate.cache.dir", &cache.to_string_lossy())
        .with("lockgate.packages.bundled", &few_packages(&home.join("bundled")));
    Worker::start_with(&kafka.bootstrap, options)
}

#[test]
fn a_full_disk_costs_the_cache_and_nothing_else() {
    let (kafka, home) = (Kafka::shared(), tempfile::tempdir().unwrap());
    let disk = Disk::at(home.path().join("cache"));
    let mut worker = worker_on(kafka, &disk.folder, home.path());
    let topic = kafka.topic("full-cache", 1);
    worker.create_running("beside", file_sink(&topic.name, &worker.path_text("out.txt")));
    topic.write(["0"]);
    disk.fill();
    let package = worker.upload(&places::guest("reference")).expect(201).json();
    assert!(worker.log().contains("the native image cannot be kept"), "the log says so");
    let uploaded = json!({"connector.class": "ref.Sink", "topics": topic.name, "tasks.max": "1"});
    worker.create_running("uploaded", uploaded);
    topic.write(["1"]);
    let written = |worker: &Worker| lines(&worker.path("out.txt"));
    eventually_equal("the other one noticed nothing", &numbers(0..2), || written(&worker));
    // What is not committed comes again after a kill, as it should.
    eventually_equal("it is committed", &Some(2), || topic.committed("connect-beside").get(&0).copied());
    worker.kill();
    if !disk.mounted {
        disk.empty();
    }
    worker.launch();
    worker.wait_ready();
    topic.write(["2"]);
    eventually_equal("all goes on where it stopped", &numbers(0..3), || written(&worker));
    worker.wait_running("uploaded");
    let path = format!("/packages/reference/{}", package["version"].as_str().unwrap());
    worker.get(&path).expect(200);
    if disk.mounted {
        disk.empty();
    }
    assert!(images(&disk.folder).len() >= 2, "what was kept before is still there");
}

#[test]
fn what_others_wrote_into_the_cache_is_compiled_again() {
    let (kafka, home) = (Kafka::shared(), tempfile::tempdir().unwrap());
    let cache = home.path().join("cache");
    let mut worker = worker_on(kafka, &cache, home.path());
    let topic = kafka.topic("changed-cache", 1);
    worker.create_running("full", file_sink(&topic.name, &worker.path_text("out.txt")));
    worker.kill();
    let kept = images(&cache);
    assert_eq!(kept.len(), 2, "{kept:?}");
    let (cut, swapped) = (&kept[0], &kept[1]);
    let original: Vec<Vec<u8>> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
    fs::write(cut, &original[0][..original[0].len() / 2]).unwrap();
    fs::write(swapped, &original[0]).unwrap();
    fs::write(cache.join(format!("{}.cwasm", "0".repeat(64))), &original[1]).unwrap();
    worker.launch();
    worker.wait_ready();
    worker.wait_running("full");
    assert_eq!(worker.log().matches("changed by someone else").count(), 2, "{}", worker.log());
    topic.write(["0"]);
    eventually_equal("it runs", &numbers(0..1), || lines(&worker.path("out.txt")));
    let again: Vec<Vec<u8>> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(again.iter().map(Vec::len).collect::<Vec<_>>(), original.iter().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn a_worker_whose_cache_cannot_be_made_says_so() {
    let (kafka, home) = (Kafka::shared(), tempfile::tempdir().unwrap());
    let file = home.path().join("file");
    fs::write(&file, b"no folder").unwrap();
    let options = WorkerOptions::default().with("lockgate.cache.dir", &file.to_string_lossy());
    let mut worker = Worker::set_up(&kafka.bootstrap, options);
    worker.launch();
    assert!(!worker.wait_end().success());
    let log = worker.log();
    assert!(log.contains("lockgate.cache.dir") && log.contains(&*file.to_string_lossy()), "{log}");
}
