//! Converts the settings in the model back to JSON, as in a definition.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::format::FormatOffer;
use crate::model::{Api, Cors, DefinedAuth, DefinedHandlers, SharedLimits};
use crate::span::Spanned;

/// Returns the settings that do not have their default.
pub(crate) fn settings_to_json(api: &Api) -> Map<String, Json> {
    let default = Api {
        cors: Some(Cors::default()),
        shared_limits: Some(SharedLimits::new(Spanned::default())),
        ..Api::default()
    };
    members_unless_default(all_settings(api), &all_settings(&default).into())
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
