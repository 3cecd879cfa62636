//! The settings whose values are JSON objects: their keys, and their conversion to the model.

use http::HeaderName;
use serde::de::DeserializeOwned;

use serde_json::json;

use crate::compile::Lowering;
use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};
use crate::definition::{CheckedObject, JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::limits::{self, Limits};
use crate::model::{Contact, License, Server, ServiceQuery, Versions, is_version_name};
use crate::span::Spanned;

/// The keys of the setting `versions`.
pub static VERSIONS: KeyTable = key_table(
    "the settings of `versions`",
    &[
        required_key(
            "names",
            JsonKind::Strings,
            "The names of the versions, from the oldest to the newest, with which paths can begin: `/2/article`.",
        ),
        key("default", JsonKind::String, "The version for requests that name none; by default the newest."),
        key("header", JsonKind::String, "A header field in which requests can also name a version."),
    ],
);

/// The keys of the setting `contact`.
pub static CONTACT: KeyTable = key_table(
    "a contact",
    &[
        key("name", JsonKind::String, "The name of a person or an organization."),
        key("url", JsonKind::String, "The URL of a contact page."),
        key("email", JsonKind::String, "An email address."),
    ],
);

/// The keys of the setting `license`.
pub static LICENSE: KeyTable = key_table(
    "a license",
    &[
        required_key("name", JsonKind::String, "The name of the license."),
        key("identifier", JsonKind::String, "The SPDX expression of the license."),
        key("url", JsonKind::String, "The URL of the license text."),
    ],
);

/// The keys of an item of the setting `servers`.
pub static SERVER: KeyTable = key_table(
    "a server",
    &[
        required_key("url", JsonKind::String, "The base URL of the API on this server, to which paths are appended."),
        key("info", JsonKind::String, "A description of the server."),
    ],
);

/// The keys of the setting `service`.
pub static SERVICE: KeyTable = key_table(
    "the settings of `service`",
    &[
        key("on", JsonKind::Bool, "Whether the query parameters `service` and `s` of a request select a service."),
        key("default", JsonKind::String, "The service for requests that name none, as `Class.method`."),
        key(
            "entry",
            JsonKind::String,
            "The path of the PHP script that clients call; by default `index.php`, and an empty string for none.",
        ),
    ],
);

/// The keys of the setting `phalapi`.
pub static PHALAPI: KeyTable = key_table(
    "the settings of the `phalapi` envelope",
    &[key(
        "real_status",
        JsonKind::Bool,
        "Whether responses have the HTTP status of the method or error, instead of always 200.",
    )],
);

/// The keys of the setting `iapi`.
pub static IAPI: KeyTable = key_table(
    "the settings of the `iapi` envelope",
    &[key(
        "strict_status",
        JsonKind::Bool,
        "Whether error responses have the HTTP status of the error, instead of 400.",
    )],
);

/// The keys of the setting `types`.
pub static TYPES: KeyTable = key_table(
    "the settings of the types",
    &[key("default", JsonKind::Bool, "Whether the built-in types are available.")],
);

/// Checks the keys of an object and the kinds of their values. Returns `None` if a member has an error.
fn check_complete_object<'a>(
    lowering: &mut Lowering<'_>,
    value: &'a JsonNode,
    keys: &'static KeyTable,
) -> Option<CheckedObject<'a>> {
    CheckedObject::new(value, keys, &mut lowering.diagnostics).filter(|object| !object.is_incomplete)
}

pub(super) fn bool_member(
    lowering: &mut Lowering<'_>,
    value: &JsonNode,
    keys: &'static KeyTable,
    key: &str,
    default: bool,
) -> bool {
    let object = CheckedObject::new(value, keys, &mut lowering.diagnostics);
    object.and_then(|object| object.bool(key)).map_or(default, |flag| flag.value)
}

/// Converts an object whose keys have been checked.
fn convert<T: DeserializeOwned>(object: &CheckedObject<'_>) -> Option<T> {
    serde_json::from_value(object.to_json()).ok()
}

pub(super) fn lower_contact(lowering: &mut Lowering<'_>, value: &JsonNode) -> Option<Contact> {
    convert(&check_complete_object(lowering, value, &CONTACT)?)
}

/// Header fields of many requests, which therefore cannot name a version (RFC 9110, RFC 6265 and RFC 9112).
const FIELDS_WITH_MEANING: [&str; 12] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "origin",
    "transfer-encoding",
];

pub(super) fn lower_versions(lowering: &mut Lowering<'_>, value: &JsonNode) -> Option<Versions> {
    let object = check_complete_object(lowering, value, &VERSIONS)?;
    let names = object.strings("names").map(|names| names.value).unwrap_or_default();
    let error = |span, message: String| Diagnostic::new(DiagnosticCode::BadOption, span, message);
    for (index, name) in names.iter().enumerate() {
        let quoted = name.value.escape_debug();
        if !is_version_name(&name.value) {
            let help = "a name has letters, digits and `.-_`, and is not the beginning of a path of the server";
            lowering.report(error(name.span, format!("a version cannot have the name `{quoted}`")).help(help));
        } else if let Some(first) = names[..index].iter().find(|other| other.value == name.value) {
            let duplicate = error(name.span, format!("duplicate version `{quoted}`"));
            lowering.report(duplicate.related(first.span, "first version with this name"));
        }
    }
    let Some(newest) = names.last() else {
        lowering.report_missing(&object, "names", "`versions` requires at least one name", None);
        return None;
    };
    let default = object.string("default").unwrap_or_else(|| newest.clone());
    if !names.iter().any(|name| name.value == default.value) {
        let unknown = error(default.span, format!("unknown version `{}`", default.value.escape_debug()));
        lowering.report(unknown.suggest(&default.value, names.iter().map(|name| &*name.value)));
    }
    let header = object.string("header");
    let has_meaning =
        |field: &&Spanned<String>| FIELDS_WITH_MEANING.iter().any(|it| field.value.eq_ignore_ascii_case(it));
    if let Some(field) = header.as_ref().filter(has_meaning) {
        let message = format!("the header field `{}` has another meaning", field.value);
        lowering.report(error(field.span, message).help("choose a name such as `API-Version`"));
    }
    if let Some(invalid) = header.as_ref().filter(|header| HeaderName::from_bytes(header.value.as_bytes()).is_err()) {
        let message = format!("`{}` is not the name of a header field", invalid.value.escape_debug());
        lowering.report(error(invalid.span, message).help("choose a name such as `API-Version`"));
    }
    Some(Versions::new(names, default.value, header.map(|header| header.value)))
}

pub(super) fn lower_license(lowering: &mut Lowering<'_>, value: &JsonNode) -> Option<License> {
    let object = check_complete_object(lowering, value, &LICENSE)?;
    let license: License = convert(&object)?;
    if license.name.trim().is_empty() {
        lowering.report_missing(&object, "name", "a license requires a `name`", None);
    }
    if license.identifier.is_some() && license.url.is_some() {
        let message = "a license cannot have both `identifier` and `url`";
        let error = Diagnostic::new(DiagnosticCode::BadOption, object.span, message).label("has both");
        lowering.report(error.help("remove one of them (OpenAPI 3.1, License Object)"));
    }
    Some(license)
}

pub(super) fn lower_servers(lowering: &mut Lowering<'_>, value: &JsonNode) -> Vec<Server> {
    let JsonData::Array(items) = &value.data else { return Vec::new() };
    items.iter().filter_map(|item| lower_server(lowering, item)).collect()
}

fn lower_server(lowering: &mut Lowering<'_>, value: &JsonNode) -> Option<Server> {
    let object = CheckedObject::new(value, &SERVER, &mut lowering.diagnostics)?;
    match object.string("url") {
        Some(url) if url.value.trim().is_empty() => lowering
            .report(Diagnostic::new(DiagnosticCode::BadOption, url.span, "a server requires a `url`").label("empty")),
        Some(_) => return convert(&object),
        None => lowering.report_missing(&object, "url", "a server requires a `url`", None),
    }
    None
}

pub(super) fn lower_service_query(lowering: &mut Lowering<'_>, value: &JsonNode) -> ServiceQuery {
    let object = CheckedObject::new(value, &SERVICE, &mut lowering.diagnostics);
    object.map_or_else(ServiceQuery::default, |object| ServiceQuery {
        on: object.bool("on").is_some_and(|on| on.value),
        default: object.string("default"),
        entry: lowering.lower_entry_path(&object),
    })
}

pub(super) fn lower_limits(lowering: &mut Lowering<'_>, value: &JsonNode) -> Limits {
    let mut limits = json!(Limits::default());
    let Some(object) = CheckedObject::new(value, &limits::LIMIT_KEYS, &mut lowering.diagnostics) else {
        return Limits::default();
    };
    for limit in limits::ALL_LIMITS {
        let name = limit.key.name;
        let Some(maximum) = object.byte_size(name) else { continue };
        limits[name] = maximum.value.into();
        let error = |message| Diagnostic::new(DiagnosticCode::BadOption, maximum.span, message);
        if maximum.value == 0 {
            let message = format!("the limit `{name}` would reject every request");
            lowering.report(error(message).label("expected at least 1"));
        } else if maximum.value > limit.max {
            let unit = if limit.unit == crate::call::Unit::Seconds { " seconds" } else { "" };
            let message = format!("the limit `{name}` is too high");
            lowering.report(error(message).label(format!("expected at most {}{unit}", limit.max)));
        }
    }
    serde_json::from_value(limits).unwrap_or_default()
}
