//! d
/// d
#[derive(Clone, Debug, PartialEq)]
pub struct Decimal {}
