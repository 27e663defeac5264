//! How a client logs in and whom it trusts: `security.protocol`, `sasl.*`, `ssl.*`.
//!
//! Enters: Java's settings, which only mean something together. Leaves: librdkafka's, or problems. Invariant: what cannot
//! be done as it was asked for is a problem, never a weaker connection; a problem says what to do and quotes no value but
//! names of files.

use super::jaas::Login;
use super::pem::{Form, form_of, laid_out};
use super::{Ignored, Settings, table};

/// What the settings add up to.
#[derive(Default)]
pub(super) struct Security {
    /// librdkafka's settings.
    pub conf: Vec<(String, String)>,
    /// Why a client cannot be made.
    pub problems: Vec<Ignored>,
    logs_in: bool,
    tls: bool,
    tokens: bool,
}

const TOKEN_ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const VERIFICATION: &str = "enable.ssl.certificate.verification";

/// `sasl.oauthbearer.config` begins with this where a token is to be read from a file.
pub(crate) const TOKEN_FILE: &str = "file:";

/// Reads all of them.
pub(super) fn security(settings: &Settings) -> Security {
    let mut found = Security::default();
    let protocol = settings.get("security.protocol").map_or("PLAINTEXT", |v| v.trim()).to_ascii_uppercase();
    let (logs_in, tls) = match protocol.as_str() {
        "PLAINTEXT" => (false, false),
        "SSL" => (false, true),
        "SASL_PLAINTEXT" => (true, false),
        "SASL_SSL" => (true, true),
        _ => {
            found.problem("security.protocol", "must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
            return found;
        }
    };
    found.set("security.protocol", protocol.to_ascii_lowercase());
    (found.logs_in, found.tls) = (logs_in, tls);
    if logs_in {
        found.log_in(settings);
    }
    if tls {
        found.truststore(settings);
        found.keystore(settings);
        found.other_ssl(settings);
    }
    found
}

impl Security {
    /// True for a setting that was read here and had its effect.
    pub fn uses(&self, key: &str) -> bool {
        let known = || table::entry(key).is_some_and(|entry| matches!(entry.rule, table::Rule::Security));
        match key {
            "security.protocol" => true,
            TOKEN_ENDPOINT => self.tokens,
            _ if key.starts_with("sasl.") => self.logs_in && known(),
            _ if key.starts_with("ssl.") || key == VERIFICATION => self.tls && known(),
            _ => false,
        }
    }

    fn set(&mut self, key: &str, value: impl Into<String>) {
        self.conf.push((key.to_owned(), value.into()));
    }

    fn problem(&mut self, key: &str, reason: impl Into<String>) {
        self.problems.push(Ignored { key: key.to_owned(), reason: reason.into() });
    }

    fn log_in(&mut self, settings: &Settings) {
        let named = settings.get("sasl.mechanism").or_else(|| settings.get("sasl.mechanisms"));
        let mechanism = named.map_or("GSSAPI", |v| v.trim());
        let login = match settings.get("sasl.jaas.config").map(|text| Login::parse(text)).transpose() {
            Ok(login) => login,
            Err(why) => return self.problem("sasl.jaas.config", why),
        };
        match mechanism {
            "PLAIN" => self.password(settings, login, mechanism, "PlainLoginModule"),
            "SCRAM-SHA-256" | "SCRAM-SHA-512" => self.password(settings, login, mechanism, "ScramLoginModule"),
            "OAUTHBEARER" => self.token(settings, login),
            "GSSAPI" => self.problem("sasl.mechanism", NO_KERBEROS),
            _ => self.problem("sasl.mechanism", "must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"),
        }
    }

    fn password(&mut self, settings: &Settings, login: Option<Login>, mechanism: &str, class: &str) {
        self.set("sasl.mechanisms", mechanism);
        let (username, password) = match login {
            Some(mut login) if login.class() == class => {
                (login.options.shift_remove("username"), login.options.shift_remove("password"))
            }
            Some(_) => return self.problem("sasl.jaas.config", format!("{mechanism} needs the login module {class}")),
            None => (settings.get("sasl.username").cloned(), settings.get("sasl.password").cloned()),
        };
        match (username, password) {
            (Some(username), Some(password)) => {
                self.set("sasl.username", username);
                self.set("sasl.password", password);
            }
            _ => self.problem("sasl.jaas.config", format!("{mechanism} needs username=\"...\" and password=\"...\"")),
        }
    }

    /// A token from a file, or the unsigned one that Kafka's clients make for trying things out.
    fn token(&mut self, settings: &Settings, login: Option<Login>) {
        self.set("sasl.mechanisms", "OAUTHBEARER");
        self.tokens = true;
        let Some(login) = login.filter(|login| login.class() == "OAuthBearerLoginModule") else {
            return self.problem("sasl.jaas.config", "OAUTHBEARER needs the login module OAuthBearerLoginModule");
        };
        if let Some(url) = settings.get(TOKEN_ENDPOINT) {
            let Some(path) = url.trim().strip_prefix("file:") else {
                return self.problem(TOKEN_ENDPOINT, NO_ENDPOINT);
            };
            // file:///path and file:/path are the same file.
            let path = path.strip_prefix("//").unwrap_or(path);
            return self.set("sasl.oauthbearer.config", format!("{TOKEN_FILE}{path}"));
        }
        match unsecured(&login) {
            Ok(config) => {
                self.set("enable.sasl.oauthbearer.unsecure.jwt", "true");
                self.set("sasl.oauthbearer.config", config);
            }
            Err(why) => self.problem("sasl.jaas.config", why),
        }
    }

    fn truststore(&mut self, settings: &Settings) {
        if let Some((key, text)) = first(settings, &["ssl.truststore.certificates", "ssl.ca.pem"]) {
            return self.pem(key, text, "ssl.ca.pem");
        }
        let Some((key, path)) = first(settings, &["ssl.truststore.location", "ssl.ca.location"]) else { return };
        // A folder of certificates, or librdkafka's word for looking for the system's.
        if key == "ssl.ca.location" && (path == "probe" || std::path::Path::new(path).is_dir()) {
            return self.set("ssl.ca.location", path);
        }
        match form_of(path) {
            Ok(Form::Pem) => self.set("ssl.ca.location", path),
            Ok(Form::Jks | Form::Pkcs12) => self.problem(key, format!("{path} {CONVERT_TRUST}")),
            Err(why) => self.problem(key, why),
        }
    }

    fn keystore(&mut self, settings: &Settings) {
        if let Some((key, text)) = first(settings, &["ssl.keystore.certificate.chain", "ssl.certificate.pem"]) {
            self.pem(key, text, "ssl.certificate.pem");
        }
        if let Some((key, text)) = first(settings, &["ssl.keystore.key", "ssl.key.pem"]) {
            self.pem(key, text, "ssl.key.pem");
        }
        if let Some((_, password)) = first(settings, &["ssl.key.password"]) {
            self.set("ssl.key.password", password);
        }
        for key in ["ssl.certificate.location", "ssl.key.location"] {
            if let Some((key, path)) = first(settings, &[key]) {
                self.set(key, path);
            }
        }
        let Some((key, path)) = first(settings, &["ssl.keystore.location"]) else { return };
        match form_of(path) {
            Ok(Form::Pem) => {
                self.set("ssl.certificate.location", path);
                self.set("ssl.key.location", path);
            }
            Ok(Form::Pkcs12) => {
                self.set("ssl.keystore.location", path);
                let password = settings.get("ssl.keystore.password").cloned().unwrap_or_default();
                self.set("ssl.keystore.password", password);
            }
            Ok(Form::Jks) => self.problem(key, format!("{path} {CONVERT_KEY}")),
            Err(why) => self.problem(key, why),
        }
    }

    fn other_ssl(&mut self, settings: &Settings) {
        let key = "ssl.endpoint.identification.algorithm";
        if let Some(value) = settings.get(key) {
            let value = value.trim().to_ascii_lowercase();
            self.set(key, if value.is_empty() { "none".to_owned() } else { value });
        }
        for key in ["ssl.crl.location", "ssl.sigalgs.list", "ssl.curves.list", VERIFICATION] {
            if let Some((key, value)) = first(settings, &[key]) {
                self.set(key, value);
            }
        }
        if let Some((key, value)) = first(settings, &["ssl.cipher.suites"]) {
            if value.contains("TLS_") {
                self.problem(key, "name the suites as OpenSSL does, with colons between them, or leave it out");
            } else {
                self.set(key, value);
            }
        }
    }

    fn pem(&mut self, key: &str, text: &str, name: &str) {
        match laid_out(text) {
            Ok(text) => self.set(name, text),
            Err(why) => self.problem(key, why),
        }
    }
}

/// The first of these settings that has a value, trimmed.
fn first<'a>(settings: &'a Settings, keys: &[&'static str]) -> Option<(&'static str, &'a str)> {
    keys.iter().find_map(|key| Some((*key, settings.get(*key)?.trim()))).filter(|(_, value)| !value.is_empty())
}

/// librdkafka's words for what Kafka's `OAuthBearerUnsecuredLoginCallbackHandler` reads.
fn unsecured(login: &Login) -> Result<String, String> {
    let option = |name: &str| login.options.get(name).map(String::as_str);
    let claim = option("unsecuredLoginPrincipalClaimName").unwrap_or("sub");
    let Some(principal) = option(&format!("unsecuredLoginStringClaim_{claim}")) else {
        return Err(format!(
            "OAUTHBEARER needs sasl.oauthbearer.token.endpoint.url=file:///... with a token in that file, or (for trying \
             things out) unsecuredLoginStringClaim_{claim}=\"...\""
        ));
    };
    let mut words = vec![("principalClaimName".to_owned(), claim), ("principal".to_owned(), principal)];
    let scope = option("unsecuredLoginScopeClaimName").unwrap_or("scope");
    let listed = option(&format!("unsecuredLoginListClaim_{scope}")).map(|v| v.trim_start_matches(','));
    if let Some(value) = listed.or_else(|| option(&format!("unsecuredLoginStringClaim_{scope}"))) {
        words.push(("scopeClaimName".to_owned(), scope));
        words.push(("scope".to_owned(), value));
    }
    if let Some(life) = option("unsecuredLoginLifetimeSeconds") {
        words.push(("life".to_owned(), life));
    }
    let extensions = login.options.iter().filter_map(|(k, v)| Some((k.strip_prefix("unsecuredLoginExtension_")?, v)));
    words.extend(extensions.map(|(name, value)| (format!("extension_{name}"), value.as_str())));
    if words.iter().any(|(_, value)| value.contains(char::is_whitespace)) {
        return Err("an unsecured token's claims must hold no white space here".to_owned());
    }
    Ok(words.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

const NO_KERBEROS: &str = "GSSAPI (Kerberos; also what is meant where no mechanism is named) is not built in: give the \
    worker's principal a SCRAM-SHA-512 password or a TLS client certificate, and name that here";
const NO_ENDPOINT: &str = "tokens are read from a file here: let the platform's agent keep a token in one, and set \
    file:///path/of/the/token";
const CONVERT_TRUST: &str = "is a Java or PKCS#12 store; certificates to trust must be PEM here: keytool -list -rfc \
    -keystore STORE > trust.pem, then ssl.truststore.type=PEM and ssl.truststore.location=trust.pem";
const CONVERT_KEY: &str = "is a Java key store (JKS); convert it: keytool -importkeystore -srckeystore STORE -destkeystore \
    keys.p12 -deststoretype PKCS12, then ssl.keystore.type=PKCS12 and ssl.keystore.location=keys.p12";
