//! The settings of an API: the keys of `app.json`.
//!
//! `SETTINGS` has a row for each setting. The row contains the key of the setting, a function that checks its value
//! and stores it in the model, and a function that converts it back to JSON. The parser, the compiler, the canonical
//! form of definitions, the JSON Schema for editors and the guide use these rows. To add a setting, add a row to the
//! table and a field to [`Api`].

mod checks;
mod cors;
mod network;
mod objects;
mod rate_limits;
mod server_table;
mod table;

use serde_json::Value as Json;

use crate::compile::Lowering;
use crate::definition::JsonNode;
use crate::definition::keys::{KeySpec, KeyTable, ValueKind, WHOLE_API_KEYS, key, key_table};
use crate::model::Api;

pub use cors::CORS;
pub use network::{MAX_SECONDS, check_bind_address, split_bind_address};
pub use objects::{CONTACT, IAPI, LICENSE, PHALAPI, SERVER, SERVICE, TYPES};
pub(crate) use rate_limits::RATE_LIMIT_DESCRIPTION;
pub use rate_limits::{RATE_LIMIT, SHARED_LIMITS};
use server_table::SERVER_SETTINGS;
use table::API_SETTINGS;

/// All settings, in the order in which they are checked and in which the canonical form of a definition lists them.
pub(crate) static SETTINGS: [Setting; API_SETTINGS.len() + SERVER_SETTINGS.len()] = {
    let mut all = [API_SETTINGS[0]; API_SETTINGS.len() + SERVER_SETTINGS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = match index.checked_sub(API_SETTINGS.len()) {
            Some(index) => SERVER_SETTINGS[index],
            None => API_SETTINGS[index],
        };
        index += 1;
    }
    all
};

/// A setting of an API: one key of `app.json`.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// The key of the setting in `app.json`, with the kind of its value and its description.
    pub key: KeySpec,
    /// Checks the value in `app.json` and stores it in the model. The parser has already checked the kind of the value.
    pub lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
    /// Returns the value as JSON, for the canonical form of a definition. Returns `None` if the value is the default.
    pub to_json: fn(&Api) -> Option<Json>,
    /// Returns the members that the JSON Schema of the value has besides its type, such as a pattern.
    pub constraint: Option<fn() -> Json>,
    /// `true` if the setting concerns only the server, so that documents for clients omit it.
    pub is_internal: bool,
}

const fn setting(
    name: &'static str,
    kind: ValueKind,
    description: &'static str,
    lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
    to_json: fn(&Api) -> Option<Json>,
) -> Setting {
    Setting { key: key(name, kind, description), lower, to_json, constraint: None, is_internal: false }
}

impl Setting {
    const fn with_constraint(self, constraint: fn() -> Json) -> Self {
        Self { constraint: Some(constraint), ..self }
    }

    const fn mark_internal(self) -> Self {
        Self { is_internal: true, ..self }
    }
}

/// The table of the keys at the top level of `app.json`: the settings, and the keys of a file that contains a whole
/// API.
pub static APP: KeyTable = KeyTable { included_tables: &[&WHOLE_API_KEYS], ..key_table("the settings", &SETTING_KEYS) };

/// The keys of the rows of [`SETTINGS`].
static SETTING_KEYS: [KeySpec; SETTINGS.len()] = {
    let mut keys = [SETTINGS[0].key; SETTINGS.len()];
    let mut index = 0;
    while index < SETTINGS.len() {
        keys[index] = SETTINGS[index].key;
        index += 1;
    }
    keys
};

/// Returns the names of the settings that concern only the server, and not the API that clients see.
pub fn server_settings() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|setting| setting.is_internal).map(|setting| setting.key.name)
}

/// Returns the members that the JSON Schema of a setting's value has besides its type, or null if it has only the type.
pub(crate) fn setting_constraint(key: &str) -> Json {
    let setting = SETTINGS.iter().find(|setting| setting.key.name == key);
    setting.and_then(|setting| setting.constraint).map_or(Json::Null, |constraint| constraint())
}
