//! The settings in `app.json` that describe the API and how its requests are handled.

use serde_json::{Value as Json, json};

use super::{
    CONTACT, IAPI, LICENSE, PHALAPI, RATE_LIMIT, RATE_LIMIT_DESCRIPTION, SERVER, SERVICE, SHARED_LIMITS, Setting,
    TYPES, objects, rate_limits, setting,
};
use crate::definition::JsonNode;
use crate::definition::keys::ValueKind;
use crate::envelope::EnvelopeName;
use crate::error::catalogue::CatalogueName;
use crate::format::FormatOffer;
use crate::limits;
use crate::model::{
    Audience, COMBINE, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, DefinedAuth, DefinedHandlers, Unbound,
    UnknownParameters, rate_limits_to_json,
};
use crate::schema::{self, pattern};

/// These settings, in the order in which they are checked and in which the canonical form of a definition lists them.
pub(super) const API_SETTINGS: [Setting; 25] = [
    setting(
        "title",
        ValueKind::String,
        "The name of the API.",
        |_, value, api| api.title = string_value(value),
        |api| text_unless_default(&api.title, DEFAULT_TITLE),
    ),
    setting(
        "version",
        ValueKind::String,
        "The version of the API.",
        |_, value, api| api.version = string_value(value),
        |api| text_unless_default(&api.version, DEFAULT_VERSION),
    ),
    setting(
        "info",
        ValueKind::String,
        "A description of the API, in Markdown.",
        |_, value, api| api.info = Some(string_value(value)),
        |api| api.info.as_deref().map(Json::from),
    ),
    setting(
        "contact",
        ValueKind::Object(&CONTACT),
        "The people to contact about the API.",
        |lowering, value, api| api.contact = objects::lower_contact(lowering, value),
        |api| api.contact.as_ref().map(objects::contact_to_json),
    ),
    setting(
        "license",
        ValueKind::Object(&LICENSE),
        "The license of the API.",
        |lowering, value, api| api.license = objects::lower_license(lowering, value),
        |api| api.license.as_ref().map(objects::license_to_json),
    ),
    setting(
        "servers",
        ValueKind::Objects(&SERVER),
        "The servers of the API that the documents list.",
        |lowering, value, api| api.servers = objects::lower_servers(lowering, value),
        |api| (!api.servers.is_empty()).then(|| api.servers.iter().map(objects::server_to_json).collect()),
    ),
    setting(
        "base",
        ValueKind::String,
        "The path prefix of all services.",
        |lowering, value, api| api.base = lowering.lower_base_path(value),
        |api| text_unless_default(&api.base, "/"),
    )
    .with_constraint(|| json!({ "pattern": pattern::base_path() })),
    setting(
        "envelope",
        ValueKind::String,
        "The envelope of modules that do not set another envelope.",
        |lowering, value, api| {
            lowering.default_envelope = value.string().and_then(|name| lowering.resolve_envelope(&name));
            api.envelope = lowering.default_envelope.clone().unwrap_or_default();
        },
        |api| text_unless_default(api.envelope.as_str(), EnvelopeName::default().as_str()),
    )
    .with_constraint(schema::envelope_examples),
    setting(
        "catalogue",
        ValueKind::String,
        "The catalogue of error messages in the `phalapi` envelope: `1.x`, `2.x` or `zh`.",
        |lowering, value, api| {
            api.catalogue =
                lowering.lower_word(value, "catalogue", &CatalogueName::ALL.map(|name| (name.as_str(), name)));
        },
        |api| text_unless_default(api.catalogue.as_str(), CatalogueName::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(CatalogueName::ALL.map(CatalogueName::as_str))),
    setting(
        "formats",
        ValueKind::Strings,
        "The formats, such as `xml`, in which clients can request responses instead of JSON.",
        |lowering, value, api| {
            api.formats = value.strings().map(|names| lowering.resolve_formats(&names.value)).unwrap_or_default();
        },
        |api| (!api.formats.is_empty()).then(|| api.formats.iter().map(FormatOffer::name).collect()),
    ),
    setting(
        "jsonp",
        ValueKind::Bool,
        "Whether public GET methods, and POST methods of rules, respond with JSONP on request, unless a method sets otherwise.",
        |lowering, value, api| {
            api.jsonp = bool_value(value);
            lowering.allows_jsonp_by_default = api.jsonp;
        },
        |api| api.jsonp.then_some(true.into()),
    ),
    setting(
        "service",
        ValueKind::Object(&SERVICE),
        "The settings with which a request to `?service=Class.method` calls a service (PhalApi).",
        |lowering, value, api| api.service = objects::lower_service_query(lowering, value),
        |api| objects::service_query_to_json(&api.service),
    ),
    setting(
        "dispatch",
        ValueKind::Bool,
        "Whether the body of a request can name the module and the method (api 3.0).",
        |_, value, api| api.dispatch = bool_value(value),
        |api| api.dispatch.then_some(true.into()),
    ),
    setting(
        "phalapi",
        ValueKind::Object(&PHALAPI),
        "Settings of the `phalapi` envelope.",
        |lowering, value, api| api.real_status = objects::bool_member(lowering, value, &PHALAPI, "real_status", false),
        |api| api.real_status.then(|| json!({ "real_status": true })),
    ),
    setting(
        "iapi",
        ValueKind::Object(&IAPI),
        "Settings of the `iapi` envelope.",
        |lowering, value, api| api.strict_status = objects::bool_member(lowering, value, &IAPI, "strict_status", false),
        |api| api.strict_status.then(|| json!({ "strict_status": true })),
    ),
    setting(
        "unknown",
        ValueKind::String,
        "How the server handles parameters of a request that the method does not define.",
        |lowering, value, api| {
            let words = UnknownParameters::ALL.map(|value| (value.as_str(), value));
            api.unknown = lowering.lower_word(value, "value of `unknown`:", &words);
        },
        |api| text_unless_default(api.unknown.as_str(), UnknownParameters::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(UnknownParameters::ALL.map(UnknownParameters::as_str))),
    setting(
        "timezone",
        ValueKind::String,
        "The time zone of dates and times that are sent without one.",
        |lowering, value, api| api.timezone = lowering.lower_timezone(value),
        |api| text_unless_default(&api.timezone, DEFAULT_TIMEZONE),
    ),
    setting(
        "types",
        ValueKind::Object(&TYPES),
        "The settings of the types.",
        |lowering, value, api| api.default_types = objects::bool_member(lowering, value, &TYPES, "default", true),
        |api| (!api.default_types).then(|| json!({ "default": false })),
    ),
    setting(
        "limits",
        ValueKind::Object(&limits::LIMIT_KEYS),
        "The limits of requests.",
        |lowering, value, api| api.limits = objects::lower_limits(lowering, value),
        |api| objects::limits_to_json(&api.limits),
    ),
    setting(
        "rate_limit",
        ValueKind::ObjectOrObjects(&RATE_LIMIT),
        RATE_LIMIT_DESCRIPTION,
        |lowering, value, api| {
            api.rate_limits = lowering.lower_rate_limits(value);
            lowering.default_rate_limits.clone_from(&api.rate_limits);
        },
        |api| (!api.rate_limits.is_empty()).then(|| rate_limits_to_json(&api.rate_limits)),
    ),
    setting(
        "shared_limits",
        ValueKind::Object(&SHARED_LIMITS),
        "The Valkey or Redis server in which several servers count the requests of limits together.",
        |lowering, value, api| api.shared_limits = lowering.lower_shared_limits(value),
        |api| api.shared_limits.as_ref().map(rate_limits::shared_limits_to_json),
    )
    .mark_internal(),
    setting(
        "options",
        ValueKind::String,
        "The methods that the documents describe: with `public` all methods, with `own` those that the caller may \
         call.",
        |lowering, value, api| {
            let words = Audience::ALL.map(|value| (value.as_str(), value));
            api.options = lowering.lower_word(value, "value of `options`:", &words);
        },
        |api| text_unless_default(api.options.as_str(), Audience::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(Audience::ALL.map(Audience::as_str))),
    setting(
        "unbound",
        ValueKind::String,
        "How the server handles methods without a handler.",
        |lowering, value, api| {
            let words = Unbound::ALL.map(|value| (value.as_str(), value));
            api.unbound = lowering.lower_word(value, "value of `unbound`:", &words);
        },
        |api| text_unless_default(api.unbound.as_str(), Unbound::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(Unbound::ALL.map(Unbound::as_str)))
    .mark_internal(),
    setting(
        "handlers",
        ValueKind::AnyObject,
        "The settings of each kind of handler, by its name, and the handler of methods without one as `default`.",
        |lowering, value, api| api.handlers = lowering.lower_handlers(value),
        |api| api.handlers.as_ref().map(DefinedHandlers::to_json),
    )
    .mark_internal(),
    setting(
        "auth",
        ValueKind::AnyObject,
        "The kinds of credentials that the server accepts, each with its settings; by default only keys.",
        |lowering, value, api| api.auth = lowering.lower_auth(value),
        |api| api.auth.as_ref().map(DefinedAuth::to_json),
    )
    .with_constraint(|| json!({ "properties": { COMBINE: { "type": "boolean" } } }))
    .mark_internal(),
];

fn string_value(value: &JsonNode) -> String {
    value.string().map(|text| text.value).unwrap_or_default()
}

pub(super) fn bool_value(value: &JsonNode) -> bool {
    value.bool().is_some_and(|bool| bool.value)
}

/// Returns the text as JSON, or `None` if the text equals the default.
pub(super) fn text_unless_default(text: &str, default: &str) -> Option<Json> {
    (text != default).then(|| text.into())
}
