//! Whom the HTTPS of guests trusts.
//!
//! Enters: the worker's own certificates (`lockgate.http.ca.file`), PEM. Leaves: one TLS set-up for all instances.
//! Invariant: the roots of the web are always there; a file that brings nothing, or something that is no certificate, stops
//! the engine's start instead of a connector's first request.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The set-up, made when the first request needs it.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    own: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    /// Reads the worker's own certificates; each must be one that can sign others.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let certificates = CertificateDer::pem_file_iter(file).map_err(|e| e.to_string())?;
        let own = certificates.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        if own.is_empty() {
            return Err("it holds no `-----BEGIN CERTIFICATE-----`".to_owned());
        }
        let mut roots = RootCertStore::empty();
        for (index, certificate) in own.iter().enumerate() {
            roots.add(certificate.clone()).map_err(|e| format!("certificate {}: {e}", index + 1))?;
        }
        Ok(Self { own, config: OnceLock::new() })
    }

    /// What a connection is made with.
    pub(crate) fn connector(&self) -> tokio_rustls::TlsConnector {
        let config = self.config.get_or_init(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
            roots.add_parsable_certificates(self.own.iter().cloned());
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            // The ring provider has suites for both versions.
            let versions = versions.expect("ring speaks TLS 1.2 and 1.3");
            Arc::new(versions.with_root_certificates(roots).with_no_client_auth())
        });
        tokio_rustls::TlsConnector::from(Arc::clone(config))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_with_the_reason() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Trust::read(file.path()).unwrap_err().contains("BEGIN CERTIFICATE"));
        std::fs::write(file.path(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(Trust::read(file.path()).unwrap_err().contains("certificate 1"));
        assert!(Trust::read(Path::new("/nowhere/at/all.pem")).is_err());
    }
}
