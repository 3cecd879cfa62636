//! `rulebook serve`: serves the API over HTTP.

mod data_lock;
mod server_settings;
mod services;
mod summary;
mod tls;

use std::io;

use rulebook_model::model::{LogFormat, Unbound};
use rulebook_model::settings::split_bind_address;

use self::data_lock::{DataSharing, lock_data_folder};
use self::server_settings::new_server_settings;
use self::services::{SharedServices, add_services, has_shared_limits};
use self::summary::{EffectiveSettings, startup_summary};
use self::tls::{TlsError, client_certificate_warning, tls_settings};
use super::{AddHandlers, Exit, Settings, key_storage, log, output};

/// The names of the settings that the help of the command lists.
pub(super) const SHOWN_SETTINGS: &[&str] = &[
    "api",
    "bind",
    "data",
    "key-storage",
    "idempotency-storage",
    "files",
    "link-target",
    "static",
    "unbound",
    "workers",
    "address-connections",
    "http2",
    "tls-certificate",
    "tls-key",
    "tls-client-ca",
    "tls-client-certificate",
    "trusted-proxies",
    "forwarded-field",
    "keep-alive",
    "shutdown-timeout",
    "compress",
    "verify-outputs",
    "share-data",
    "shared-limits",
    "traces",
    "trace-percent",
    "log",
    "log-format",
];

/// The default address and port of the server.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings) -> Exit {
    let validated = match settings.new_rulebook(app).validate() {
        Ok(validated) => validated,
        Err(report) => return output::print_report(&report),
    };
    output::print_warnings(&validated.warnings);
    let api = &validated.api;
    let bind = match (&settings.bind[..], &api.bind) {
        ([], defined) => vec![defined.as_deref().unwrap_or(DEFAULT_ADDRESS).to_owned()],
        (flags, _) => flags.to_vec(),
    };
    let tls = match tls_settings(settings, api) {
        Ok(tls) => tls,
        Err(TlsError::Usage(why)) => return output::print_usage_error(&why),
        Err(TlsError::Definition(error)) => return output::print_report(&validated.report(vec![*error])),
    };
    if let Some(warning) = client_certificate_warning(api, &bind, tls.as_ref()) {
        output::print_warnings(&validated.report(vec![warning]));
    }
    let log = settings.log_filter.as_deref().or(api.log.as_deref()).unwrap_or(log::DEFAULT_FILTER).to_owned();
    let format = settings.log_format.map_or(api.log_format, LogFormat::from);
    if let Err(why) = log::start_logging(&log, format) {
        return output::print_system_error(&format!("cannot start the log: {why}"));
    }
    let folder = validated.data_folder.clone();
    let data = folder.path();
    let sharing = match settings.share_data {
        Some(true) if has_shared_limits(&validated, settings) => DataSharing::WithSharedLimits,
        Some(true) => DataSharing::WithSeparateLimits,
        _ => DataSharing::Refused,
    };
    let _lock = match lock_data_folder(data, sharing) {
        Ok(lock) => lock,
        Err(why) => return output::print_system_error(&why),
    };
    let workers = settings.workers.map(usize::from).or(api.workers);
    let keys = match key_storage::load_keys(settings, &validated.api, data, workers) {
        Ok(keys) => keys,
        Err(failure) => return failure.print(),
    };
    let key_count = keys.as_ref().map(|(keys, _)| keys.len());
    let key_database = keys.as_ref().filter(|(_, is_shared)| *is_shared).map(|(keys, _)| keys.location());
    let reloaded_keys = keys.clone();
    // While this value exists, a thread reloads the keys when they change. It is dropped after the server has stopped.
    let _watcher = match keys.as_ref().map(|(keys, _)| keys.watch()).transpose() {
        Ok(watcher) => watcher,
        Err(error) => {
            return output::print_system_error(&format!("cannot start the thread that reloads the keys: {error}"));
        }
    };
    let mut validated = match keys {
        Some((keys, is_shared)) => validated.keys_authenticator(keys, is_shared),
        None => validated,
    };
    validated.api.workers = workers;
    let with_services = match add_services(validated, settings, data) {
        Ok(with_services) => with_services,
        Err(failure) => return failure.print(),
    };
    let services = SharedServices::of(&with_services, settings, key_database.is_some());
    validated = with_services.validated;
    validated.api.compress = settings.compress.unwrap_or(validated.api.compress);
    let engine = match validated.build() {
        Ok(engine) => engine,
        Err(report) => return output::print_report(&report),
    };
    let api = engine.api();
    let server_settings = new_server_settings(settings, api, bind, workers).with_tls(tls).with_hangup_hook(move || {
        match reloaded_keys.clone() {
            // The server must not wait for the database.
            Some((keys, true)) => drop(std::thread::spawn(move || keys.reload())),
            Some((keys, false)) => keys.reload(),
            None => {}
        }
    });
    if let Some(files) = engine.files()
        && let Err(error) = files.open_required()
    {
        return output::print_system_error(&format!("--files {}: {error}", files.location()));
    }
    if let Err(error) = engine.start() {
        return output::print_system_error(&error.to_string());
    }
    let address_error = |error: io::Error| format!("--bind {}: {error}", server_settings.bind.join(","));
    let running = match engine.serve(&server_settings) {
        Ok(running) => running,
        // The program was built without a feature that a setting needs.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return output::print_usage_error(&error.to_string());
        }
        // The error names the file.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return output::print_system_error(&format!("the TLS certificates cannot be used: {error}"));
        }
        // An address is not valid, or needs a certificate that the settings do not name.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return output::print_usage_error(&address_error(error));
        }
        Err(error) => return output::print_system_error(&address_error(error)),
    };
    let unbound = settings.unbound.map_or(api.unbound, Unbound::from);
    let addresses = running.addresses().iter().zip(&server_settings.bind).map(|(address, bound)| {
        let scheme = if split_bind_address(bound).0 { "https" } else { "http" };
        format!("{scheme}://{address}{}", api.base)
    });
    output::print_to_stdout(&startup_summary(
        &engine,
        settings,
        &EffectiveSettings {
            addresses: addresses.collect(),
            unbound,
            data,
            key_count,
            key_database,
            workers: server_settings.workers,
            log,
            services,
        },
    ));
    match running.wait() {
        Ok(()) => Exit::Success,
        Err(error) => output::print_system_error(&error.to_string()),
    }
}
