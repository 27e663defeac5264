//! What the bundled packages of transforms share.
//!
//! Enters: settings and records of the border. Leaves: typed settings, records by part, schemas as trees, JSON scanned in
//! one pass. Invariant: nothing here knows a transform; a package is one component, this is linked into it.

pub mod class;
pub mod config;
pub mod glue;
pub mod object;
pub mod record;
pub mod scan;
pub mod schemas;
pub mod splice;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tree;
pub mod valid;
