//! Where columns of an outbox table go: `column:header|envelope|partition[:alias]`.
//!
//! Enters: the entries of a list. Leaves: placements, or what is wrong with an entry. Invariant: none is guessed.

use crate::scan::quoted;

/// Where a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a header.
    Header,
    /// Into the value, beside the payload.
    Envelope,
    /// It is the partition.
    Partition,
}

/// A column that goes somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The column.
    pub column: String,
    /// Where it goes.
    pub place: Place,
    /// Its name there.
    pub name: String,
    /// The same, quoted.
    pub quoted: String,
}

/// Reads the entries.
pub fn placements(list: &[String]) -> Result<Vec<Placement>, String> {
    list.iter().filter(|entry| !entry.is_empty()).map(|entry| placement(entry)).collect()
}

fn placement(entry: &str) -> Result<Placement, String> {
    let parts: Vec<&str> = entry.split(':').map(str::trim).collect();
    let (column, place, name) = match parts[..] {
        [column, place] => (column, place, column),
        [column, place, name] => (column, place, name),
        _ => {
            return Err(format!(
                "A comma-separated list of valid String pairs or trios is expected but got: [{entry}]"
            ));
        }
    };
    let place = match place.to_ascii_lowercase().as_str() {
        "header" => Place::Header,
        "envelope" => Place::Envelope,
        "partition" => Place::Partition,
        other => return Err(format!("`{other}` in `{entry}` is not one of header, envelope, partition")),
    };
    Ok(Placement { column: column.to_owned(), place, name: name.to_owned(), quoted: quoted(name) })
}
