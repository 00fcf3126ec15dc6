//! Who units are to the broker: a certificate or a password each, or one for all.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use wire::MachineSerial;

use super::SimulatorError;

/// Certificates and passwords of single units. A unit with an identity of its own has a connection of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identities {
    /// PEM file with the authorities that may vouch for the broker; none for those of the system.
    pub authorities: Option<PathBuf>,
    /// Folder with `{serial}.crt` and `{serial}.key`, PEM; none where units have no certificates.
    pub certificates: Option<PathBuf>,
    /// File with a line `serial:password` for each unit; the serial is the user name. None where they have none.
    pub passwords: Option<PathBuf>,
}

/// Identities as far as they can be read before the units are known.
pub(super) struct Loaded {
    authorities: Option<Arc<RootCertStore>>,
    certificates: Option<PathBuf>,
    passwords: Option<(PathBuf, HashMap<String, String>)>,
}

impl Identities {
    pub(super) fn load(&self) -> Result<Loaded, SimulatorError> {
        let authorities = match &self.certificates {
            Some(_) => Some(Arc::new(authorities(self.authorities.as_deref())?)),
            None => None,
        };
        let passwords = match &self.passwords {
            Some(path) => Some((path.clone(), passwords(path)?)),
            None => None,
        };
        Ok(Loaded { authorities, certificates: self.certificates.clone(), passwords })
    }
}

impl Loaded {
    /// The TLS settings of one unit; none where units have no certificates.
    pub(super) fn tls(&self, serial: &MachineSerial) -> Result<Option<Arc<ClientConfig>>, SimulatorError> {
        let (Some(folder), Some(authorities)) = (&self.certificates, &self.authorities) else { return Ok(None) };
        let (chain, key) = (folder.join(format!("{serial}.crt")), folder.join(format!("{serial}.key")));
        config(Arc::clone(authorities), Some((&chain, &key))).map(|config| Some(Arc::new(config)))
    }

    /// User name and password of one unit; none where units have no passwords.
    pub(super) fn credentials(&self, serial: &MachineSerial) -> Result<Option<(String, String)>, SimulatorError> {
        let Some((path, passwords)) = &self.passwords else { return Ok(None) };
        let password = passwords.get(serial.as_str()).ok_or_else(|| SimulatorError::Identity {
            path: path.clone(),
            reason: format!("it has no password for {serial}; add a line {serial}:PASSWORD"),
        })?;
        Ok(Some((serial.to_string(), password.clone())))
    }
}

/// TLS settings for `mqtts://`: `authorities` is a PEM file, or none for those of the system; `identity` a pair of PEM
/// files, certificate chain and key.
///
/// # Errors
/// Names the file that cannot be used.
pub fn tls_config(
    authorities_file: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<ClientConfig, SimulatorError> {
    config(Arc::new(authorities(authorities_file)?), identity)
}

fn config(authorities: Arc<RootCertStore>, identity: Option<(&Path, &Path)>) -> Result<ClientConfig, SimulatorError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SimulatorError::Internal(error.to_string()))?
        .with_root_certificates(authorities);
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let certificates = certificates(chain)?;
            let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
            builder.with_client_auth_cert(certificates, key_der).map_err(|error| unusable(key, &error))?
        }
    })
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, SimulatorError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| unusable(file, &error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SimulatorError> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, &error))?.collect();
    let read = read.map_err(|error| unusable(path, &error))?;
    if read.is_empty() {
        let reason = "it holds no certificate; give a PEM file".to_string();
        return Err(SimulatorError::Identity { path: path.to_path_buf(), reason });
    }
    Ok(read)
}

fn passwords(path: &Path) -> Result<HashMap<String, String>, SimulatorError> {
    let text = std::fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let mut passwords = HashMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (serial, password) = line.split_once(':').ok_or_else(|| SimulatorError::Identity {
            path: path.to_path_buf(),
            reason: format!("line {} has no colon; write SERIAL:PASSWORD", number + 1),
        })?;
        passwords.insert(serial.to_string(), password.to_string());
    }
    Ok(passwords)
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> SimulatorError {
    SimulatorError::Identity { path: path.to_path_buf(), reason: format!("{error}; give a PEM file that can be read") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_by_serial_or_its_line_is_asked_for() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "M-1:se:cret\n\nM-2:x\n").expect("written");
        let identities = Identities { passwords: Some(file.path().to_path_buf()), ..Identities::default() };
        let loaded = identities.load().expect("readable");
        let serial = |text| MachineSerial::parse(text).expect("a serial");
        assert_eq!(loaded.credentials(&serial("M-1")).expect("there"), Some(("M-1".into(), "se:cret".into())));
        let error = loaded.credentials(&serial("M-3")).expect_err("missing").to_string();
        assert!(error.ends_with("it has no password for M-3; add a line M-3:PASSWORD"), "{error}");
        std::fs::write(file.path(), "M-1\n").expect("written");
        let error = identities.load().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with("line 1 has no colon; write SERIAL:PASSWORD"), "{error}");
    }

    #[test]
    fn a_missing_certificate_is_named() {
        let error = tls_config(Some(Path::new("/nowhere/ca.pem")), None).expect_err("there is none").to_string();
        assert!(error.starts_with("cannot use /nowhere/ca.pem: "), "{error}");
    }
}
