//! Settings of a plugin as a struct.
//!
//! Enters: the user's settings. Leaves: a struct whose fields have their types, defaults and bounds from one place. Invariant:
//! what the host is told of a key and what the plugin reads of it cannot differ.

use std::fmt;
use std::time::Duration;

use crate::config::{Config, Settings};

/// Settings as a struct: `#[derive(Options)]` makes the config definitions of it, and reads it.
///
/// Each field is a key: its name with dots for underscores, or `name = "..."`; its documentation is the key's. The
/// attribute `#[option(...)]` calls the methods of [`Config`]: `default = 5`, `one_of("a", "b")`, `between(1.0, 9.0)`,
/// `at_least(0.0)`, `non_empty`, `importance(Importance::Low)`, `group("...")`, `display("...")`, `width(...)`,
/// `dependents("...")`; `check = path` names a function `fn(&T) -> Result<(), String>` of your own. A key without a default is
/// required, unless it is an `Option` or a list.
///
/// ```
/// use std::time::Duration;
/// use lockgate_sdk::{Options, Secret};
///
/// #[derive(Options)]
/// struct Api {
///     /// Where the items are.
///     #[option(check = http)]
///     url: String,
///     /// Sent with each request.
///     token: Option<Secret>,
///     /// Between two requests.
///     #[option(name = "poll.interval.ms", default = 5000)]
///     poll_interval: Duration,
/// }
///
/// fn http(url: &String) -> Result<(), String> {
///     if url.starts_with("http") { Ok(()) } else { Err(format!("`{url}` is no http address")) }
/// }
/// # fn main() {}
/// ```
///
/// [`crate::Description::options`] announces them, [`Settings::options`] reads them.
pub trait Options: Sized {
    /// The config definitions.
    fn config() -> Config;
    /// The values; problems are collected in the settings.
    fn read(settings: &mut Settings) -> Self;
}

/// A type that a field of [`Options`] may have.
pub trait OptionValue: Sized {
    /// Begins the key; without a default it is required.
    fn begin(config: Config, name: &str, has_default: bool) -> Config;
    /// Reads the value; problems are collected.
    fn read(settings: &mut Settings, name: &str) -> Self;
}

macro_rules! values {
    ($($of:ty: $begin:ident $read:ident;)*) => {
        $(impl OptionValue for $of {
            fn begin(config: Config, name: &str, has_default: bool) -> Config {
                let config = config.$begin(name);
                if has_default { config } else { config.required() }
            }
            fn read(settings: &mut Settings, name: &str) -> Self {
                settings.$read(name)
            }
        })*
    };
}

values! {
    bool: boolean boolean;
    i32: int int;
    i64: long long;
    f64: double double;
    usize: long count;
    Duration: long millis;
}

impl OptionValue for String {
    fn begin(config: Config, name: &str, has_default: bool) -> Config {
        let config = config.string(name);
        if has_default { config } else { config.required() }
    }

    /// One of the allowed texts, where only some are.
    fn read(settings: &mut Settings, name: &str) -> Self {
        settings.choice(name)
    }
}

impl OptionValue for Secret {
    fn begin(config: Config, name: &str, has_default: bool) -> Config {
        let config = config.password(name);
        if has_default { config } else { config.required() }
    }

    fn read(settings: &mut Settings, name: &str) -> Self {
        Self(settings.string(name))
    }
}

impl OptionValue for Vec<String> {
    fn begin(config: Config, name: &str, _: bool) -> Config {
        config.list(name)
    }

    fn read(settings: &mut Settings, name: &str) -> Self {
        settings.list(name)
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    fn begin(config: Config, name: &str, _: bool) -> Config {
        T::begin(config, name, true)
    }

    fn read(settings: &mut Settings, name: &str) -> Self {
        if settings.text(name).is_some() { Some(T::read(settings, name)) } else { None }
    }
}

/// A secret: masked wherever it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Do not log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
