//! Which resource a path means, and which methods it has.
//!
//! Enters: decoded segments. Leaves: a [`Route`], or none (404). Invariant: the methods listed here are those that
//! [`crate::dispatch`] answers; all others are 405.

/// A resource. `String`s are names as decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is the path of the same name
pub enum Route {
    Root,
    Health,
    Metrics,
    OpenApi,
    Connectors,
    Connector(String),
    Config(String),
    Status(String),
    Tasks(String),
    TaskStatus(String, u32),
    TaskRestart(String, u32),
    Pause(String),
    Resume(String),
    Stop(String),
    Restart(String),
    Offsets(String),
    Topics(String),
    TopicsReset(String),
    Logs(String),
    Plugins,
    PluginConfig(String),
    Validate(String),
    Loggers,
    Logger(String),
    Packages,
    Package(String),
    PackageVersion(String, String),
    Preview,
}

impl Route {
    /// How many kinds of resources there are.
    #[cfg(test)]
    pub const KINDS: usize = 28;

    /// The resource of a path. A task number that is none is no resource (404, as in Kafka Connect).
    pub fn of(segments: &[String]) -> Option<Self> {
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let route = match parts[..] {
            [] => Self::Root,
            ["health"] => Self::Health,
            ["metrics"] => Self::Metrics,
            ["openapi.json"] => Self::OpenApi,
            ["connectors"] => Self::Connectors,
            ["connectors", name, ref rest @ ..] => Self::of_connector(name.to_owned(), rest)?,
            ["connector-plugins"] => Self::Plugins,
            ["connector-plugins", class, "config"] => Self::PluginConfig(class.to_owned()),
            ["connector-plugins", class, "config", "validate"] => Self::Validate(class.to_owned()),
            ["admin", "loggers"] => Self::Loggers,
            ["admin", "loggers", name] => Self::Logger(name.to_owned()),
            ["transforms", "preview"] => Self::Preview,
            ["packages"] => Self::Packages,
            ["packages", name] => Self::Package(name.to_owned()),
            ["packages", name, version] => Self::PackageVersion(name.to_owned(), version.to_owned()),
            _ => return None,
        };
        Some(route)
    }

    fn of_connector(name: String, rest: &[&str]) -> Option<Self> {
        let route = match *rest {
            [] => Self::Connector(name),
            ["config"] => Self::Config(name),
            ["status"] => Self::Status(name),
            ["tasks"] => Self::Tasks(name),
            ["tasks", task, "status"] => Self::TaskStatus(name, task.parse().ok()?),
            ["tasks", task, "restart"] => Self::TaskRestart(name, task.parse().ok()?),
            ["pause"] => Self::Pause(name),
            ["resume"] => Self::Resume(name),
            ["stop"] => Self::Stop(name),
            ["restart"] => Self::Restart(name),
            ["offsets"] => Self::Offsets(name),
            ["topics"] => Self::Topics(name),
            ["topics", "reset"] => Self::TopicsReset(name),
            ["logs"] => Self::Logs(name),
            _ => return None,
        };
        Some(route)
    }

    /// True for what `admin.listeners` serves.
    pub const fn is_admin(&self) -> bool {
        matches!(self, Self::Loggers | Self::Logger(_))
    }

    /// Its methods, besides HEAD (where there is GET) and OPTIONS.
    pub const fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Connectors | Self::Packages => &["GET", "POST"],
            Self::Logger(_) => &["GET", "PUT"],
            Self::Config(_) => &["GET", "PATCH", "PUT"],
            Self::Connector(_) | Self::PackageVersion(..) => &["DELETE", "GET"],
            Self::Pause(_) | Self::Resume(_) | Self::Stop(_) | Self::TopicsReset(_) | Self::Validate(_) => &["PUT"],
            Self::Preview | Self::Restart(_) | Self::TaskRestart(..) => &["POST"],
            Self::Offsets(_) => &["DELETE", "GET", "PATCH"],
            _ => &["GET"],
        }
    }

    /// The value of `Allow`.
    pub fn allow(&self) -> String {
        let head = self.methods().contains(&"GET").then_some("HEAD");
        self.methods().iter().copied().chain(head).chain(["OPTIONS"]).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::segments;

    fn of(path: &str) -> Option<Route> {
        Route::of(&segments(path).unwrap())
    }

    #[test]
    fn paths_are_kafka_connects() {
        assert_eq!(of("/"), Some(Route::Root));
        assert_eq!(of("/connectors/a%2Fb/"), Some(Route::Connector("a/b".to_owned())));
        assert_eq!(of("/connectors/c/tasks/7/status"), Some(Route::TaskStatus("c".to_owned(), 7)));
        assert_eq!(of("/connectors/c/tasks/seven/status"), None);
        assert_eq!(of("/connectors/c/tasks-config"), None);
        assert_eq!(of("/connector-plugins/P/config/validate"), Some(Route::Validate("P".to_owned())));
        assert_eq!(of("/packages/p/1.0.0"), Some(Route::PackageVersion("p".to_owned(), "1.0.0".to_owned())));
        assert_eq!(of("/admin/loggers/a%3A%3Ab"), Some(Route::Logger("a::b".to_owned())));
        assert_eq!(of("/admin"), None);
    }

    #[test]
    fn a_resource_names_its_methods() {
        assert_eq!(Route::Config(String::new()).allow(), "GET,PATCH,PUT,HEAD,OPTIONS");
        assert_eq!(Route::Pause(String::new()).allow(), "PUT,OPTIONS");
    }
}
