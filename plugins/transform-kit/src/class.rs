//! What a transform of this package has to say and do; the glue makes one or two plugins of it.
//!
//! Enters: settings. Leaves: a transform that takes records. Invariant: a transform that was configured cannot fail for
//! reasons of configuration later.

pub use lockgate_sdk::{Encoding, Formats};

use crate::config::{Definition, Problems, Settings};
use crate::record::{Fault, Part, Record};

/// A transform.
pub trait Class: Sized + 'static {
    /// Simple class name.
    const NAME: &'static str;
    /// What stands before the simple name, with its last dot.
    const PACKAGE: &'static str = "org.apache.kafka.connect.transforms.";
    /// True if its simple name is enough to name it: no other class of any bundled package may have it.
    const SHORT: bool = true;
    /// Full names, without `$Key` and `$Value`, of classes that it stands in for.
    const ALIASES: &'static [&'static str] = &[];
    /// One sentence.
    const DOC: &'static str;
    /// Settings, in the order they are shown.
    const CONFIG: &'static [Definition];
    /// True if it looks inside key or value, which then have to be JSON.
    const LOOKS: bool = true;

    /// From its settings; every problem at once. `part` is `Value` for classes without `$Key` and `$Value`.
    fn new(part: Part, settings: Settings, formats: Formats) -> Result<Self, Problems>;

    /// Changes the record in place; false drops it on purpose.
    fn apply<R: Record>(&mut self, record: &mut R) -> Result<bool, Fault>;
}
