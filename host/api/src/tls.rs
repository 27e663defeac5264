//! TLS of the listeners.
//!
//! Enters: settings in Kafka's words (PEM). Leaves: an acceptor, or what is wrong with a certificate or key. Invariant: read
//! once, at start; TLS 1.2 and 1.3 only; keys are never printed.

use std::path::PathBuf;
use std::sync::Arc;

use lockgate_config::{ClientAuth, Identity, Pem, Tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

/// An https listener cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Code `rest.tls-file`.
    #[error("{} cannot be read: {why} [rest.tls-file]", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// Code `rest.tls-pem`.
    #[error("{what}: {why} [rest.tls-pem]")]
    Pem {
        /// The setting.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
}

const CHAIN: &str = "the certificate chain (ssl.keystore.location, ssl.keystore.certificate.chain)";
const KEY: &str = "the private key (ssl.keystore.location, ssl.keystore.key)";
const TRUST: &str = "the trusted certificates (ssl.truststore.location, ssl.truststore.certificates)";

/// An acceptor of connections.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsError> {
    let (chain, key) = match &tls.identity {
        Identity::File(path) => {
            let text = read(path)?;
            (text.clone(), text)
        }
        Identity::Text { chain, key } => (chain.clone(), key.clone()),
    };
    let chain = certificates(&chain, CHAIN)?;
    let key = private_key(&key, tls.key_password.is_some())?;
    let versions: Vec<&'static SupportedProtocolVersion> =
        [(tls.tls12, &rustls::version::TLS12), (tls.tls13, &rustls::version::TLS13)]
            .into_iter()
            .filter_map(|(spoken, version)| spoken.then_some(version))
            .collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions);
    let builder = builder.map_err(|e| TlsError::Pem { what: "ssl.enabled.protocols", why: e.to_string() })?;
    let builder = match (tls.client_auth, &tls.trust) {
        (ClientAuth::None, _) | (_, None) => builder.with_no_client_auth(),
        (wanted, Some(trust)) => {
            let mut roots = RootCertStore::empty();
            let text = match trust {
                Pem::File(path) => read(path)?,
                Pem::Text(text) => text.clone(),
            };
            for certificate in certificates(&text, TRUST)? {
                roots.add(certificate).map_err(|e| TlsError::Pem { what: TRUST, why: e.to_string() })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if wanted == ClientAuth::Requested { verifier.allow_unauthenticated() } else { verifier };
            let verifier = verifier.build().map_err(|e| TlsError::Pem { what: TRUST, why: e.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|e| TlsError::Pem { what: CHAIN, why: e.to_string() })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(path: &PathBuf) -> Result<String, TlsError> {
    std::fs::read_to_string(path).map_err(|why| TlsError::File { path: path.clone(), why })
}

fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|e| TlsError::Pem { what, why: e.to_string() })?;
    if found.is_empty() {
        return Err(TlsError::Pem { what, why: "there is no CERTIFICATE block of PEM in it".to_owned() });
    }
    Ok(found)
}

fn private_key(pem: &str, has_password: bool) -> Result<PrivateKeyDer<'static>, TlsError> {
    if has_password || pem.contains("ENCRYPTED PRIVATE KEY") {
        let why = "it is encrypted (ssl.key.password), which is not read; decrypt it with `openssl pkcs8` and keep the file \
                   readable for the worker only";
        return Err(TlsError::Pem { what: KEY, why: why.to_owned() });
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| TlsError::Pem { what: KEY, why: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_or_key_is_said_with_its_setting() {
        let with = |chain: &str, key: &str, password: Option<&str>| {
            let identity = Identity::Text { chain: chain.to_owned(), key: key.to_owned() };
            let key_password = password.map(str::to_owned);
            let (trust, client_auth) = (None, ClientAuth::None);
            let tls = Tls { identity, key_password, trust, client_auth, tls12: true, tls13: true };
            acceptor(&tls).err().unwrap().to_string()
        };
        let block = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(with("nothing", "", None).contains("no CERTIFICATE block"));
        assert!(with(block, "x", None).contains("ssl.keystore.key"));
        assert!(with(block, "-----BEGIN ENCRYPTED PRIVATE KEY-----", None).contains("openssl pkcs8"));
        assert!(with(block, "x", Some("p")).contains("ssl.key.password"));
        let file = Identity::File("/nowhere.pem".into());
        let tls = Tls {
            identity: file,
            key_password: None,
            trust: None,
            client_auth: ClientAuth::None,
            tls12: false,
            tls13: true,
        };
        assert!(acceptor(&tls).err().unwrap().to_string().contains("/nowhere.pem"));
    }
}
