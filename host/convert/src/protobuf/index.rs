//! Which message of a schema a record is: the path between the schema's id and the message.
//!
//! Enters: bytes behind the id, or a message's descriptor. Leaves: the descriptor, or those bytes. Invariant: the path
//! counts declared messages only, as the registries' own converters do; the first message of the file is one zero byte.

use prost_reflect::{FileDescriptor, MessageDescriptor};

use super::wire::{Reader, put_varint, unzigzag, zigzag};
use crate::fault::{DataFault, Result};

/// Steps of a path at most: messages nest no deeper than their text may.
const PATH_MAX: usize = 100;

/// Reads a path; the bytes behind it are the message.
pub(crate) fn read(bytes: &[u8]) -> Result<(Vec<usize>, &[u8])> {
    let mut reader = Reader::new(bytes);
    let missing =
        |_| DataFault::new("protobuf.index", "the message index behind the schema id is missing or not a varint");
    let count = unzigzag(reader.varint().map_err(missing)?);
    if count == 0 {
        return Ok((vec![0], &bytes[reader.at..]));
    }
    let Some(count) = usize::try_from(count).ok().filter(|n| *n <= PATH_MAX) else {
        return Err(DataFault::new(
            "protobuf.index",
            format!("a message index of {count} steps; at most 100 are possible"),
        ));
    };
    let mut path = Vec::with_capacity(count);
    for _ in 0..count {
        let step = unzigzag(reader.varint().map_err(missing)?);
        path.push(usize::try_from(step).map_err(|_| unknown())?);
    }
    Ok((path, &bytes[reader.at..]))
}

/// The message at a path.
pub(crate) fn resolve(file: &FileDescriptor, path: &[usize]) -> Result<MessageDescriptor> {
    let mut message: Option<MessageDescriptor> = None;
    for step in path {
        let next = match &message {
            None => file.messages().nth(*step),
            Some(outer) => outer.child_messages().filter(|m| !m.is_map_entry()).nth(*step),
        };
        message = Some(next.ok_or_else(unknown)?);
    }
    message.ok_or_else(unknown)
}

/// Appends the path of a message.
pub(crate) fn write(message: &MessageDescriptor, out: &mut Vec<u8>) {
    let mut path = Vec::new();
    let mut at = message.clone();
    while let Some(outer) = at.parent_message() {
        path.push(outer.child_messages().filter(|m| !m.is_map_entry()).position(|m| m == at).unwrap_or(0));
        at = outer;
    }
    path.push(at.parent_file().messages().position(|m| m == at).unwrap_or(0));
    if path == [0] {
        return out.push(0);
    }
    for number in std::iter::once(path.len()).chain(path.into_iter().rev()) {
        // A path is short and its steps are positions in a text of a few megabytes.
        put_varint(zigzag(i64::try_from(number).unwrap_or(0)), out);
    }
}

fn unknown() -> DataFault {
    DataFault::new("protobuf.index", "the message index names a message that the schema does not have")
}
