//! The settings of an API: the keys of `app.json`.
//!
//! The tables `API_SETTINGS` and `SERVER_SETTINGS` have a row for each setting: its key, and a function that checks its
//! value and stores it in the model. The parser, the compiler, the canonical form of definitions, the JSON Schema for
//! editors and the guide use these rows. To add a setting, add a row to a table and a field to [`Api`].

mod checks;
mod cors;
mod objects;
mod rate_limits;
mod server_table;
mod table;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::compile::Lowering;
use crate::definition::JsonNode;
use crate::definition::keys::{JsonKind, KeySpec, KeyTable, WHOLE_API_KEYS, key, key_table};
use crate::format::FormatOffer;
use crate::model::{Api, Cors, DefinedAuth, DefinedHandlers, SharedLimits};
use crate::schema::{Word, words_constraint};
use crate::span::Spanned;

#[cfg(feature = "command-line")]
pub use checks::check_log_filter;
pub use checks::{MAX_SECONDS, check_bind_address, split_bind_address};
pub use cors::CORS;
pub use objects::{CONTACT, IAPI, LICENSE, PHALAPI, SERVER, SERVICE, TYPES, VERSIONS};
pub(crate) use rate_limits::RATE_LIMIT_DESCRIPTION;
pub use rate_limits::{RATE_LIMIT, SHARED_LIMITS};
pub(crate) use server_table::SERVER_SETTINGS;
pub(crate) use table::API_SETTINGS;

/// A setting of an API: one key of `app.json`.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// The key of the setting in `app.json`, with the kind of its value and its description.
    pub key: KeySpec,
    /// Checks the value in `app.json` and stores it in the model. The parser has already checked the kind of the value.
    pub lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
    /// Returns the members that the JSON Schema of the value has besides its type, such as a pattern.
    constraint: Option<fn() -> Json>,
}

const fn setting(
    name: &'static str,
    kind: JsonKind,
    description: &'static str,
    lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
) -> Setting {
    Setting { key: key(name, kind, description), lower, constraint: None }
}

/// Returns a setting whose value is one of the words of `W`.
const fn word_setting<W: Word>(
    name: &'static str,
    description: &'static str,
    lower: fn(&mut Lowering<'_>, &JsonNode, &mut Api),
) -> Setting {
    setting(name, JsonKind::String, description, lower).with_constraint(words_constraint::<W>)
}

impl Setting {
    const fn with_constraint(self, constraint: fn() -> Json) -> Self {
        Self { constraint: Some(constraint), ..self }
    }
}

/// Returns all settings, in the order in which they are checked and listed in canonical definitions.
pub(crate) fn settings() -> impl Iterator<Item = &'static Setting> {
    API_SETTINGS.iter().chain(&SERVER_SETTINGS)
}

/// The table of the keys at the top level of `app.json`: the settings, and the keys of a file that contains a whole
/// API.
pub static APP: KeyTable =
    KeyTable { included_tables: &[&SERVER_KEYS, &WHOLE_API_KEYS], ..key_table("the settings", &API_SETTING_KEYS) };

static SERVER_KEYS: KeyTable = key_table("the settings", &SERVER_SETTING_KEYS);
static API_SETTING_KEYS: [KeySpec; API_SETTINGS.len()] = keys_of(&API_SETTINGS);
static SERVER_SETTING_KEYS: [KeySpec; SERVER_SETTINGS.len()] = keys_of(&SERVER_SETTINGS);

const fn keys_of<const N: usize>(settings: &[Setting; N]) -> [KeySpec; N] {
    let mut keys = [settings[0].key; N];
    let mut index = 0;
    while index < N {
        keys[index] = settings[index].key;
        index += 1;
    }
    keys
}

/// Returns the names of the settings that concern only the server, and not the API that clients see.
pub fn server_settings() -> impl Iterator<Item = &'static str> {
    SERVER_SETTINGS.iter().map(|setting| setting.key.name)
}

/// Returns the members that the JSON Schema of a setting's value has besides its type, or null if it has only the type.
pub(crate) fn setting_constraint(key: &str) -> Json {
    let setting = settings().find(|setting| setting.key.name == key);
    setting.and_then(|setting| setting.constraint).map_or(Json::Null, |constraint| constraint())
}

/// Returns the settings that do not have their default.
pub(crate) fn settings_to_json(api: &Api) -> Map<String, Json> {
    let default = Api {
        cors: Some(Cors::default()),
        shared_limits: Some(SharedLimits::new(Spanned::default())),
        ..Api::default()
    };
    let mut settings = members_unless_default(all_settings(api), &all_settings(&default).into());
    // A version is written as an API of its own.
    if api.versions.as_ref().is_some_and(|versions| versions.current.is_some()) {
        settings.remove("versions");
    }
    settings
}

/// Returns all settings. Those that have the name and the form of a field of the model are written by its `Serialize`.
fn all_settings(api: &Api) -> Map<String, Json> {
    let others = [
        ("envelope", json!(api.envelope.as_str())),
        ("formats", api.formats.iter().map(FormatOffer::name).collect()),
        ("phalapi", json!({ "real_status": api.real_status })),
        ("iapi", json!({ "strict_status": api.strict_status })),
        ("types", json!({ "default": api.default_types })),
        ("rate_limit", one_or_many(&api.rate_limits)),
        ("handlers", api.handlers.as_ref().map(DefinedHandlers::to_json).into()),
        ("auth", api.auth.as_ref().map(DefinedAuth::to_json).into()),
        ("tls_certificate", one_or_many(&api.tls_certificates)),
        ("tls_key", one_or_many(&api.tls_keys)),
        ("trusted_proxies", api.trusted_proxies.iter().map(ToString::to_string).collect()),
    ];
    // Serializing texts and numbers cannot fail.
    let fields = match serde_json::to_value(api) {
        Ok(Json::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.into_iter().chain(others.map(|(key, value)| (key.to_owned(), value))).collect()
}

/// Removes the members that are null, or equal the members of `default`; also those of objects that have a default.
fn members_unless_default(members: Map<String, Json>, default: &Json) -> Map<String, Json> {
    let changed = members.into_iter().filter(|(key, value)| !value.is_null() && *value != default[key]);
    let without_defaults = |(key, value)| match value {
        Json::Object(members) if default[&key].is_object() => {
            let members = members_unless_default(members, &default[&key]);
            (key, Json::Object(members))
        }
        value => (key, value),
    };
    changed.map(without_defaults).collect()
}

/// Returns a list as in a definition: a list of one item as this item.
pub(crate) fn one_or_many<T: Serialize>(items: &[T]) -> Json {
    match items {
        [one] => json!(one),
        _ => json!(items),
    }
}
