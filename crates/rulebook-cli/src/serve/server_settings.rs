//! The settings of the server: those from flags and environment variables, otherwise those of the definition.

use std::time::Duration;

use rulebook::{ForwardedField, LinkTarget, Settings as ServerSettings};
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
