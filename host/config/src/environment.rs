//! Worker settings from the environment, as images of Kafka Connect take them.
//!
//! Enters: the entries of a properties file and the environment's variables. Leaves: both, the environment winning, and the
//! keys that it set. Invariant: only variables that begin with [`PREFIX`] are looked at; no value leaves in a text.

use indexmap::IndexMap;

/// What the name of such a variable begins with.
pub const PREFIX: &str = "CONNECT_";

/// Names of the images' own scripts, not of settings: left alone.
const NOT_SETTINGS: [&str; 3] = ["CONNECT_LOG4J_", "CONNECT_CUB_", "CONNECT_PROPERTIES"];

/// Lays the environment over `entries`; the answer lists the keys that came from there, in the order of their names.
pub fn overlay(
    entries: &mut IndexMap<String, String>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<String> {
    let mut set: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(name, _)| !NOT_SETTINGS.iter().any(|other| name.starts_with(other)))
        .filter_map(|(name, value)| Some((key(&name)?, value)))
        .collect();
    set.sort();
    let keys = set.iter().map(|(key, _)| key.clone()).collect();
    entries.extend(set);
    keys
}

/// The key that a variable names: `_` is a dot, `__` an underscore, `___` a dash, letters are small.
pub fn key(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX).filter(|name| !name.is_empty())?;
    let marked = name.to_lowercase().replace("___", "-").replace("__", "\0");
    Some(marked.replace('_', ".").replace('\0', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_names_its_key_as_the_usual_images_have_it() {
        let cases = [
            ("CONNECT_BOOTSTRAP_SERVERS", Some("bootstrap.servers")),
            ("CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE", Some("key.converter.schemas.enable")),
            ("CONNECT_PRODUCER_X__Y", Some("producer.x_y")),
            ("CONNECT_CONFIG_PROVIDERS_MY___ENV_CLASS", Some("config.providers.my-env.class")),
            ("CONNECT_", None),
            ("BOOTSTRAP_SERVERS", None),
        ];
        for (variable, expected) in cases {
            assert_eq!(key(variable).as_deref(), expected, "{variable}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file_and_says_which_keys_it_set() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut entries = IndexMap::from([pair("group.id", "file"), pair("topic.tracking.enable", "true")]);
        let variables = [
            pair("CONNECT_REST_PORT", "1"),
            pair("CONNECT_GROUP_ID", "env"),
            pair("CONNECT_LOG4J_ROOT_LOGLEVEL", "INFO"),
            pair("PATH", "/bin"),
        ];
        assert_eq!(overlay(&mut entries, variables), ["group.id", "rest.port"]);
        let expected = [pair("group.id", "env"), pair("topic.tracking.enable", "true"), pair("rest.port", "1")];
        assert_eq!(entries, IndexMap::from(expected));
    }
}
