//! Which client settings a connector may override.
//!
//! Enters: the worker's policy, a connector's `producer.override.*`, `consumer.override.*`, `admin.override.*`. Leaves:
//! Kafka Connect's refusals. Invariant: what the host's own allow-list refuses is refused under every policy.

use indexmap::IndexMap;

use crate::RawConfig;
use crate::error::ConfigError;

/// A kind of Kafka client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Sources, dead letters.
    Producer,
    /// Sinks.
    Consumer,
    /// Topic creation.
    Admin,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Producer, Self::Consumer, Self::Admin];

    /// `producer` and so on.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Admin => "admin client",
        }
    }

    /// `producer.override.` and so on.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.override.",
            Self::Consumer => "consumer.override.",
            Self::Admin => "admin.override.",
        }
    }
}

/// `connector.client.config.override.policy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    /// Everything that the host's own allow-list lets pass.
    All,
    /// Nothing.
    None,
    /// Credentials only; the host's allow-list has none of them, so in effect nothing.
    Principal,
    /// These keys only.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    /// The policy of a name (simple or Kafka's full class name).
    pub fn parse(name: &str, allowlist: Vec<String>) -> Option<Self> {
        let simple = name.rsplit('.').next().unwrap_or(name);
        match simple.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(simple) {
            "All" => Some(Self::All),
            "None" => Some(Self::None),
            "Principal" => Some(Self::Principal),
            "Allowlist" => Some(Self::Allowlist(allowlist)),
            _ => None,
        }
    }

    /// The short name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::Principal => "Principal",
            Self::Allowlist(_) => "Allowlist",
        }
    }

    fn allows(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Principal => matches!(key, "sasl.jaas.config" | "sasl.mechanism" | "security.protocol"),
            Self::Allowlist(keys) => keys.iter().any(|k| k == key),
        }
    }

    /// Checks one override, without its prefix: first the policy, then the host's own allow-list.
    pub fn check(&self, key: &str, allow_list: impl FnOnce(&str) -> Result<(), String>) -> Result<(), String> {
        if !self.allows(key) {
            let name = self.name();
            return Err(format!(
                "The '{name}' policy does not allow '{key}' to be overridden in the connector configuration."
            ));
        }
        allow_list(key)
    }
}

/// Overrides of one client, prefix cut off; null values are left out (validation refuses them).
pub fn of(client: Client, raw: &RawConfig) -> IndexMap<String, String> {
    let pairs = raw.iter().filter_map(|(key, value)| Some((key.strip_prefix(client.prefix())?, value.as_ref()?)));
    pairs.map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

/// What is refused; the keys carry their prefix. Values never stand in these texts: they may be credentials.
pub fn refused(
    policy: &OverridePolicy,
    raw: &RawConfig,
    allow_list: &dyn Fn(Client, &str) -> Result<(), String>,
) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for client in Client::ALL {
        for key in of(client, raw).keys() {
            if let Err(reason) = policy.check(key, |key| allow_list(client, key)) {
                errors.push(ConfigError::new(&format!("{}{key}", client.prefix()), reason));
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_comes_before_the_hosts_allow_list_and_both_must_agree() {
        let raw: RawConfig = [
            ("producer.override.linger.ms".to_owned(), Some("5".to_owned())),
            ("consumer.override.bootstrap.servers".to_owned(), Some("evil:9092".to_owned())),
        ]
        .into();
        let allow_list = |_: Client, key: &str| if key == "linger.ms" { Ok(()) } else { Err("refused".to_owned()) };
        let all = refused(&OverridePolicy::All, &raw, &allow_list);
        assert_eq!(all, [ConfigError::new("consumer.override.bootstrap.servers", "refused")]);
        let none = refused(&OverridePolicy::None, &raw, &allow_list);
        let text = "The 'None' policy does not allow 'linger.ms' to be overridden in the connector configuration.";
        assert_eq!(none[0].message, text);
        assert_eq!(none.len(), 2);
        let listed = OverridePolicy::parse("Allowlist", vec!["linger.ms".to_owned()]).unwrap();
        assert_eq!(refused(&listed, &raw, &allow_list).len(), 1);
    }

    #[test]
    fn policies_are_known_by_short_and_full_name() {
        let full = "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy";
        assert_eq!(OverridePolicy::parse(full, Vec::new()), Some(OverridePolicy::None));
        assert_eq!(OverridePolicy::parse("com.acme.Mine", Vec::new()), None);
    }
}
