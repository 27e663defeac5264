//! What a plugin gets of what it asks for.
//!
//! Enters: the worker's policy, a plugin's requests, its configuration. Leaves: grants, or one text that names everything
//! that was refused and the property that would grant it. Invariant: a plugin that is refused something does not start.

use lockgate_model::package::{PluginInfo, Request};
use lockgate_wasm::{Grants, Policy, Refused};

/// A plugin's settings with its defaults, as its requests see them.
pub(crate) fn with_defaults(plugin: &PluginInfo, config: &[(String, String)]) -> Vec<(String, String)> {
    let mut config = config.to_vec();
    for definition in &plugin.config {
        if let (Some(value), false) = (&definition.default_value, config.iter().any(|(k, _)| *k == definition.name)) {
            config.push((definition.name.clone(), value.clone()));
        }
    }
    config
}

/// The grants, or all refusals in one text.
pub(crate) fn effective(policy: &Policy, requests: &[Request], config: &[(String, String)]) -> Result<Grants, String> {
    let (grants, refused) = policy.effective(requests, config);
    if refused.is_empty() { Ok(grants) } else { Err(refused.iter().map(text).collect::<Vec<_>>().join("; ")) }
}

/// All refusals, each with the config key that names the target where there is one.
pub(crate) fn refusals(
    policy: &Policy,
    requests: &[Request],
    config: &[(String, String)],
) -> Vec<(Option<String>, String)> {
    let each = requests.iter().flat_map(|request| {
        let key = key_of(request, config);
        let (_, refused) = policy.effective(std::slice::from_ref(request), config);
        refused.into_iter().map(move |r| (key.clone(), text(&r)))
    });
    each.collect()
}

fn text(refused: &Refused) -> String {
    format!("{refused} [grants.refused]")
}

/// The first key that a request names in braces.
fn key_of(request: &Request, config: &[(String, String)]) -> Option<String> {
    let (Request::Http(t) | Request::Tcp(t) | Request::Read(t) | Request::Write(t)) = request;
    let key = t.split_once('{')?.1.split_once('}')?.0;
    let known = |key: &str| config.iter().any(|(k, _)| k == key);
    let plain = key.strip_prefix("config.").filter(|plain| !known(key) && known(plain));
    Some(plain.unwrap_or(key).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_refusal_names_the_key_the_target_and_what_would_grant_it() {
        let requests = [Request::Http("{http.url}".to_owned())];
        let config = [("http.url".to_owned(), "https://api.example.com/in".to_owned())];
        let refusals = refusals(&Policy::default(), &requests, &config);
        let (key, text) = refusals.first().unwrap();
        assert_eq!((refusals.len(), key.as_deref()), (1, Some("http.url")));
        assert!(text.contains("api.example.com") && text.contains("lockgate.grants.http"), "{text}");
        assert!(effective(&Policy::default(), &requests, &config).is_err());
        assert!(effective(&Policy::default(), &requests, &[]).is_ok(), "what is not used needs no grant");
    }
}
