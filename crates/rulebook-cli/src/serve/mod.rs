//! `rulebook serve`: serves the API over HTTP. What it prints when it starts, the lock of the data folder, and how a
//! new process takes over its sockets.

mod load;
mod services;
mod tls;
mod watch;

use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use handover::{inherited_sockets, is_successor, start_successor, stop_predecessor};
use rulebook::handler_kind::{ApplyMigrations, Migrations};
use rulebook::usage::UsageRecorder;
use rulebook::{DataFolder, Engine, Settings as ServerSettings, StartError};
use rulebook_model::invisible::replace_invisible;
use rulebook_model::model::{Api, LogFormat, Unbound};
use rulebook_model::settings::split_bind_address;
use serde_json::{Map, Value as Json};

use crate::output::{self, Failure};
use crate::{AddHandlers, Exit, Settings, key_storage, log};
use load::{Loader, read_definition};
use services::{SharedServices, has_shared_limits};
use tls::{TlsError, client_certificate_warning, tls_settings};
use watch::{Changes, serve_changes};

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
        .map_err(|error| output::print_system_error(format!("cannot start the threads of the log: {error}")))?;
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
        .map_err(|why| output::print_system_error(format!("cannot start the log: {why}")))?;
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
        output::print_system_error(format!("cannot start the thread that reloads the keys: {error}"))
    })?;
    let request_reload = changes.reload_hook();
    let local = load::open_local_tokens(options, data).map_err(print_failure)?;
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
        .map_err(|error| output::print_system_error(format!("the sockets of LISTEN_FDS cannot be used: {error}")))?;
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
            io::ErrorKind::Unsupported => output::print_usage_error(error.to_string()),
            // The error names the file.
            io::ErrorKind::InvalidData => {
                output::print_system_error(format!("the TLS certificates cannot be used: {error}"))
            }
            // An address is not valid, or needs a certificate that the settings do not name.
            io::ErrorKind::InvalidInput => output::print_usage_error(at_addresses()),
            _ => output::print_system_error(at_addresses()),
        }
    };
    let reserved = server_settings.clone().reserve().map_err(print_serve_error)?;
    if let Some(files) = engine.files() {
        let print = |error| output::print_system_error(format!("--files {}: {error}", files.location()));
        files.open_required().map_err(print)?;
    }
    let checked = engine.check_static_folder(&server_settings);
    checked.map_err(|error| output::print_usage_error(format!("--static: {error}")))?;
    let loaded = match engine.start() {
        Ok(()) => loaded,
        Err(error) => {
            let exit = output::print_system_error(error.to_string());
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
        output::print_system_error(format!("cannot start the thread that records the usage of methods: {error}"))
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
        .map_err(|error| output::print_system_error(error.to_string()))
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

struct EffectiveSettings<'a> {
    pub addresses: Vec<String>,
    pub data: &'a Path,
    /// The number of keys; `None` if the server accepts no keys.
    pub key_count: Option<usize>,
    /// The database with the keys; `None` if they are in a file.
    pub key_database: Option<String>,
    pub log: String,
    pub services: SharedServices,
    /// The file with the key of the local tokens; `None` if the server does not accept them.
    pub local: Option<&'a Path>,
}

fn startup_summary(engine: &Engine, settings: &Settings, effective: &EffectiveSettings<'_>) -> String {
    let Api { title, version, workers, unbound, .. } = engine.api();
    let pages = if settings.static_files.is_dir() {
        settings.static_files.display().to_string()
    } else {
        format!("{} (not found: `/` is the built-in page)", settings.static_files.display())
    };
    let workers = workers.map_or_else(|| "one per processor".to_owned(), |workers| workers.to_string());
    let keys = effective.key_count.map_or_else(|| "no keys".to_owned(), |count| output::count_with_noun(count, "key"));
    let data = effective.data.display();
    let mut rows = vec![
        ("definition", settings.api.display().to_string()),
        ("serves", output::api_size(engine.api())),
        ("listens", effective.addresses.join(", ")),
        ("unbound", describe_unbound(*unbound).to_owned()),
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
        rows.insert(after_data, ("files", files.location()));
    }
    if let Some(shared) = effective.services.describe(engine) {
        rows.push(("shared", shared));
    }
    if let Some(file) = effective.local {
        let file = file.display();
        rows.push(("accepts", format!("LOCAL TOKENS, not for production: the key in {file} permits every call")));
    }
    if engine.api().log_format == LogFormat::Json {
        let rows = rows.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value)));
        let summary: Map<_, _> =
            [("serving".to_owned(), format!("{title} {version}").into())].into_iter().chain(rows).collect();
        return Json::Object(summary).to_string() + "\n";
    }
    let headline = replace_invisible(&format!("{title} {version}"));
    rows.iter().fold(headline + "\n", |mut text, (name, value)| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {name:<11}{}", replace_invisible(value));
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

/// The file in the data folder that a running server locks. It contains the id of its process.
pub(crate) const SERVER_LOCK_FILE: &str = "server.lock";

/// Whether a server starts although another server uses the same data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataSharing {
    /// The server does not start.
    Refused,
    /// The server starts, and counts the requests of keys separately from the other one.
    WithSeparateLimits,
    /// The server starts, and counts the requests of keys together with the other one.
    WithSharedLimits,
    /// The server starts, and locks the folder as soon as the other one, which it replaces, has ended.
    WithPredecessor,
}

/// Locks the data folder, so that no second server uses it by mistake, and creates it if it does not exist. A folder
/// that cannot be written needs no lock, because a server cannot change it. Fails if `sharing` refuses another server.
fn lock_data_folder(data: &DataFolder, sharing: DataSharing) -> Result<Option<File>, String> {
    let folder = data.path();
    let opened = data
        .create()
        .and_then(|()| File::options().create(true).truncate(false).write(true).open(folder.join(SERVER_LOCK_FILE)));
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            return Ok(None);
        }
    };
    match file.try_lock() {
        Ok(()) => {
            write_process_id(&file);
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => match sharing {
            DataSharing::Refused => Err(format!(
                "--data {}: another server uses this folder; stop it, name another folder, or allow both with \
                 --share-data",
                folder.display()
            )),
            DataSharing::WithPredecessor => {
                let waiting = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
                    if file.lock().is_ok() {
                        write_process_id(&file);
                        // The lock ends with the process.
                        let _ = Box::leak(Box::new(file));
                    }
                });
                waiting.map(|_| None).map_err(|error| format!("cannot start a thread: {error}"))
            }
            DataSharing::WithSeparateLimits => {
                ::log::warn!(
                    "another server uses the data folder {}: without shared limits, each counts the requests of keys \
                     itself",
                    folder.display()
                );
                Ok(None)
            }
            DataSharing::WithSharedLimits => {
                ::log::info!("another server uses the data folder {}", folder.display());
                Ok(None)
            }
        },
        Err(TryLockError::Error(error)) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            Ok(None)
        }
    }
}

/// Writes the id of this process to the locked file, for programs that send signals to the server.
fn write_process_id(mut file: &File) {
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        ::log::warn!("the process id cannot be written: {error}");
    }
}

// Passes the sockets on which the server listens from one process to the next, so that no client is refused while the
// server is replaced: from a service manager, with the protocol of systemd (`sd_listen_fds(3)`), and on the signal
// SIGUSR2 to a new process of the program.

#[cfg(unix)]
mod handover {
    use std::io;
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread;

    use command_fds::{CommandFdExt, FdMapping};
    use listenfd::ListenFd;
    use rustix::process::{Signal, getppid, kill_process};

    /// The variable with the process id of the server that has started this process as its successor.
    const PREDECESSOR_VARIABLE: &str = "RULEBOOK_PREDECESSOR";
    /// The number of the first socket in a new process (`SD_LISTEN_FDS_START`).
    const FIRST_SOCKET: i32 = 3;

    /// Returns the sockets that the process which started this one has opened, in their order; none if it has opened
    /// none.
    pub(super) fn inherited_sockets() -> io::Result<Vec<TcpListener>> {
        let mut inherited = ListenFd::from_env();
        (0..inherited.len()).filter_map(|index| inherited.take_tcp_listener(index).transpose()).collect()
    }

    /// Returns `true` if a server has started this process, to pass its sockets on and to stop when this one listens.
    pub(super) fn is_successor() -> bool {
        let parent = getppid().map(|id| id.as_raw_nonzero().to_string());
        parent.is_some() && std::env::var(PREDECESSOR_VARIABLE).ok() == parent
    }

    pub(super) fn stop_predecessor() {
        if let Some(predecessor) = getppid().filter(|_| is_successor())
            && let Err(error) = kill_process(predecessor, Signal::TERM)
        {
            log::error!("the previous server cannot be stopped: {error}");
        }
    }

    /// Starts the program again, with the same arguments and these sockets.
    pub(super) fn start_successor(sockets: Vec<TcpListener>) -> io::Result<()> {
        let mut arguments = std::env::args_os();
        let program = arguments.next().ok_or_else(|| io::Error::other("the name of the program is unknown"))?;
        let mut command = Command::new(program);
        command.args(arguments).env("LISTEN_FDS", sockets.len().to_string()).env_remove("LISTEN_PID");
        command.env(PREDECESSOR_VARIABLE, std::process::id().to_string());
        let mapping = |(child_fd, socket): (_, TcpListener)| FdMapping { parent_fd: socket.into(), child_fd };
        command.fd_mappings((FIRST_SOCKET..).zip(sockets).map(mapping).collect()).map_err(io::Error::other)?;
        let mut successor = command.spawn()?;
        log::info!("process {} takes over", successor.id());
        // This process ends before its successor, unless the successor cannot start.
        thread::Builder::new().name("successor".to_owned()).spawn(move || match successor.wait() {
            Ok(status) => log::error!("the new process has ended ({status}), so that this one continues"),
            Err(error) => log::error!("the new process cannot be observed: {error}"),
        })?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod handover {
    use std::io;
    use std::net::TcpListener;

    pub(super) fn inherited_sockets() -> io::Result<Vec<TcpListener>> {
        Ok(Vec::new())
    }

    pub(super) fn is_successor() -> bool {
        false
    }

    pub(super) fn stop_predecessor() {}

    pub(super) fn start_successor(_: Vec<TcpListener>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
