//! `rulebook serve`: serves the API over HTTP.

use std::fmt::Write;
use std::path::Path;

use super::{App, Command, Exit, Settings, log, output};
use rulebook::key::{self, Keys};
use rulebook::{Engine, Settings as ServerSettings};
use rulebook_model::model::{Api, LogFormat, Unbound};

pub(super) const COMMAND: Command = Command {
    name: "serve",
    augment: |command| command.about("Serve the API (the default command)"),
    settings: &["api", "bind", "data", "files", "static", "unbound", "workers", "log", "log-format"],
    run: |_, settings, app| Ok(run(app, settings)),
};

/// The default address.
const BIND: &str = "127.0.0.1:8080";

fn run(app: App<'_>, settings: &Settings) -> Exit {
    let validated = match settings.rulebook(app).validate() {
        Ok(validated) => validated,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    let api = &validated.api;
    let log = settings.log.as_deref().or(api.log.as_deref()).unwrap_or(log::FILTER).to_owned();
    let format = settings.log_format.map_or(api.log_format, LogFormat::from);
    if let Err(why) = log::start(&log, format) {
        return failed(&format!("cannot start the log: {why}"));
    }
    let folder = validated.data_folder.clone();
    let data = folder.path();
    let workers = settings.workers.map(usize::from).or(api.workers);
    let file = data.join(key::FILE);
    let keys = match workers.map_or_else(|| Keys::load(&file), |workers| Keys::load_for(&file, workers)) {
        Ok(keys) => keys,
        Err(error) => return failed(&format!("--data {}: {error}", data.display())),
    };
    let count = keys.len();
    // While the watcher exists, it reloads the keys when their file changes. It is dropped after the server has
    // stopped.
    let _watcher = match keys.watch() {
        Ok(watcher) => watcher,
        Err(error) => return failed(&format!("cannot start the thread that reloads the keys: {error}")),
    };
    let engine = match validated.authenticator(keys).build() {
        Ok(engine) => engine,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    let api = engine.api();
    let bind = match (&settings.bind[..], &api.bind) {
        ([], defined) => vec![defined.as_deref().unwrap_or(BIND).to_owned()],
        (flags, _) => flags.to_vec(),
    };
    let server_settings = ServerSettings::new()
        .with_bind(bind)
        .with_workers(workers)
        .with_signals(true)
        .with_static_files(&settings.static_files);
    if let Some(files) = engine.files()
        && let Err(error) = files.open_required()
    {
        return failed(&format!("--files {}: {error}", files.path().display()));
    }
    if let Err(error) = engine.start() {
        return failed(&error.to_string());
    }
    let running = match engine.serve(&server_settings) {
        Ok(running) => running,
        Err(error) => return failed(&format!("--bind {}: {error}", server_settings.bind.join(","))),
    };
    let unbound = settings.unbound.map_or(api.unbound, Unbound::from);
    let addresses = running.addresses().iter().map(|address| format!("http://{address}{}", api.base));
    output::print(&summary(
        &engine,
        settings,
        &Effective {
            addresses: addresses.collect(),
            unbound,
            data,
            keys: count,
            workers: server_settings.workers,
            log,
        },
    ));
    match running.wait() {
        Ok(()) => Exit::Success,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(why: &str) -> Exit {
    output::complain(&format!("error: {why}\n"));
    Exit::Failed
}

/// The values of the settings that the server uses.
struct Effective<'a> {
    addresses: Vec<String>,
    unbound: Unbound,
    data: &'a Path,
    /// Number of keys.
    keys: usize,
    workers: Option<usize>,
    log: String,
}

/// Returns the summary that is printed at startup: the API, its addresses and the settings.
fn summary(engine: &Engine, settings: &Settings, effective: &Effective<'_>) -> String {
    let Api { title, version, .. } = engine.api();
    let pages = if settings.static_files.is_dir() {
        settings.static_files.display().to_string()
    } else {
        format!("{} (not found: `/` is the built-in page)", settings.static_files.display())
    };
    let workers = effective.workers.map_or_else(|| "one per processor".to_owned(), |workers| workers.to_string());
    let mut rows = vec![
        ("definition", settings.api.display().to_string()),
        ("serves", output::size(engine.api())),
        ("listens", effective.addresses.join(", ")),
        ("unbound", describe_unbound(effective.unbound).to_owned()),
        ("data", format!("{} ({})", effective.data.display(), output::number(effective.keys, "key"))),
        ("static", pages),
        ("workers", workers),
        ("log", effective.log.clone()),
    ];
    if let Some(files) = engine.files() {
        let after_data = rows.iter().position(|(name, _)| *name == "static").unwrap_or(rows.len());
        rows.insert(after_data, ("files", files.path().display().to_string()));
    }
    rows.iter().fold(format!("{title} {version}\n"), |mut text, (name, value)| {
        // Writing to a String cannot fail.
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
