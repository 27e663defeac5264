//! Data in a registry's wire format (a zero byte, four bytes of schema id, the payload) to payloads, and back.
//!
//! Enters: topic bytes, or payloads. Leaves: payloads, or topic bytes. Invariant: a datum is converted with what
//! [`Prepare::collect`] found missing and [`Prepare::ask`] fetched before; a schema is compiled once; what is kept is
//! bounded by `schemas.cache.config` and one batch more; null has no bytes and asks nobody.

mod compiled;
mod incoming;
mod outgoing;

use lockgate_model::batch::{Batch, HeaderRow, Row, Span};

use crate::converter::Role;
use crate::registry::{Unavailable, Wait};

pub(crate) use incoming::FramedIn;
pub(crate) use outgoing::FramedOut;

/// The asynchronous step before a batch.
pub(crate) trait Prepare: Send {
    /// Notes what this batch needs and is not known yet; true if there is anything. Forgets refusals of batches before.
    fn collect(&mut self, batch: &Batch) -> bool;

    /// Asks for what was noted.
    fn ask(&mut self) -> Wait<'_, Result<(), Unavailable>>;
}

/// The datum of a row.
pub(crate) const fn datum(row: &Row, role: Role) -> (Span, u32) {
    match role {
        Role::Key => (row.key, row.key_schema),
        _ => (row.value, row.value_schema),
    }
}

/// The name of the header that may hold the schema's id.
pub(crate) const fn id_header(role: Role) -> &'static [u8] {
    match role {
        Role::Key => b"__key_schema_id",
        _ => b"__value_schema_id",
    }
}

/// The value of the last header of that name.
pub(crate) fn header<'a>(headers: &[HeaderRow], data: &'a [u8], row: &Row, name: &[u8]) -> Option<&'a [u8]> {
    let first = row.header_first as usize;
    let mine = headers.get(first..first + row.header_count as usize)?;
    let is_named = |h: &&HeaderRow| data.get(h.name_offset as usize..).is_some_and(|d| d.starts_with(name));
    let found = mine.iter().rev().filter(|h| usize::from(h.name_len) == name.len()).find(is_named)?;
    crate::envelope::bytes(data, found.value)
}

#[cfg(test)]
mod tests;
