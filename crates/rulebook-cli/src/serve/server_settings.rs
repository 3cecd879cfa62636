//! The settings of the server: those from flags and environment variables, otherwise those of the definition.

use std::path::PathBuf;
use std::time::Duration;

use rulebook::{ClientCertificateMode, ForwardedField, LinkTarget, Settings as ServerSettings, TlsSettings};
use rulebook_model::model::Api;

use crate::Settings;

/// Returns the settings of the server, except those of TLS.
pub(super) fn new_server_settings(
    settings: &Settings,
    api: &Api,
    bind: Vec<String>,
    workers: Option<usize>,
) -> ServerSettings {
    let defined = api.address_connections.map(|max| usize::try_from(max).unwrap_or(usize::MAX));
    let mut new = ServerSettings::new()
        .with_bind(bind)
        .with_workers(workers)
        .with_address_connections(settings.address_connections.or(defined))
        .with_http2(settings.http2.unwrap_or(api.http2))
        .with_trusted_proxies(Some(settings.trusted_proxies.clone()).filter(|proxies| !proxies.is_empty()))
        .with_forwarded_field(settings.forwarded_field.map(ForwardedField::from))
        .with_link_target(settings.link_target.map(LinkTarget::from))
        .with_signals(true)
        .with_static_files(&settings.static_files);
    if let Some(seconds) = settings.keep_alive.or(api.keep_alive) {
        new = new.with_keep_alive(Duration::from_secs(seconds));
    }
    if let Some(seconds) = settings.shutdown_timeout.or(api.shutdown_timeout) {
        new = new.with_shutdown_timeout(Duration::from_secs(seconds));
    }
    new
}

/// Returns the settings of TLS: those from flags and environment variables, otherwise those of the definition. Returns
/// `None` if they name no files.
///
/// # Errors
/// Fails if the settings do not name all files. The error is a message.
pub(super) fn tls_settings(settings: &Settings, api: &Api) -> Result<Option<TlsSettings>, String> {
    let files = |flags: &[PathBuf], defined: &[String]| -> Vec<PathBuf> {
        if flags.is_empty() { defined.iter().map(PathBuf::from).collect() } else { flags.to_vec() }
    };
    let certificates = files(&settings.tls_certificate, &api.tls_certificates);
    let keys = files(&settings.tls_key, &api.tls_keys);
    let client_ca = settings.tls_client_ca.clone().or_else(|| api.tls_client_ca.as_ref().map(PathBuf::from));
    let mode = settings.tls_client_certificate.map_or(api.tls_client_certificate, ClientCertificateMode::from);
    if certificates.len() != keys.len() {
        let (certificates, keys) = (certificates.len(), keys.len());
        return Err(format!(
            "--tls-certificate names {certificates} files, and --tls-key {keys}; name a key for each certificate"
        ));
    }
    let mut pairs = certificates.into_iter().zip(keys);
    let Some((certificate, key)) = pairs.next() else {
        return match client_ca {
            Some(file) => Err(format!("--tls-client-ca {}: --tls-certificate is missing", file.display())),
            None => Ok(None),
        };
    };
    let mut tls = TlsSettings::new(certificate, key);
    for (certificate, key) in pairs {
        tls = tls.with_certificate(certificate, key);
    }
    Ok(Some(match client_ca {
        Some(file) => tls.with_client_ca(file, mode),
        None => tls,
    }))
}
