//! Whom a client trusts, and who it says it is.
//!
//! Enters: `ssl.*` settings, PEM. Leaves: one TLS set-up. Invariant: without a truststore the roots of the web are trusted,
//! with one only it; keys are never printed.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::ConnectError;

/// The set-up of these settings, prefix cut off.
pub(crate) fn connector(settings: &[(String, String)]) -> Result<TlsConnector, ConnectError> {
    let text = |key: &str| settings.iter().find(|(k, _)| k == key).map(|(_, value)| value.trim());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| ConnectError::Tls { what: "protocol", why: e.to_string() })?;
    let trusted = pem(text("truststore.location"), text("truststore.certificates"), "truststore.location")?;
    let mut roots = RootCertStore::empty();
    match trusted {
        Some(pem) => {
            for certificate in certificates(&pem, "truststore.location")? {
                let added = roots.add(certificate);
                added.map_err(|e| ConnectError::Tls { what: "truststore.location", why: e.to_string() })?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = builder.with_root_certificates(roots);
    let chain = pem(text("keystore.location"), text("keystore.certificate.chain"), "keystore.location")?;
    let key = pem(text("keystore.location"), text("keystore.key"), "keystore.location")?;
    let config = match (chain, key) {
        (Some(chain), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| ConnectError::Tls {
                what: "keystore.key",
                why: "it holds no private key that can be read; an encrypted one has to be decrypted first".to_owned(),
            })?;
            let chain = certificates(&chain, "keystore.certificate.chain")?;
            let built = builder.with_client_auth_cert(chain, key);
            built.map_err(|e| ConnectError::Tls { what: "keystore.location", why: e.to_string() })?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The text itself comes before the file.
fn pem(file: Option<&str>, text: Option<&str>, what: &'static str) -> Result<Option<String>, ConnectError> {
    match (text, file) {
        (Some(text), _) => Ok(Some(text.to_owned())),
        (None, Some(file)) => {
            let read = std::fs::read_to_string(file);
            read.map(Some).map_err(|e| ConnectError::Tls { what, why: format!("{file}: {e}") })
        }
        (None, None) => Ok(None),
    }
}

fn certificates(pem: &str, what: &'static str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|e| ConnectError::Tls { what, why: e.to_string() })?;
    if found.is_empty() {
        return Err(ConnectError::Tls { what, why: "it holds no `-----BEGIN CERTIFICATE-----`".to_owned() });
    }
    Ok(found)
}
