//! `rulebook serve`: serves the API over HTTP.

use std::fmt::Write;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    AddHandlers, Command, Exit, Settings, idempotency_storage, key_storage, log, output, shared_limits, traces,
};
use rulebook::{ClientCertificateMode, Engine, ForwardedField, LinkTarget, Settings as ServerSettings, TlsSettings};
use rulebook_model::model::{Api, LogFormat, Unbound};

pub(super) const COMMAND: Command = Command {
    name: "serve",
    add_options: |command| command.about("Serve the API (the default command)"),
    shown_settings: &[
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
    ],
    run: |_, settings, app| Ok(run(app, settings)),
};

/// The file in the data folder that a running server locks.
const LOCK_FILE: &str = "server.lock";
/// The default address and port of the server.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

fn run(app: AddHandlers<'_>, settings: &Settings) -> Exit {
    let validated = match settings.new_rulebook(app).validate() {
        Ok(validated) => validated,
        Err(report) => return output::print_report(&report),
    };
    output::print_warnings(&validated.warnings);
    let api = &validated.api;
    let log = settings.log_filter.as_deref().or(api.log.as_deref()).unwrap_or(log::DEFAULT_FILTER).to_owned();
    let format = settings.log_format.map_or(api.log_format, LogFormat::from);
    if let Err(why) = log::start_logging(&log, format) {
        return output::print_system_error(&format!("cannot start the log: {why}"));
    }
    let folder = validated.data_folder.clone();
    let data = folder.path();
    let _lock = match lock_data_folder(data, settings.share_data.unwrap_or(false)) {
        Ok(lock) => lock,
        Err(why) => return output::print_system_error(&why),
    };
    let workers = settings.workers.map(usize::from).or(api.workers);
    let keys = match key_storage::load_keys(settings, &validated.api, data, workers) {
        Ok(keys) => keys,
        Err(why) => return output::print_system_error(&why),
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
    if !validated.has_shared_counter() {
        match shared_limits::open_counter(&validated.api, settings.shared_limits.as_deref()) {
            Ok(Some((counter, settings))) => validated = validated.shared_counter(counter, settings),
            Ok(None) => {}
            Err(why) => return output::print_system_error(&why),
        }
    }
    if validated.needs_idempotency_storage() {
        match idempotency_storage::open(settings, &validated.api, data) {
            Ok(storage) => validated = validated.idempotency_storage(storage),
            Err(why) => return output::print_system_error(&why),
        }
    }
    if !validated.has_trace_exporter() {
        match traces::open_exporter(&validated.api, settings.traces.as_deref()) {
            Ok(Some(exporter)) => {
                let percent = settings.trace_percent.or(validated.api.trace_percent).unwrap_or(100);
                validated = validated.trace_exporter(exporter, percent);
            }
            Ok(None) => {}
            Err(why) => return output::print_system_error(&why),
        }
    }
    validated.api.compress = settings.compress.unwrap_or(validated.api.compress);
    let engine = match validated.build() {
        Ok(engine) => engine,
        Err(report) => return output::print_report(&report),
    };
    let api = engine.api();
    let bind = match (&settings.bind[..], &api.bind) {
        ([], defined) => vec![defined.as_deref().unwrap_or(DEFAULT_ADDRESS).to_owned()],
        (flags, _) => flags.to_vec(),
    };
    let tls = match tls_settings(settings, api) {
        Ok(tls) => tls,
        Err(why) => return output::print_system_error(&why),
    };
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
    let running = match engine.serve(&server_settings) {
        Ok(running) => running,
        // The program was built without a feature that a setting needs.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return output::print_system_error(&error.to_string());
        }
        Err(error) => {
            return output::print_system_error(&format!("--bind {}: {error}", server_settings.bind.join(",")));
        }
    };
    let unbound = settings.unbound.map_or(api.unbound, Unbound::from);
    let addresses = running.addresses().iter().zip(&server_settings.bind).map(|(address, bound)| {
        let scheme = if bound.starts_with("https://") { "https" } else { "http" };
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
        },
    ));
    match running.wait() {
        Ok(()) => Exit::Success,
        Err(error) => output::print_system_error(&error.to_string()),
    }
}

/// Returns the settings of the server: those from flags and environment variables, otherwise those of the definition.
fn new_server_settings(settings: &Settings, api: &Api, bind: Vec<String>, workers: Option<usize>) -> ServerSettings {
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
/// Fails if a file is missing. The error is a message.
fn tls_settings(settings: &Settings, api: &Api) -> Result<Option<TlsSettings>, String> {
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

/// Locks the data folder, so that no second server uses it by mistake, and creates the folder if it does not exist. A
/// folder that cannot be written needs no lock, because a server cannot change it.
///
/// # Errors
/// Fails if another server has locked the folder and `is_shared` is `false`. The error is a message.
fn lock_data_folder(folder: &Path, is_shared: bool) -> Result<Option<File>, String> {
    let opened = fs::create_dir_all(folder)
        .and_then(|()| File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE)));
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            return Ok(None);
        }
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) if is_shared => {
            ::log::warn!(
                "another server uses the data folder {}: without shared limits, each counts the requests of keys itself",
                folder.display()
            );
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Err(format!(
            "--data {}: another server uses this folder; stop it, name another folder, or allow both with --share-data",
            folder.display()
        )),
        Err(TryLockError::Error(error)) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            Ok(None)
        }
    }
}

/// The values that the server uses for its settings, for the summary at startup.
struct EffectiveSettings<'a> {
    addresses: Vec<String>,
    unbound: Unbound,
    data: &'a Path,
    /// The number of keys; `None` if the server accepts no keys.
    key_count: Option<usize>,
    /// The database with the keys; `None` if they are in a file.
    key_database: Option<String>,
    workers: Option<usize>,
    log: String,
}

/// Returns the text that is printed at startup: the title of the API, the addresses of the server, and its settings.
fn startup_summary(engine: &Engine, settings: &Settings, effective: &EffectiveSettings<'_>) -> String {
    let Api { title, version, .. } = engine.api();
    let pages = if settings.static_files.is_dir() {
        settings.static_files.display().to_string()
    } else {
        format!("{} (not found: `/` is the built-in page)", settings.static_files.display())
    };
    let workers = effective.workers.map_or_else(|| "one per processor".to_owned(), |workers| workers.to_string());
    let keys = effective.key_count.map_or_else(|| "no keys".to_owned(), |count| output::count_with_noun(count, "key"));
    let data = effective.data.display();
    let mut rows = vec![
        ("definition", settings.api.display().to_string()),
        ("serves", output::api_size(engine.api())),
        ("listens", effective.addresses.join(", ")),
        ("unbound", describe_unbound(effective.unbound).to_owned()),
        ("data", if effective.key_database.is_some() { data.to_string() } else { format!("{data} ({keys})") }),
        ("static", pages),
        ("workers", workers),
        ("log", effective.log.clone()),
    ];
    if let Some(database) = &effective.key_database {
        rows.insert(5, ("keys", format!("{database} ({keys})")));
    }
    if let Some(files) = engine.files() {
        let after_data = rows.iter().position(|(name, _)| *name == "static").unwrap_or(rows.len());
        let links = if files.has_links() { " (with the files of download links)" } else { "" };
        rows.insert(after_data, ("files", format!("{}{links}", files.location())));
    }
    rows.iter().fold(format!("{title} {version}\n"), |mut text, (name, value)| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {name:<11}{value}");
        text
    })
}

fn describe_unbound(unbound: Unbound) -> &'static str {
    match unbound {
        Unbound::Refuse => "refuse: every method has a handler",
        Unbound::NotImplemented => "501: methods without a handler respond with status 501",
        Unbound::Mock => "mock: methods without a handler respond with an example of their outputs",
        Unbound::Echo => "echo: every method responds with its checked arguments",
    }
}
