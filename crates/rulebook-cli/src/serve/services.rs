//! The services that an API uses besides its handlers: the counter of shared limits, the storage of idempotency keys
//! and the exporter of traces; and which of its data several servers share by them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sql")]
use rulebook::idempotency::IdempotencyError;
use rulebook::idempotency::IdempotencyStorage;
use rulebook::{Engine, Validated};
use rulebook_model::model::Api;

use crate::Settings;
use crate::output::Failure;

pub(super) struct WithServices {
    pub validated: Validated,
    /// Whether the storage of idempotency keys is in a database that several servers share. `None` if there is no
    /// storage, or the program has set it: only the program knows whether other servers use it.
    pub has_shared_idempotency_keys: Option<bool>,
}

pub(super) fn has_shared_limits(validated: &Validated, settings: &Settings) -> bool {
    validated.has_shared_counter() || settings.shared_limits.is_some() || validated.api.shared_limits.is_some()
}

/// Adds the counter of shared limits, the storage of idempotency keys and the exporter of traces that the settings
/// name, unless the program has added others.
pub(super) fn add_services(
    mut validated: Validated,
    settings: &Settings,
    data: &Path,
) -> Result<WithServices, Failure> {
    if !validated.has_shared_counter() {
        validated = add_counter(validated, settings.shared_limits.as_deref())?;
    }
    let mut has_shared_idempotency_keys = None;
    if validated.needs_idempotency_storage() {
        let (storage, is_shared) = open(settings, &validated.api, data)?;
        validated = validated.idempotency_storage(storage);
        has_shared_idempotency_keys = Some(is_shared);
    }
    if !validated.has_trace_exporter() {
        validated = add_exporter(validated, settings.traces.as_deref())?;
    }
    Ok(WithServices { validated, has_shared_idempotency_keys })
}

/// What the server shares with other servers that use the same services, or the same data folder. A value is `None` if
/// the API does not have it, or if it is not known whether it is shared.
pub(super) struct SharedServices {
    data_folder: bool,
    keys: Option<bool>,
    limits: bool,
    idempotency_keys: Option<bool>,
}

impl SharedServices {
    pub(super) fn of(api: &WithServices, settings: &Settings, has_shared_keys: bool) -> Self {
        let data_folder = settings.share_data.unwrap_or(false);
        let validated = &api.validated;
        Self {
            data_folder,
            keys: validated.api.accepts_keys().then_some(has_shared_keys || data_folder),
            limits: validated.has_shared_counter(),
            idempotency_keys: api.has_shared_idempotency_keys.map(|is_shared| is_shared || data_folder),
        }
    }

    /// Describes what the server shares, and what not; `None` if it shares nothing.
    pub(super) fn describe(&self, engine: &Engine) -> Option<String> {
        let (files, has_links) =
            engine.files().map_or((None, false), |files| (Some(files.is_shared()), files.has_links()));
        let parts = [
            ("keys", self.keys),
            ("limits", Some(self.limits)),
            ("files", files.map(|is_shared| is_shared || self.data_folder)),
            ("download links", Some(has_links || self.data_folder)),
            ("idempotency keys", self.idempotency_keys),
        ];
        let names = |expected: bool| {
            let names = parts.iter().filter(|(_, is_shared)| *is_shared == Some(expected)).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        };
        let (shared, alone) = (names(true), names(false));
        match (shared.is_empty(), alone.is_empty()) {
            (true, _) => None,
            (false, true) => Some(shared),
            (false, false) => Some(format!("{shared}; not {alone}")),
        }
    }
}

/// Adds the counter in the setting `shared_limits`, if there is one. `url` is the value of the flag or the environment
/// variable, which replaces the URL in the definition. The error does not contain the URL.
#[cfg(feature = "redis")]
pub(crate) fn add_counter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    use rulebook_model::model::SharedLimits;
    use rulebook_redis::{RedisCounter, RedisCounterError};

    let (settings, url) = match (validated.api.shared_limits.clone(), url) {
        (None, None) => return Ok(validated),
        (defined, Some(url)) => (defined.unwrap_or_else(|| SharedLimits::new(Default::default())), url.to_owned()),
        (Some(defined), None) => {
            let url = rulebook::handler_kind::expand_variables(&defined.url.value, defined.url.span);
            let url = url.map_err(|error| Failure::Usage(format!("shared_limits: {}", error.message)))?;
            (defined, url)
        }
    };
    let timeout = std::time::Duration::from_millis(settings.timeout_ms);
    let counter = RedisCounter::with_timeout(&url, timeout).map_err(|error| match error {
        RedisCounterError::Thread(_) => Failure::System(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })?;
    Ok(validated.shared_counter(counter, (&settings).into()))
}

/// Fails if the setting `shared_limits` is used, because each server would count by itself.
#[cfg(not(feature = "redis"))]
pub(crate) fn add_counter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let why = "`shared_limits` is set, but this program was compiled without the feature `redis`";
    match (&validated.api.shared_limits, url) {
        (None, None) => Ok(validated),
        _ => Err(Failure::Usage(why.to_owned())),
    }
}

const START_WAIT: Duration = Duration::from_secs(30);
const FILE_URL: &str = "sqlite:idempotency.db";

/// Opens the storage in the database of the flag or the environment variable, otherwise in that of the definition,
/// otherwise in the file. Returns `true` with it if it is in a database of a server and not in a file.
fn open(settings: &Settings, api: &Api, data: &Path) -> Result<(Arc<dyn IdempotencyStorage>, bool), Failure> {
    let flag = settings.idempotency_storage.as_deref().filter(|url| !url.trim().is_empty());
    let (url, origin) = match (flag, &api.idempotency_storage) {
        (Some(url), _) => (Ok(url.to_owned()), "--idempotency-storage".to_owned()),
        (None, Some(url)) => {
            let url = rulebook::handler_kind::expand_variables(&url.value, url.span);
            (url.map_err(|error| Failure::Usage(error.message)), "`idempotency_storage` in app.json".to_owned())
        }
        (None, None) => (Ok(FILE_URL.to_owned()), format!("--data {}", data.display())),
    };
    let opened = url.and_then(|url| Ok((open_database(&url, data, START_WAIT)?, !url.trim().starts_with("sqlite:"))));
    opened.map_err(|failure| failure.at(&origin))
}

#[cfg(feature = "sql")]
fn open_database(url: &str, data: &Path, wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, Failure> {
    let failure = |error: IdempotencyError| match error.is_invalid_address() {
        true => Failure::Usage(error.to_string()),
        false => Failure::System(error.to_string()),
    };
    Ok(Arc::new(rulebook_sql::SqlIdempotency::open(url, data, wait).map_err(failure)?))
}

/// Fails, because the program was built without databases.
#[cfg(not(feature = "sql"))]
fn open_database(_url: &str, _data: &Path, _wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, Failure> {
    let why = "a method has the option `idempotent`, whose responses are stored in a database, but this program was \
               built without the Cargo feature `sql`; build it with this feature, or set a storage with \
               `Rulebook::idempotency_storage`";
    Err(Failure::Usage(why.to_owned()))
}

/// Adds the exporter to the collector in the setting `traces`, if there is one. `url` is the value of the flag or the
/// environment variable, which replaces the address in the definition. Without `percent`, the setting `trace_percent`
/// determines how many requests begin a trace. The error does not contain the address.
#[cfg(feature = "traces")]
pub(crate) fn add_exporter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let failure = |why: &str| Failure::Usage(format!("traces: {why}"));
    let api = &validated.api;
    let url = match (url, &api.traces) {
        (Some(url), _) if url.trim().is_empty() => return Ok(validated),
        (Some(url), _) => url.to_owned(),
        (None, Some(defined)) => rulebook::handler_kind::expand_variables(&defined.value, defined.span)
            .map_err(|error| failure(&error.message))?,
        (None, None) => return Ok(validated),
    };
    let exporter = rulebook_traces::OtlpExporter::new(&url, &api.title, &api.version);
    let exporter = exporter.map_err(|error| failure(&error.to_string()))?;
    let percent = api.trace_percent.unwrap_or(100);
    Ok(validated.trace_exporter(exporter, percent))
}

/// Fails if the setting `traces` is used, because the traces would be missing.
#[cfg(not(feature = "traces"))]
pub(crate) fn add_exporter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let why = "`traces` is set, but this program was compiled without the feature `traces`";
    match (&validated.api.traces, url) {
        (None, None) => Ok(validated),
        _ => Err(Failure::Usage(why.to_owned())),
    }
}
