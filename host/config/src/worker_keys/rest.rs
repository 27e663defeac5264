//! Worker keys of the REST API.
//!
//! Enters: nothing. Leaves: a table. Invariant: `super::super::rest` reads each of them; TLS keys stand in its own table.

use lockgate_model::package::{ConfigType, Importance};

use ConfigType::{Int, List, String as Text};
use Importance::{Low, Medium};

use crate::definitions::Known;

/// All of them.
pub fn keys() -> Vec<Known> {
    let listeners = "Where the REST API listens: http://host:port or https://host:port, separated by commas; no host = all \
                     addresses. https takes listeners.https.ssl.*, or if there is none of these, ssl.*.";
    let admin = "Where log levels are served, and nothing else; null = on the listeners of the API, empty = nowhere.";
    let extensions = "Only BasicAuthSecurityRestExtension (built in); any other class is refused.";
    let headers = "Extra response headers: [action] [name]:[value], ...; actions set, add, setDate, addDate.";
    let basic = "Who may call with HTTP basic authentication: a properties file of user=password, or the JAAS file with the \
                 PropertyFileLoginModule that names it. Read anew when it changes.";
    let bearer = "Who may call with a bearer token: a properties file of name=token. Read anew when it changes.";
    let text = |name: &str, default: Option<&str>, doc: &str| Known::new(name, Text, default, Low, doc);
    vec![
        Known::new("listeners", List, Some("http://:8083"), Low, listeners).non_empty(),
        text("rest.advertised.host.name", None, "Host that other workers and worker_id name."),
        Known::new("rest.advertised.port", Int, None, Low, "Port that other workers and worker_id name.")
            .between(1.0, 65_535.0),
        text(
            "rest.advertised.listener",
            None,
            "Listener that other workers are told: http or https; null = the first.",
        ),
        Known::new("admin.listeners", List, None, Low, admin),
        Known::new("rest.extension.classes", List, Some(""), Low, extensions),
        text("response.http.headers.config", Some(""), headers),
        text("access.control.allow.origin", Some(""), "Origin that browsers may call from; empty = none."),
        text("access.control.allow.methods", Some(""), "Methods that such a page may use."),
        Known::new("lockgate.rest.basic.file", Text, None, Medium, basic).non_empty(),
        Known::new("lockgate.rest.bearer.file", Text, None, Medium, bearer).non_empty(),
    ]
}
