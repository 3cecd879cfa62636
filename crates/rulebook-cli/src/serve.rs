//! `rulebook serve`: serves the API over HTTP.

use std::fmt::Write;
use std::path::Path;

use super::{AddHandlers, Command, Exit, Settings, log, output};
use rulebook::key::{self, Keys};
use rulebook::{Engine, Settings as ServerSettings};
use rulebook_model::model::{Api, LogFormat, Unbound};

pub(super) const COMMAND: Command = Command {
    name: "serve",
    add_options: |command| command.about("Serve the API (the default command)"),
    shown_settings: &[
        "api",
        "bind",
        "data",
        "files",
        "static",
        "unbound",
        "workers",
        "address-connections",
        "log",
        "log-format",
    ],
    run: |_, settings, app| Ok(run(app, settings)),
};

/// The default address and port of the server.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

fn run(app: AddHandlers<'_>, settings: &Settings) -> Exit {
    let validated = match settings.new_rulebook(app).validate() {
        Ok(validated) => validated,
        Err(report) => {
            output::print_report(&report);
            return Exit::ErrorsReported;
        }
    };
    output::print_warnings(&validated.warnings);
    let api = &validated.api;
    let log = settings.log_filter.as_deref().or(api.log.as_deref()).unwrap_or(log::DEFAULT_FILTER).to_owned();
    let format = settings.log_format.map_or(api.log_format, LogFormat::from);
    if let Err(why) = log::start_logging(&log, format) {
        return print_error(&format!("cannot start the log: {why}"));
    }
    let folder = validated.data_folder.clone();
    let data = folder.path();
    let workers = settings.workers.map(usize::from).or(api.workers);
    let file = data.join(key::FILE);
    let keys = match workers.map_or_else(|| Keys::load(&file), |workers| Keys::load_for(&file, workers)) {
        Ok(keys) => keys,
        Err(error) => return print_error(&format!("--data {}: {error}", data.display())),
    };
    let key_count = keys.len();
    // While this value exists, a thread reloads the keys when their file changes. It is dropped after the server has
    // stopped.
    let _watcher = match keys.watch() {
        Ok(watcher) => watcher,
        Err(error) => return print_error(&format!("cannot start the thread that reloads the keys: {error}")),
    };
    let engine = match validated.authenticator(keys).build() {
        Ok(engine) => engine,
        Err(report) => {
            output::print_report(&report);
            return Exit::ErrorsReported;
        }
    };
    let api = engine.api();
    let bind = match (&settings.bind[..], &api.bind) {
        ([], defined) => vec![defined.as_deref().unwrap_or(DEFAULT_ADDRESS).to_owned()],
        (flags, _) => flags.to_vec(),
    };
    let server_settings = ServerSettings::new()
        .with_bind(bind)
        .with_workers(workers)
        .with_address_connections(settings.address_connections)
        .with_signals(true)
        .with_static_files(&settings.static_files);
    if let Some(files) = engine.files()
        && let Err(error) = files.open_required()
    {
        return print_error(&format!("--files {}: {error}", files.path().display()));
    }
    if let Err(error) = engine.start() {
        return print_error(&error.to_string());
    }
    let running = match engine.serve(&server_settings) {
        Ok(running) => running,
        Err(error) => return print_error(&format!("--bind {}: {error}", server_settings.bind.join(","))),
    };
    let unbound = settings.unbound.map_or(api.unbound, Unbound::from);
    let addresses = running.addresses().iter().map(|address| format!("http://{address}{}", api.base));
    output::print_to_stdout(&startup_summary(
        &engine,
        settings,
        &EffectiveSettings {
            addresses: addresses.collect(),
            unbound,
            data,
            key_count,
            workers: server_settings.workers,
            log,
        },
    ));
    match running.wait() {
        Ok(()) => Exit::Success,
        Err(error) => print_error(&error.to_string()),
    }
}

fn print_error(why: &str) -> Exit {
    output::print_to_stderr(&format!("error: {why}\n"));
    Exit::SystemError
}

/// The values that the server uses for its settings, for the summary at startup.
struct EffectiveSettings<'a> {
    addresses: Vec<String>,
    unbound: Unbound,
    data: &'a Path,
    key_count: usize,
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
    let mut rows = vec![
        ("definition", settings.api.display().to_string()),
        ("serves", output::api_size(engine.api())),
        ("listens", effective.addresses.join(", ")),
        ("unbound", describe_unbound(effective.unbound).to_owned()),
        ("data", format!("{} ({})", effective.data.display(), output::count_with_noun(effective.key_count, "key"))),
        ("static", pages),
        ("workers", workers),
        ("log", effective.log.clone()),
    ];
    if let Some(files) = engine.files() {
        let after_data = rows.iter().position(|(name, _)| *name == "static").unwrap_or(rows.len());
        rows.insert(after_data, ("files", files.path().display().to_string()));
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
        Unbound::Echo => "echo: every method responds with its checked arguments",
    }
}
