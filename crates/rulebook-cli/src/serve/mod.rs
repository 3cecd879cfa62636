//! `rulebook serve`: serves the API over HTTP.

mod data_lock;
mod guard;
mod handover;
mod load;
mod local_tokens;
mod services;
mod summary;
mod tls;
mod watch;

use std::io;
use std::time::Duration;

use clap::Args;
use rulebook::handler_kind::{ApplyMigrations, Migrations};
use rulebook::usage::UsageRecorder;
use rulebook::{Settings as ServerSettings, StartError};
use rulebook_model::model::Api;
use rulebook_model::settings::split_bind_address;

pub(crate) use self::data_lock::LOCK_FILE as SERVER_LOCK_FILE;
use self::data_lock::{DataSharing, lock_data_folder};
use self::handover::{inherited_sockets, is_successor, start_successor, stop_predecessor};
use self::load::{Loader, read_definition};
use self::services::{SharedServices, has_shared_limits};
use self::summary::{EffectiveSettings, startup_summary};
use self::tls::{TlsError, client_certificate_warning, tls_settings};
use self::watch::{Changes, serve_changes};
use super::output::Failure;
use super::{AddHandlers, Exit, Settings, key_storage, log, output};

const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";
/// The maximum time for what an API has begun to stop, after the server has ended all requests.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Serve the API (the default command).
#[derive(Debug, Default, Args)]
pub(super) struct ServeOptions {
    /// Serve each change of the definition, and of the files with its handlers, as soon as it is saved. A change with
    /// errors is reported, and the previous definition is still served.
    #[arg(long, env = "RULEBOOK_WATCH")]
    watch: bool,
    /// With --watch, do not serve changes that break clients, unless the major version in app.json rises. `rulebook
    /// reload`, or SIGHUP, does this also without the flag.
    #[arg(long, env = "RULEBOOK_GUARD", requires = "watch")]
    guard: bool,
    /// Apply pending migrations to databases that have tables, as `rulebook migrate` does. Without it, the server
    /// serves the definition if its statements fit to the tables, and otherwise waits until the migrations are applied.
    /// Migrations that lose data need `rulebook migrate --allow-loss` in any case.
    #[arg(long, env = "RULEBOOK_MIGRATE")]
    migrate: bool,
    /// Accept the tokens of `rulebook token`. Only for development: every user and program that can read the file
    /// local-issuer.json in the --data folder can call every method in any name.
    // There is no environment variable, so that this is never set by accident.
    #[cfg(feature = "auth")]
    #[arg(long)]
    accept_local_tokens: bool,
}

/// Serves the API until the server is stopped. An error has been printed.
pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &ServeOptions) -> Result<Exit, Exit> {
    // It is dropped last, so that everything that is printed below arrives.
    let _output = output::queue_output()
        .map_err(|error| output::print_system_error(&format!("cannot start the threads of the log: {error}")))?;
    let ended = serve(app, settings, options)?;
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() {
        // What has not stopped by then expires.
        let _ = runtime.block_on(async { tokio::time::timeout(STOP_TIMEOUT, ended).await });
    }
    Ok(Exit::Success)
}

/// Serves the API. Returns a future that waits until everything has stopped that the API has begun.
fn serve(
    app: AddHandlers<'_>,
    settings: &Settings,
    options: &ServeOptions,
) -> Result<impl Future<Output = ()> + Send + use<>, Exit> {
    let print_failure = |failure: Failure| failure.print();
    let changes = match options.watch {
        true => Changes::of_definition(&settings.api).map_err(|why| output::print_system_error(&why))?,
        false => Changes::on_request(),
    };
    let validated = loop {
        match read_definition(app, settings) {
            Ok(validated) => break validated,
            Err(report) => {
                let exit = output::print_report(&report);
                if !options.watch || changes.wait(Duration::MAX).is_none() {
                    return Err(exit);
                }
            }
        }
    };
    output::print_warnings(&validated.warnings);
    let api = &validated.api;
    let bind = match (&settings.bind[..], &api.bind) {
        ([], defined) => vec![defined.as_deref().unwrap_or(DEFAULT_ADDRESS).to_owned()],
        (flags, _) => flags.to_vec(),
    };
    let tls = tls_settings(settings, api).map_err(|error| match error {
        TlsError::Usage(why) => output::print_usage_error(&why),
        TlsError::Definition(error) => output::print_report(&validated.report(vec![*error])),
    })?;
    if let Some(warning) = client_certificate_warning(api, &bind, tls.as_ref()) {
        output::print_warnings(&validated.report(vec![warning]));
    }
    let log = api.log.as_deref().unwrap_or(log::DEFAULT_FILTER).to_owned();
    log::start_logging(&log, api.log_format)
        .map_err(|why| output::print_system_error(&format!("cannot start the log: {why}")))?;
    let folder = validated.data_folder.clone();
    let data = folder.path();
    let sharing = match settings.share_data {
        _ if is_successor() => DataSharing::WithPredecessor,
        Some(true) if has_shared_limits(&validated, settings) => DataSharing::WithSharedLimits,
        Some(true) => DataSharing::WithSeparateLimits,
        _ => DataSharing::Refused,
    };
    let _lock = lock_data_folder(&folder, sharing).map_err(|why| output::print_system_error(&why))?;
    let keys = key_storage::load_keys(settings, &validated.api, data).map_err(print_failure)?;
    let key_count = keys.as_ref().map(|(keys, _)| keys.len());
    let key_database = keys.as_ref().filter(|(_, is_shared)| *is_shared).map(|(keys, _)| keys.location());
    let reloaded_keys = keys.clone();
    // While this value exists, a thread reloads the keys when they change. It is dropped after the server has stopped.
    let _watcher = keys.as_ref().map(|(keys, _)| keys.watch()).transpose().map_err(|error| {
        output::print_system_error(&format!("cannot start the thread that reloads the keys: {error}"))
    })?;
    let request_reload = changes.reload_hook();
    let local = local_tokens::open(options, data).map_err(print_failure)?;
    let apply = match (options.migrate, options.watch) {
        (true, _) => ApplyMigrations::ToAllDatabases,
        (false, true) => ApplyMigrations::ToEditedFiles,
        (false, false) => ApplyMigrations::ToNewDatabases,
    };
    let migrations = Migrations { apply, ..Migrations::default() };
    let (is_watched, is_guarded) = (options.watch, options.guard);
    let loader = Loader { app, settings, data, keys, local, is_watched, is_guarded, migrations };
    let (loaded, services) = loader.build(validated).map_err(|error| error.print())?;
    let engine = &loaded.engine;
    let api = engine.api();
    let sockets = inherited_sockets()
        .map_err(|error| output::print_system_error(&format!("the sockets of LISTEN_FDS cannot be used: {error}")))?;
    let server_settings = new_server_settings(settings, api, bind)
        .with_tls(tls)
        .with_sockets(sockets)
        .with_handover_hook(start_successor)
        .with_hangup_hook(move || {
            match reloaded_keys.clone() {
                // The server must not wait for the database.
                Some((keys, true)) => drop(std::thread::spawn(move || keys.reload())),
                Some((keys, false)) => keys.reload(),
                None => {}
            }
            request_reload();
        });
    let print_serve_error = |error: io::Error| {
        let at_addresses = || {
            let all: Vec<_> = server_settings.bind.iter().chain(&server_settings.monitoring).cloned().collect();
            format!("--bind {}: {error}", all.join(","))
        };
        match error.kind() {
            // The program was built without a feature that a setting needs.
            io::ErrorKind::Unsupported => output::print_usage_error(&error.to_string()),
            // The error names the file.
            io::ErrorKind::InvalidData => {
                output::print_system_error(&format!("the TLS certificates cannot be used: {error}"))
            }
            // An address is not valid, or needs a certificate that the settings do not name.
            io::ErrorKind::InvalidInput => output::print_usage_error(&at_addresses()),
            _ => output::print_system_error(&at_addresses()),
        }
    };
    let reserved = server_settings.clone().reserve().map_err(print_serve_error)?;
    if let Some(files) = engine.files() {
        let print = |error| output::print_system_error(&format!("--files {}: {error}", files.location()));
        files.open_required().map_err(print)?;
    }
    let checked = engine.check_static_folder(&server_settings);
    checked.map_err(|error| output::print_usage_error(&format!("--static: {error}")))?;
    let loaded = match engine.start() {
        Ok(()) => loaded,
        Err(error) => {
            let exit = output::print_system_error(&error.to_string());
            match StartError::pending_migrations(&error) {
                0 => return Err(exit),
                // While this program waited, its predecessor would have stopped.
                _ if is_successor() => return Err(exit),
                count => {
                    ::log::warn!("waiting: no method can be called until the data fits; see the error above");
                    loader.waiting(count).map_err(|error| error.print())?
                }
            }
        }
    };
    let engine = &loaded.engine;
    let api = engine.api();
    let running = engine.serve(&reserved).map_err(print_serve_error)?;
    // While this value exists, a thread records the callers of methods. It is dropped after the server has stopped.
    let usage = UsageRecorder::start(data, running.api_handle()).map_err(|error| {
        output::print_system_error(&format!("cannot start the thread that records the usage of methods: {error}"))
    })?;
    let bound = server_settings.bind.iter().map(|bound| (bound, api.base.as_str()));
    let bound = bound.chain(server_settings.monitoring.iter().map(|bound| (bound, "/metrics")));
    let addresses = running.addresses().iter().zip(bound).map(|(address, (bound, path))| {
        let scheme = if split_bind_address(bound).0 { "https" } else { "http" };
        format!("{scheme}://{address}{path}")
    });
    output::print_to_stdout(&startup_summary(
        engine,
        settings,
        &EffectiveSettings {
            addresses: addresses.collect(),
            data,
            key_count,
            key_database,
            log,
            services,
            local: loader.local.file(),
        },
    ));
    stop_predecessor();
    serve_changes(&loader, changes, loaded, running, &usage)
        .map_err(|error| output::print_system_error(&error.to_string()))
}

/// Returns the settings of the server, except those of TLS. The engine takes the others from `api`.
fn new_server_settings(settings: &Settings, api: &Api, bind: Vec<String>) -> ServerSettings {
    let mut new = ServerSettings::new()
        .with_bind(bind)
        .with_monitoring(api.monitoring.clone())
        .with_workers(api.workers)
        .with_address_connections(api.address_connections.map(|max| usize::try_from(max).unwrap_or(usize::MAX)))
        .with_signals(true)
        .with_static_files(&settings.static_files);
    if let Some(seconds) = api.keep_alive {
        new = new.with_keep_alive(Duration::from_secs(seconds));
    }
    if let Some(seconds) = api.shutdown_timeout {
        new = new.with_shutdown_timeout(Duration::from_secs(seconds));
    }
    new
}
