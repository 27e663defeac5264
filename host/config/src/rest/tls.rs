//! TLS of the REST listeners, in Kafka's words: `ssl.*` below `listeners.https.` or `admin.listeners.https.`, or bare.
//!
//! Enters: the worker's entries and the prefix that holds. Leaves: [`Tls`]. Invariant: keys and passwords are never
//! printed; a store that only Java reads (JKS, PKCS12) is refused with what to do instead.

use std::fmt;
use std::path::PathBuf;

use crate::RawConfig;
use crate::error::ConfigError;
use crate::value::list;

/// PEM text, in a file or in the setting itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// The file.
    File(PathBuf),
    /// The text.
    Text(String),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text([hidden])"),
        }
    }
}

/// The server's certificate chain and private key.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// `ssl.keystore.location` with `ssl.keystore.type=PEM`: key and chain in one file.
    File(PathBuf),
    /// `ssl.keystore.certificate.chain` and `ssl.keystore.key`.
    Text {
        /// Certificates, the server's first.
        chain: String,
        /// The private key, PKCS 8.
        key: String,
    },
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text { .. } => f.write_str("Text([hidden])"),
        }
    }
}

/// `ssl.client.auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `none`: clients show no certificate.
    None,
    /// `requested`: one that is shown must be good.
    Requested,
    /// `required`: without a good one there is no connection.
    Required,
}

/// TLS of some listeners.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who the server is.
    pub identity: Identity,
    /// `ssl.key.password`: of an encrypted private key.
    pub key_password: Option<String>,
    /// `ssl.truststore.location` or `ssl.truststore.certificates`: who may sign clients' certificates. There if
    /// `client_auth` is not [`ClientAuth::None`].
    pub trust: Option<Pem>,
    /// Whether clients show certificates.
    pub client_auth: ClientAuth,
    /// `ssl.enabled.protocols` has TLSv1.2.
    pub tls12: bool,
    /// `ssl.enabled.protocols` has TLSv1.3.
    pub tls13: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Tls");
        shown.field("identity", &self.identity).field("trust", &self.trust).field("client_auth", &self.client_auth);
        shown.field("tls12", &self.tls12).field("tls13", &self.tls13).finish_non_exhaustive()
    }
}

/// The keys that are read, without prefix, with what they mean; of a Java worker's others [`super::tls`] makes no use.
pub const KEYS: [(&str, &str); 9] = [
    ("ssl.keystore.type", "PEM, the only kind that is read."),
    ("ssl.keystore.location", "File with the private key and the certificate chain."),
    ("ssl.keystore.certificate.chain", "The chain itself, instead of a file."),
    ("ssl.keystore.key", "The private key itself (PKCS 8), instead of a file."),
    ("ssl.key.password", "Password of an encrypted private key."),
    ("ssl.truststore.location", "File with the certificates that may sign those of clients."),
    ("ssl.truststore.certificates", "Those certificates themselves, instead of a file."),
    ("ssl.client.auth", "Whether clients show certificates: none (default), requested, required."),
    ("ssl.enabled.protocols", "Some of TLSv1.2, TLSv1.3 (default: both)."),
];

/// Reads them; `None` if an error was added.
pub fn read(prefix: &str, raw: &RawConfig, errors: &mut Vec<ConfigError>) -> Option<Tls> {
    let mut reader = Reader { prefix, raw, errors, failed: false };
    let identity = reader.identity();
    let client_auth = reader.client_auth();
    let trust = reader.trust(client_auth);
    let (tls12, tls13) = reader.protocols();
    let key_password = reader.get("ssl.key.password").map(str::to_owned);
    let failed = reader.failed;
    identity.filter(|_| !failed).map(|identity| Tls { identity, key_password, trust, client_auth, tls12, tls13 })
}

struct Reader<'a> {
    prefix: &'a str,
    raw: &'a RawConfig,
    errors: &'a mut Vec<ConfigError>,
    failed: bool,
}

impl<'a> Reader<'a> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let text = self.raw.get(&self.key(name))?.as_deref()?.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    fn blame(&mut self, error: ConfigError) {
        self.failed = true;
        self.errors.push(error);
    }

    /// A store must be PEM: `what` is `keystore` or `truststore`.
    fn is_pem(&mut self, what: &str) -> bool {
        let name = format!("ssl.{what}.type");
        let given = self.get(&name).unwrap_or("JKS");
        if given.eq_ignore_ascii_case("PEM") {
            return true;
        }
        let reason = format!(
            "only PEM is read; write the content of the {what} as PEM (keytool -importkeystore -deststoretype PKCS12, \
             then openssl pkcs12 -nodes) and set {}=PEM",
            self.key(&name)
        );
        self.blame(ConfigError::invalid(&self.key(&name), Some(given), reason));
        false
    }

    fn identity(&mut self) -> Option<Identity> {
        let location = self.get("ssl.keystore.location");
        let inline = (self.get("ssl.keystore.certificate.chain"), self.get("ssl.keystore.key"));
        match (location, inline) {
            (Some(path), (None, None)) => self.is_pem("keystore").then(|| Identity::File(path.into())),
            (None, (Some(chain), Some(key))) => {
                let (chain, key) = (chain.to_owned(), key.to_owned());
                self.is_pem("keystore").then_some(Identity::Text { chain, key })
            }
            (None, (None, None)) => {
                let (location, form) = (self.key("ssl.keystore.location"), self.key("ssl.keystore.type"));
                let text = format!("an https listener needs a certificate: set {location} and {form}=PEM");
                self.blame(ConfigError::new(&location, text));
                None
            }
            _ => {
                let key = self.key("ssl.keystore.location");
                let text = format!(
                    "set either {key}, or both {} and {}",
                    self.key("ssl.keystore.certificate.chain"),
                    self.key("ssl.keystore.key")
                );
                self.blame(ConfigError::new(&key, text));
                None
            }
        }
    }

    fn client_auth(&mut self) -> ClientAuth {
        let name = "ssl.client.auth";
        match self.get(name).unwrap_or("none").to_ascii_lowercase().as_str() {
            "none" => ClientAuth::None,
            "requested" => ClientAuth::Requested,
            "required" => ClientAuth::Required,
            other => {
                let reason = "String must be one of (case insensitive): none, requested, required";
                self.blame(ConfigError::invalid(&self.key(name), Some(other), reason));
                ClientAuth::None
            }
        }
    }

    fn trust(&mut self, client_auth: ClientAuth) -> Option<Pem> {
        if client_auth == ClientAuth::None {
            return None;
        }
        let pem = match (self.get("ssl.truststore.location"), self.get("ssl.truststore.certificates")) {
            (Some(path), None) => Pem::File(path.into()),
            (None, Some(text)) => Pem::Text(text.to_owned()),
            _ => {
                let (key, inline) = (self.key("ssl.truststore.location"), self.key("ssl.truststore.certificates"));
                let auth = self.key("ssl.client.auth");
                let text = format!("{auth} needs the signers of clients' certificates: set one of {key} and {inline}");
                self.blame(ConfigError::new(&key, text));
                return None;
            }
        };
        self.is_pem("truststore").then_some(pem)
    }

    fn protocols(&mut self) -> (bool, bool) {
        let name = "ssl.enabled.protocols";
        let Some(text) = self.get(name) else { return (true, true) };
        let named = list(text);
        let has = |version: &str| named.iter().any(|n| n.eq_ignore_ascii_case(version));
        let (tls12, tls13) = (has("TLSv1.2"), has("TLSv1.3"));
        let strange = named.iter().any(|n| !["tlsv1.2", "tlsv1.3"].contains(&n.to_ascii_lowercase().as_str()));
        if strange || !(tls12 || tls13) {
            let error = ConfigError::invalid(&self.key(name), Some(text), "only TLSv1.2 and TLSv1.3 are spoken");
            self.blame(error.allowing(Some("TLSv1.2, TLSv1.3".to_owned())));
        }
        (tls12, tls13)
    }
}
