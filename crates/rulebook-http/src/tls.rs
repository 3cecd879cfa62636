//! TLS connections to upstreams.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rulebook::handler_kind::HandlerError;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::upstream::Upstream;

/// The only protocol of connections (RFC 7301).
const PROTOCOL: &[u8] = b"http/1.1";

/// Prepares TLS connections to the upstreams whose addresses begin with `https:`. Returns the errors.
pub fn prepare<'u>(upstreams: impl Iterator<Item = &'u Upstream>) -> Vec<HandlerError> {
    let mut errors = Vec::new();
    for upstream in upstreams.filter(|upstream| upstream.origin.is_tls()) {
        let error = match connector(upstream.ca.as_ref().map(|ca| ca.value.as_path())) {
            Ok(connector) => {
                let _ = upstream.tls.set(connector);
                continue;
            }
            Err(message) => HandlerError::new(message),
        };
        let error = match &upstream.ca {
            Some(ca) => error.at(ca.span),
            None => error.help("install the package `ca-certificates`, or set `ca`"),
        };
        // Several upstreams can have the same setting.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

/// Opens a TLS connection over a connection to this host.
/// Fails if the upstream does not speak TLS, or its certificate is not valid for the host.
pub async fn open(connector: &TlsConnector, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    connector.connect(name, stream).await
}

/// Returns what opens TLS connections to upstreams whose certificates come from the authorities in the file `ca`, by
/// default from those that the system trusts.
fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let roots = match ca {
        Some(path) => {
            read_authorities(path).map_err(|error| format!("`ca` cannot be used: {}: {error}", path.display()))
        }
        None => system_authorities(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots?).with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Reads a PEM file (RFC 7468) with the certificates of authorities.
fn read_authorities(path: &Path) -> Result<RootCertStore, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| match error {
            pem::Error::MissingSectionEnd { .. } => "a certificate in it has no end".to_owned(),
            error => error.to_string(),
        })?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("it contains no certificate".to_owned()) } else { Ok(roots) }
}

fn system_authorities() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems have certificates that are not valid.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!("the system has no certificates of authorities {}", reasons.join(", "))
            .trim_end()
            .to_owned());
    }
    Ok(roots)
}
