//! Fetches the key set of an issuer, from its server or from a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Position, Url};

use super::jwk::{VerificationKey, parse_key_set};

/// The maximum size of a key set in bytes.
const MAX_SIZE: u64 = 256 << 10;

/// The place of a key set.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The key set at this address; with the file of the authorities that certify its server, if they are not those of
    /// the system.
    Url(Url, Option<PathBuf>),
    /// The key set in this file.
    File(PathBuf),
}

/// The place for the log. The query of an address can contain a secret, so it is omitted.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, _) => f.write_str(&url[..Position::AfterPath]),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Origin {
    /// Fetches the keys, within this time.
    /// Fails if the key set cannot be read. The error is a message.
    pub async fn fetch(&self, timeout: Duration) -> Result<Vec<VerificationKey>, String> {
        let origin = self.clone();
        let read = spawn_blocking(move || {
            let text = match &origin {
                Self::Url(url, authorities) => download(url, authorities.as_ref(), timeout),
                Self::File(path) => read_file(path),
            };
            text.and_then(|text| parse_key_set(&text))
        });
        read.await.map_err(|error| error.to_string()).flatten().map_err(|error| format!("{self}: {error}"))
    }
}

fn read_file(path: &PathBuf) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_SIZE {
        return Err(format!("the file is larger than {MAX_SIZE} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

fn download(url: &Url, authorities: Option<&PathBuf>, timeout: Duration) -> Result<Vec<u8>, String> {
    let roots = match authorities {
        Some(path) => RootCerts::Specific(Arc::new(read_authorities(path)?)),
        None => RootCerts::PlatformVerifier,
    };
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        // The keys come from the address in the definition, and from nowhere else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(timeout));
    let response = config.build().new_agent().get(url.as_str()).header("Accept", "application/json").call();
    let mut response = response.map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("the response has the status {}", response.status().as_u16()));
    }
    response.body_mut().with_config().limit(MAX_SIZE).read_to_vec().map_err(|error| error.to_string())
}

/// Reads the certificates of authorities in a PEM file.
/// Fails if the file cannot be read, or contains no certificate or one that is not valid. The error is a message.
pub fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let error = |error: &dyn fmt::Display| format!("`ca` cannot be used: {}: {error}", path.display());
    let text = std::fs::read(path).map_err(|reason| error(&reason))?;
    let items = parse_pem(&text).collect::<Result<Vec<_>, _>>().map_err(|reason| error(&reason))?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.der().into()).map_err(|reason| error(&reason))?;
    }
    if certificates.is_empty() { Err(error(&"it contains no certificate in the PEM format")) } else { Ok(certificates) }
}
