//! The table of settings.

use serde_json::{Value as Json, json};

use super::{CONTACT, CORS, IAPI, LICENSE, PHALAPI, SERVER, SERVICE, Setting, TYPES, cors, objects, setting};
use crate::definition::JsonNode;
use crate::definition::keys::ValueKind;
use crate::envelope::EnvelopeName;
use crate::error::texts::CatalogueName;
use crate::format::FormatOffer;
use crate::limits;
use crate::model::{
    Audience, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, LogFormat, MAX_WORKERS, Unbound, UnknownParameters,
};
use crate::schema::{self, pattern};

/// All settings, in the order in which they are checked and written.
pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "title",
        ValueKind::String,
        "The name of the API.",
        |_, value, api| api.title = text(value),
        |api| unless(&api.title, DEFAULT_TITLE),
    ),
    setting(
        "version",
        ValueKind::String,
        "The version of the API.",
        |_, value, api| api.version = text(value),
        |api| unless(&api.version, DEFAULT_VERSION),
    ),
    setting(
        "info",
        ValueKind::String,
        "A description of the API, in Markdown.",
        |_, value, api| api.info = Some(text(value)),
        |api| api.info.as_deref().map(Json::from),
    ),
    setting(
        "contact",
        ValueKind::Object(&CONTACT),
        "The people to contact about the API.",
        |lowering, value, api| api.contact = objects::lower_contact(lowering, value),
        |api| api.contact.as_ref().map(objects::write_contact),
    ),
    setting(
        "license",
        ValueKind::Object(&LICENSE),
        "The license of the API.",
        |lowering, value, api| api.license = objects::lower_license(lowering, value),
        |api| api.license.as_ref().map(objects::write_license),
    ),
    setting(
        "servers",
        ValueKind::Objects(&SERVER),
        "The servers that the documents name.",
        |lowering, value, api| api.servers = objects::lower_servers(lowering, value),
        |api| (!api.servers.is_empty()).then(|| api.servers.iter().map(objects::write_server).collect()),
    ),
    setting(
        "base",
        ValueKind::String,
        "The path prefix of all services.",
        |lowering, value, api| api.base = lowering.base(value),
        |api| unless(&api.base, "/"),
    )
    .schema(|| json!({ "pattern": pattern::base() })),
    setting(
        "envelope",
        ValueKind::String,
        "The envelope of modules that do not set one.",
        |lowering, value, api| {
            lowering.envelope = value.string().and_then(|name| lowering.envelope(&name));
            api.envelope = lowering.envelope.clone().unwrap_or_default();
        },
        |api| unless(api.envelope.as_str(), EnvelopeName::default().as_str()),
    )
    .schema(schema::envelope_examples),
    setting(
        "catalogue",
        ValueKind::String,
        "The catalogue of error messages in the `phalapi` envelope: `1.x`, `2.x` or `zh`.",
        |lowering, value, api| {
            api.catalogue = lowering.word(value, "catalogue", &CatalogueName::ALL.map(|name| (name.as_str(), name)));
        },
        |api| unless(api.catalogue.as_str(), CatalogueName::default().as_str()),
    )
    .schema(|| schema::one_of(CatalogueName::ALL.map(CatalogueName::as_str))),
    setting(
        "formats",
        ValueKind::Strings,
        "The response formats besides JSON, such as `xml`.",
        |lowering, value, api| {
            api.formats = value.strings().map(|names| lowering.formats(&names.value)).unwrap_or_default();
        },
        |api| (!api.formats.is_empty()).then(|| api.formats.iter().map(FormatOffer::name).collect()),
    ),
    setting(
        "jsonp",
        ValueKind::Bool,
        "Whether public GET methods respond with JSONP on request, unless a method sets otherwise.",
        |lowering, value, api| {
            api.jsonp = flag(value);
            lowering.jsonp = api.jsonp;
        },
        |api| api.jsonp.then_some(true.into()),
    ),
    setting(
        "service",
        ValueKind::Object(&SERVICE),
        "Settings for `?service=Class.method` at the base path (PhalApi).",
        |lowering, value, api| api.service = objects::lower_service_query(lowering, value),
        |api| objects::write_service_query(&api.service),
    ),
    setting(
        "dispatch",
        ValueKind::Bool,
        "Whether the base path accepts a body that names module and method (api 3.0).",
        |_, value, api| api.dispatch = flag(value),
        |api| api.dispatch.then_some(true.into()),
    ),
    setting(
        "phalapi",
        ValueKind::Object(&PHALAPI),
        "Settings of the `phalapi` envelope.",
        |lowering, value, api| api.real_status = objects::member_flag(lowering, value, &PHALAPI, "real_status", false),
        |api| api.real_status.then(|| json!({ "real_status": true })),
    ),
    setting(
        "iapi",
        ValueKind::Object(&IAPI),
        "Settings of the `iapi` envelope.",
        |lowering, value, api| api.strict_status = objects::member_flag(lowering, value, &IAPI, "strict_status", false),
        |api| api.strict_status.then(|| json!({ "strict_status": true })),
    ),
    setting(
        "unknown",
        ValueKind::String,
        "What happens to parameters that the method does not define.",
        |lowering, value, api| {
            let words = UnknownParameters::ALL.map(|value| (value.as_str(), value));
            api.unknown = lowering.word(value, "value of `unknown`:", &words);
        },
        |api| unless(api.unknown.as_str(), UnknownParameters::default().as_str()),
    )
    .schema(|| schema::one_of(UnknownParameters::ALL.map(UnknownParameters::as_str))),
    setting(
        "timezone",
        ValueKind::String,
        "The time zone of dates and times that are sent without one.",
        |lowering, value, api| api.timezone = lowering.timezone(value),
        |api| unless(&api.timezone, DEFAULT_TIMEZONE),
    ),
    setting(
        "types",
        ValueKind::Object(&TYPES),
        "Settings of the types.",
        |lowering, value, api| api.default_types = objects::member_flag(lowering, value, &TYPES, "default", true),
        |api| (!api.default_types).then(|| json!({ "default": false })),
    ),
    setting(
        "limits",
        ValueKind::Object(&limits::LIMIT_KEYS),
        "Limits of requests.",
        |lowering, value, api| api.limits = objects::lower_limits(lowering, value),
        |api| objects::write_limits(&api.limits),
    ),
    setting(
        "options",
        ValueKind::String,
        "Which methods the documents list: `public`, all of them; `own`, those that the caller may call.",
        |lowering, value, api| {
            let words = Audience::ALL.map(|value| (value.as_str(), value));
            api.options = lowering.word(value, "value of `options`:", &words);
        },
        |api| unless(api.options.as_str(), Audience::default().as_str()),
    )
    .schema(|| schema::one_of(Audience::ALL.map(Audience::as_str))),
    setting(
        "unbound",
        ValueKind::String,
        "What happens to methods without a handler.",
        |lowering, value, api| {
            let words = Unbound::ALL.map(|value| (value.as_str(), value));
            api.unbound = lowering.word(value, "value of `unbound`:", &words);
        },
        |api| unless(api.unbound.as_str(), Unbound::default().as_str()),
    )
    .schema(|| schema::one_of(Unbound::ALL.map(Unbound::as_str)))
    .internal(),
    setting(
        "bind",
        ValueKind::String,
        "The address to listen on, as `address:port`.",
        |lowering, value, api| api.bind = lowering.address(value),
        |api| api.bind.as_deref().map(Json::from),
    )
    .schema(|| json!({ "pattern": pattern::ADDRESS }))
    .internal(),
    setting(
        "data",
        ValueKind::String,
        "The folder for the server's internal data.",
        |lowering, value, api| api.data = lowering.folder(value, "data", "the folder `data`"),
        |api| api.data.as_deref().map(Json::from),
    )
    .schema(|| json!({ "pattern": pattern::NOT_BLANK }))
    .internal(),
    setting(
        "files",
        ValueKind::String,
        "The folder for stored files, if the program stores any.",
        |lowering, value, api| api.files = lowering.folder(value, "files", "the folder `files` in the data folder"),
        |api| api.files.as_deref().map(Json::from),
    )
    .schema(|| json!({ "pattern": pattern::NOT_BLANK }))
    .internal(),
    setting(
        "workers",
        ValueKind::Integer,
        "The number of worker threads.",
        |lowering, value, api| api.workers = lowering.workers(value),
        |api| api.workers.map(Json::from),
    )
    .schema(|| schema::range_constraint(&(1..=MAX_WORKERS)))
    .internal(),
    setting(
        "log",
        ValueKind::String,
        "The log filter: a level, or levels by module.",
        |lowering, value, api| api.log = lowering.log(value),
        |api| api.log.as_deref().map(Json::from),
    )
    .internal(),
    setting(
        "log_format",
        ValueKind::String,
        "The format of the log.",
        |lowering, value, api| {
            let words = LogFormat::ALL.map(|value| (value.as_str(), value));
            api.log_format = lowering.word(value, "value of `log_format`:", &words);
        },
        |api| unless(api.log_format.as_str(), LogFormat::default().as_str()),
    )
    .schema(|| schema::one_of(LogFormat::ALL.map(LogFormat::as_str)))
    .internal(),
    setting(
        "compress",
        ValueKind::Bool,
        "Whether responses are compressed for clients that accept it.",
        |_, value, api| api.compress = flag(value),
        |api| (!api.compress).then_some(false.into()),
    )
    .internal(),
    setting(
        "cors",
        ValueKind::Object(&CORS),
        "Settings for browsers on other origins (CORS).",
        |lowering, value, api| api.cors = lowering.cors(value),
        |api| api.cors.as_ref().map(cors::write),
    )
    .internal(),
];

fn text(value: &JsonNode) -> String {
    value.string().map(|text| text.value).unwrap_or_default()
}

fn flag(value: &JsonNode) -> bool {
    value.bool().is_some_and(|flag| flag.value)
}

/// Returns the text unless it equals the default.
fn unless(text: &str, default: &str) -> Option<Json> {
    (text != default).then(|| text.into())
}
