//! `FileStreamSource` and `FileStreamSink`, as Kafka Connect's examples of these names behave, made safe against partial lines,
//! truncation, rotation and full disks.
//!
//! Enters: a file's lines, or records. Leaves: records, or a file's lines. Invariant: a line is sent once it has its
//! newline, and an offset is agreed to once its line is on the disk.

mod lines;
mod sink;
mod source;

lockgate_sdk::package! {
    name: "file",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "Lines of a file to records, and records to lines of a file.",
    sources: [source::FileStreamSource],
    sinks: [sink::FileStreamSink],
}
