//! Regular expressions that are searched for in names and values.
//!
//! Enters: a pattern of a setting. Leaves: it compiled, or what is wrong with it. Invariant: a search has a limit on steps, and
//! what passes it is the record's error.

use fancy_regex::Regex;

use crate::config::Settings;
use crate::record::Fault;
use crate::route::compile;

/// Compiles the pattern of a setting; a problem is noted there.
pub fn of_setting(settings: &mut Settings, key: &str) -> Option<Regex> {
    let pattern = settings.given(key)?;
    // Written for Java, as the patterns of topics are.
    match compile(&pattern) {
        Ok((find, _)) => Some(find),
        Err(why) => {
            settings.problem(key, why);
            None
        }
    }
}

/// The fault of a search that took too many steps on `what`.
pub fn too_slow(what: &str) -> Fault {
    Fault {
        code: "transform.regex",
        message: format!("the regular expression takes too many steps on {what}; simplify it"),
    }
}
