//! The services that an API uses besides its handlers, and which of its data several servers share by them.

use std::path::Path;

use rulebook::{Engine, Validated};

use crate::output::Failure;
use crate::{Settings, idempotency_storage, shared_limits, traces};

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
        validated = shared_limits::add_counter(validated, settings.shared_limits.as_deref())?;
    }
    let mut has_shared_idempotency_keys = None;
    if validated.needs_idempotency_storage() {
        let opened = idempotency_storage::open(settings, &validated.api, data)?;
        validated = validated.idempotency_storage(opened.storage);
        has_shared_idempotency_keys = Some(opened.is_shared);
    }
    if !validated.has_trace_exporter() {
        validated = traces::add_exporter(validated, settings.traces.as_deref())?;
    }
    Ok(WithServices { validated, has_shared_idempotency_keys })
}

/// What the server shares with other servers that use the same services, or the same data folder. `None` stands for
/// what the API does not have, or of which it is not known.
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
