//! The settings in `app.json` that describe the API and how its requests are handled.

use serde_json::json;

use super::{
    CONTACT, IAPI, LICENSE, PHALAPI, RATE_LIMIT, RATE_LIMIT_DESCRIPTION, SERVER, SERVICE, Setting, TYPES, VERSIONS,
    objects, setting, word_setting,
};
use crate::definition::dialect_spec::TREE;
use crate::definition::keys::{DEFAULT_SCOPE_DESCRIPTION, JsonKind};
use crate::definition::{JsonNode, read_permission_groups};
use crate::error::catalogue::CatalogueName;
use crate::limits;
use crate::model::{Audience, UnknownParameters};
use crate::schema::{self, pattern};

/// These settings, in the order in which they are checked and listed in canonical definitions.
pub(crate) const API_SETTINGS: [Setting; 23] = [
    setting("title", JsonKind::String, "The name of the API.", |_, value, api| api.title = string_value(value)),
    setting("version", JsonKind::String, "The version of the API.", |_, value, api| api.version = string_value(value)),
    setting(
        "versions",
        JsonKind::Object(&VERSIONS),
        "The versions of the API that the server serves beside each other.",
        |lowering, value, api| api.versions = objects::lower_versions(lowering, value),
    ),
    setting("info", JsonKind::String, "A description of the API, in Markdown.", |_, value, api| {
        api.info = Some(string_value(value));
    }),
    setting("contact", JsonKind::Object(&CONTACT), "The people to contact about the API.", |lowering, value, api| {
        api.contact = objects::lower_contact(lowering, value);
    }),
    setting("license", JsonKind::Object(&LICENSE), "The license of the API.", |lowering, value, api| {
        api.license = objects::lower_license(lowering, value);
    }),
    setting(
        "servers",
        JsonKind::Objects(&SERVER),
        "The servers of the API that the documents list.",
        |lowering, value, api| api.servers = objects::lower_servers(lowering, value),
    ),
    setting("base", JsonKind::String, "The path prefix of all services.", |lowering, value, api| {
        api.base = lowering.lower_base_path(value);
    })
    .with_constraint(|| json!({ "pattern": pattern::base_path() })),
    setting(
        "envelope",
        JsonKind::String,
        "The envelope of modules that do not set another envelope.",
        |lowering, value, api| {
            lowering.default_envelope = value.string().and_then(|name| lowering.resolve_envelope(&name));
            api.envelope = lowering.default_envelope.clone().unwrap_or_default();
        },
    )
    .with_constraint(schema::envelope_examples),
    word_setting::<CatalogueName>(
        "catalogue",
        "The version and the language of PhalApi whose messages the `phalapi` envelope has, such as `1.4`, `2.x` or `zh`.",
        |lowering, value, api| api.catalogue = lowering.lower_word(value, "catalogue"),
    ),
    setting(
        "formats",
        JsonKind::Strings,
        "The formats, such as `xml`, in which clients can request responses instead of JSON.",
        |lowering, value, api| {
            api.formats = value.strings().map(|names| lowering.resolve_formats(&names.value)).unwrap_or_default();
        },
    ),
    setting(
        "jsonp",
        JsonKind::Bool,
        "Whether public GET methods, and POST methods of rules, respond with JSONP on request, unless a method sets otherwise.",
        |lowering, value, api| {
            api.jsonp = bool_value(value);
            lowering.allows_jsonp_by_default = api.jsonp;
        },
    ),
    setting(
        "service",
        JsonKind::Object(&SERVICE),
        "The settings with which a request to `?service=Class.method` calls a service (PhalApi).",
        |lowering, value, api| api.service = objects::lower_service_query(lowering, value),
    ),
    setting(
        "dispatch",
        JsonKind::Bool,
        "Whether the body of a request can name the module and the method (api 3.0).",
        |_, value, api| api.dispatch = bool_value(value),
    ),
    setting("phalapi", JsonKind::Object(&PHALAPI), "Settings of the `phalapi` envelope.", |lowering, value, api| {
        api.real_status = objects::bool_member(lowering, value, &PHALAPI, "real_status", false);
    }),
    setting("iapi", JsonKind::Object(&IAPI), "Settings of the `iapi` envelope.", |lowering, value, api| {
        api.strict_status = objects::bool_member(lowering, value, &IAPI, "strict_status", false);
    }),
    word_setting::<UnknownParameters>(
        "unknown",
        "How the server handles parameters of a request that the method does not define.",
        |lowering, value, api| api.unknown = lowering.lower_word(value, "value of `unknown`:"),
    ),
    setting(
        "timezone",
        JsonKind::String,
        "The time zone of dates and times that are sent without one.",
        |lowering, value, api| api.timezone = lowering.lower_timezone(value),
    ),
    setting("types", JsonKind::Object(&TYPES), "The settings of the types.", |lowering, value, api| {
        api.default_types = objects::bool_member(lowering, value, &TYPES, "default", true);
    }),
    setting("limits", JsonKind::Object(&limits::LIMIT_KEYS), "The limits of requests.", |lowering, value, api| {
        api.limits = objects::lower_limits(lowering, value);
    }),
    setting("rate_limit", JsonKind::ObjectOrObjects(&RATE_LIMIT), RATE_LIMIT_DESCRIPTION, |lowering, value, api| {
        api.rate_limits = lowering.lower_rate_limits(value);
        lowering.default_rate_limits.clone_from(&api.rate_limits);
    }),
    setting("scope", JsonKind::Scope, DEFAULT_SCOPE_DESCRIPTION, |lowering, value, api| {
        lowering.default_scope = Some(read_permission_groups(&TREE, value, &mut lowering.diagnostics));
        // Canonical definitions contain the permissions of each method instead.
        api.written_settings.remove("scope");
    }),
    word_setting::<Audience>(
        "options",
        "The methods that the documents describe: with `public` all methods, with `own` those that the caller may \
         call.",
        |lowering, value, api| api.options = lowering.lower_word(value, "value of `options`:"),
    ),
];

fn string_value(value: &JsonNode) -> String {
    value.string().map(|text| text.value).unwrap_or_default()
}

pub(super) fn bool_value(value: &JsonNode) -> bool {
    value.bool().is_some_and(|bool| bool.value)
}
