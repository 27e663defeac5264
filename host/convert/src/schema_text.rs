//! s
use crate::fault::{DataFault, Result};
use crate::schema::Schema;
pub(crate) fn parse(_t: &str) -> Result<Schema> {
    Err(DataFault::schema("later"))
}
pub(crate) fn write(_s: &Schema, _f: Option<&str>, _out: &mut Vec<u8>) {}
