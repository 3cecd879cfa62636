//! The text that the server prints when it starts: for people, or as JSON if the log is JSON.

use std::fmt::Write;
use std::path::Path;

use rulebook::Engine;
use rulebook_model::invisible::replace_invisible;
use rulebook_model::model::{Api, LogFormat, Unbound};
use serde_json::{Map, Value as Json};

use super::SharedServices;
use crate::{Settings, output};

pub(super) struct EffectiveSettings<'a> {
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

pub(super) fn startup_summary(engine: &Engine, settings: &Settings, effective: &EffectiveSettings<'_>) -> String {
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
