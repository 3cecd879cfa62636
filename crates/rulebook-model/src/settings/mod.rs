//! The settings of an API: the keys of `app.json`.
//!
//! [`SETTINGS`] has a row for each setting: its key, how it is checked and stored in the model, and how it is written
//! back. The parser, the compiler, the canonical form, the JSON Schema for editors and the guide read these rows, so a
//! new setting is a row of the table and a field of [`Api`].

mod checks;
mod cors;
mod objects;
mod table;

use serde_json::Value as Json;

use crate::compile::Lowering;
use crate::definition::JsonNode;
use crate::definition::keys::{KeySpec, KeyTable, ValueKind, WHOLE_API_KEYS, key, key_table};
use crate::model::Api;

pub use cors::CORS;
pub use objects::{CONTACT, IAPI, LICENSE, PHALAPI, SERVER, SERVICE, TYPES};
pub(crate) use table::SETTINGS;

/// A setting.
pub(crate) struct Setting {
    /// The key in `app.json`, the kind of its value, and its description.
    pub key: KeySpec,
    /// Checks the value, whose kind the parser has checked, and stores it in the model.
    pub lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
    /// Returns the value in the canonical form of a definition, or `None` for the default.
    pub write: fn(&Api) -> Option<Json>,
    /// Returns the members that the schema of the value has besides its type.
    pub schema: Option<fn() -> Json>,
    /// `true` if only the server needs the setting, so that the documents for clients omit it.
    pub is_internal: bool,
}

const fn setting(
    name: &'static str,
    kind: ValueKind,
    description: &'static str,
    lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
    write: fn(&Api) -> Option<Json>,
) -> Setting {
    Setting { key: key(name, kind, description), lower, write, schema: None, is_internal: false }
}

impl Setting {
    const fn schema(self, schema: fn() -> Json) -> Self {
        Self { schema: Some(schema), ..self }
    }

    const fn internal(self) -> Self {
        Self { is_internal: true, ..self }
    }
}

/// The settings in `app.json`, and the top level of a file that holds a whole API.
pub static APP: KeyTable = KeyTable { included_tables: &[&WHOLE_API_KEYS], ..key_table("the settings", &KEYS) };

static KEYS: [KeySpec; SETTINGS.len()] = {
    let mut keys = [SETTINGS[0].key; SETTINGS.len()];
    let mut index = 0;
    while index < SETTINGS.len() {
        keys[index] = SETTINGS[index].key;
        index += 1;
    }
    keys
};

/// Returns the members that the schema of a setting has besides its type, or null if it has none.
pub(crate) fn schema(key: &str) -> Json {
    let setting = SETTINGS.iter().find(|setting| setting.key.name == key);
    setting.and_then(|setting| setting.schema).map_or(Json::Null, |schema| schema())
}
