//! `rulebook serve`: the API on a socket.

use std::fmt::Write;
use std::path::Path;

use super::{Exit, Settings, log, output};
use crate::engine::{Engine, Rulebook};
use crate::key::{self, Keys};
use crate::model::{Api, LogFormat, Unbound};
use crate::server;

/// What is listened on, without a word of it anywhere.
const BIND: &str = "127.0.0.1:8080";

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings) -> Exit {
    let judged = match settings.rulebook(app).judge() {
        Ok(judged) => judged,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    let api = &judged.api;
    let log = settings.log.as_deref().or(api.log.as_deref()).unwrap_or(log::FILTER).to_owned();
    let format = settings.log_format.map_or(api.log_format, LogFormat::from);
    if let Err(why) = log::start(&log, format) {
        return failed(&format!("--log: {why}"));
    }
    let folder = judged.data.clone();
    let data = folder.path();
    let workers = settings.workers.map(usize::from).or(api.workers);
    let file = data.join(key::FILE);
    let keys = match workers.map_or_else(|| Keys::load(&file), |workers| Keys::load_for(&file, workers)) {
        Ok(keys) => keys,
        Err(error) => return failed(&format!("--data {}: {error}", data.display())),
    };
    let count = keys.len();
    // Until the server has stopped.
    let _keeper = match keys.keep() {
        Ok(keeper) => keeper,
        Err(error) => return failed(&format!("a thread for the keys: {error}")),
    };
    let engine = match judged.inspect(keys).build() {
        Ok(engine) => engine,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    let api = engine.api();
    let bind = match (&settings.bind[..], &api.bind) {
        ([], said) => vec![said.as_deref().unwrap_or(BIND).to_owned()],
        (asked, _) => asked.to_vec(),
    };
    let how = server::Settings {
        bind,
        workers,
        signals: true,
        static_files: Some(settings.static_files.clone()),
        ..server::Settings::default()
    };
    if let Some(files) = engine.files()
        && let Err(error) = files.open_named()
    {
        return failed(&format!("--files {}: {error}", files.path().display()));
    }
    let running = match engine.serve(&how) {
        Ok(running) => running,
        Err(error) => return failed(&format!("--bind {}: {error}", how.bind.join(","))),
    };
    let unbound = settings.unbound.map_or(api.unbound, Unbound::from);
    let addresses = running.addresses().iter().map(|address| format!("http://{address}{}", api.base));
    output::print(&summary(
        &engine,
        settings,
        &Served { addresses: addresses.collect(), unbound, data, keys: count, workers: how.workers, log },
    ));
    match running.wait() {
        Ok(()) => Exit::Done,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(why: &str) -> Exit {
    output::complain(&format!("error: {why}\n"));
    Exit::Failed
}

/// With which settings an API is served.
struct Served<'a> {
    addresses: Vec<String>,
    unbound: Unbound,
    data: &'a Path,
    keys: usize,
    workers: Option<usize>,
    log: String,
}

/// What is served, where, and with which settings.
fn summary(engine: &Engine, settings: &Settings, served: &Served<'_>) -> String {
    let Api { title, version, .. } = engine.api();
    let pages = if settings.static_files.is_dir() {
        settings.static_files.display().to_string()
    } else {
        format!("{} is not there: the built-in page", settings.static_files.display())
    };
    let workers = served.workers.map_or_else(|| "one for each processor".to_owned(), |workers| workers.to_string());
    let mut rows = vec![
        ("definition", settings.api.display().to_string()),
        ("serves", output::extent(engine.api())),
        ("listens", served.addresses.join(", ")),
        ("unbound", unbound_words(served.unbound).to_owned()),
        ("data", format!("{} ({})", served.data.display(), output::number(served.keys, "key"))),
        ("static", pages),
        ("workers", workers),
        ("log", served.log.clone()),
    ];
    if let Some(files) = engine.files() {
        let behind_data = rows.iter().position(|(name, _)| *name == "static").unwrap_or(rows.len());
        rows.insert(behind_data, ("files", files.path().display().to_string()));
    }
    rows.iter().fold(format!("{title} {version}\n"), |mut text, (name, value)| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {name:<11}{value}");
        text
    })
}

fn unbound_words(unbound: Unbound) -> &'static str {
    match unbound {
        Unbound::Refuse => "refuse: every method has its handler",
        Unbound::NotImplemented => "501: methods without a handler are not implemented",
        Unbound::Echo => "echo: every method answers with its checked arguments",
    }
}
