//! TLS for clients: whom we trust, and who we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Mqtt;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file with certificates or a key cannot be used.
    #[error("cannot use {path}: {message}; give a PEM file")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// No authority is known.
    #[error("no trusted authority: {0}; name a file in ca_file")]
    NoAuthority(String),
    /// The TLS library refused the set-up.
    #[error("tls: {0}")]
    Setup(#[from] rustls::Error),
}

/// A client's TLS set-up: `authorities` is a PEM file, or empty for those of the system; `identity` a pair of PEM
/// files, certificate chain and key.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub(crate) fn client_config(authorities: &str, identity: Option<(&str, &str)>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    if authorities.is_empty() {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            let why = system.errors.first().map_or("the system has none".into(), ToString::to_string);
            return Err(TlsError::NoAuthority(why));
        }
    } else {
        for certificate in certificates(authorities)? {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| file_error(key, &error.to_string()))?;
            builder.with_client_auth_cert(certificates(chain)?, key_der)?
        }
    })
}

/// The TLS set-up that the broker's address asks for; none for a plain address.
///
/// # Errors
/// As [`client_config`].
pub(crate) fn of_broker(settings: &Mqtt) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    if !settings.url.tls {
        return Ok(None);
    }
    let identity = (!settings.client_certificate_file.is_empty())
        .then_some((settings.client_certificate_file.as_str(), settings.client_key_file.as_str()));
    client_config(&settings.ca_file, identity).map(|tls| Some(Arc::new(tls)))
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| file_error(path, &error.to_string()))?.collect();
    let read = read.map_err(|error| file_error(path, &error.to_string()))?;
    if read.is_empty() { Err(file_error(path, "it holds no certificate")) } else { Ok(read) }
}

fn file_error(path: &str, message: &str) -> TlsError {
    TlsError::File { path: Path::new(path).into(), message: message.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_authority_file_is_named() {
        let error = client_config("/nowhere/ca.pem", None).expect_err("there is no such file");
        assert!(error.to_string().starts_with("cannot use /nowhere/ca.pem: "), "{error}");
    }
}
