//! The settings of an API: the keys of `app.json`.
//!
//! The tables `API_SETTINGS` and `SERVER_SETTINGS` have a row for each setting: its key, and a function that checks its
//! value and stores it in the model. The parser, the compiler, the canonical form of definitions, the JSON Schema for
//! editors and the guide use these rows. To add a setting, add a row to a table and a field to [`Api`].

mod checks;
mod objects;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

#[cfg(feature = "command-line")]
pub use checks::check_log_filter;
pub use checks::{MAX_SECONDS, check_bind_address, split_bind_address};
pub(crate) use objects::RATE_LIMIT_DESCRIPTION;
pub use objects::{CONTACT, CORS, IAPI, LICENSE, PHALAPI, RATE_LIMIT, SERVER, SERVICE, SHARED_LIMITS, TYPES, VERSIONS};

use crate::compile::Lowering;
use crate::definition::dialect_spec::TREE;
use crate::definition::keys::{DEFAULT_SCOPE_DESCRIPTION, JsonKind, KeySpec, KeyTable, WHOLE_API_KEYS, key, key_table};
use crate::definition::{JsonNode, read_permission_groups};
use crate::error::catalogue::CatalogueName;
use crate::format::FormatOffer;
use crate::model::{
    Api, Audience, COMBINE, ClientCertificateMode, Cors, DefinedAuth, DefinedHandlers, ForwardedField, LinkTarget,
    LogFormat, MAX_WORKERS, SharedLimits, Unbound, UnknownParameters,
};
use crate::schema::{Word, pattern, words_constraint};
use crate::span::Spanned;
use crate::{limits, schema};
use checks::{DATABASES, SERVER_DATABASES};

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

/// Null if the JSON Schema of the setting has only the type of its value.
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

/// The settings in `app.json` that describe the API and how its requests are handled, in the order in which they are
/// checked and listed in canonical definitions.
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

fn bool_value(value: &JsonNode) -> bool {
    value.bool().is_some_and(|bool| bool.value)
}

/// The settings in `app.json` that concern only the server: its handlers, addresses, folders, limits of connections and
/// log. They are in the order in which they are checked and listed in canonical definitions. Documents for clients omit
/// them.
pub(crate) const SERVER_SETTINGS: [Setting; 29] = [
    setting(
        "shared_limits",
        JsonKind::Object(&SHARED_LIMITS),
        "The Valkey or Redis server in which several servers count the requests of limits together.",
        |lowering, value, api| api.shared_limits = lowering.lower_shared_limits(value),
    ),
    word_setting::<Unbound>("unbound", "How the server handles methods without a handler.", |lowering, value, api| {
        api.unbound = lowering.lower_word(value, "value of `unbound`:");
    }),
    setting(
        "handlers",
        JsonKind::AnyObject,
        "The settings of each kind of handler, by its name, and the handler of methods without one as `default`.",
        |lowering, value, api| api.handlers = lowering.lower_handlers(value),
    ),
    setting(
        "auth",
        JsonKind::AnyObject,
        "The kinds of credentials that the server accepts, each with its settings; by default only keys.",
        |lowering, value, api| api.auth = lowering.lower_auth(value),
    )
    .with_constraint(|| json!({ "properties": { COMBINE: { "type": "boolean" } } })),
    setting(
        "require_scope",
        JsonKind::Bool,
        "Whether each method that changes data must have a `scope`, of its own or as a default.",
        |lowering, value, api| {
            api.require_scope = bool_value(value);
            lowering.requires_scope = api.require_scope;
        },
    ),
    setting(
        "bind",
        JsonKind::String,
        "The address to listen on, as `address:port`, or as `https://address:port` with TLS.",
        |lowering, value, api| api.bind = lowering.lower_bind_address(value),
    )
    .with_constraint(|| json!({ "pattern": pattern::SOCKET_ADDRESS })),
    setting(
        "monitoring",
        JsonKind::String,
        "The address of `/metrics` and `/readyz`, as in `bind`; by default, they are at the addresses in `bind`.",
        |lowering, value, api| api.monitoring = lowering.lower_bind_address(value),
    )
    .with_constraint(|| json!({ "pattern": pattern::SOCKET_ADDRESS })),
    setting(
        "data",
        JsonKind::String,
        "The folder for the server's internal data.",
        |lowering, value, api| api.data = lowering.lower_folder(value, "data", "the folder `data`"),
    )
    .with_constraint(not_blank),
    setting(
        "files",
        JsonKind::String,
        "The folder for stored files, if the program stores any, or the URL of an S3 bucket for stored files and download \
         links.",
        |lowering, value, api| api.files = lowering.lower_files_location(value),
    )
    .with_constraint(not_blank),
    word_setting::<LinkTarget>(
        "link_target",
        "How clients get the files of download links: `proxied` (the server sends them) or `presigned` (the server \
         redirects to a URL of the bucket with the files).",
        |lowering, value, api| api.link_target = lowering.lower_word(value, "value of `link_target`:"),
    ),
    setting(
        "key_storage",
        JsonKind::String,
        "The address of the database with the API keys, which several servers share; by default the keys are in a file.",
        |lowering, value, api| {
            api.key_storage = lowering.lower_database_url(value, "key_storage", "the keys", SERVER_DATABASES);
        },
    )
    .with_constraint(not_blank),
    setting(
        "idempotency_storage",
        JsonKind::String,
        "The address of the database with the responses for idempotency keys, which several servers share; by default \
         they are in a file.",
        |lowering, value, api| {
            let (name, content) = ("idempotency_storage", "the responses");
            api.idempotency_storage = lowering.lower_database_url(value, name, content, DATABASES);
        },
    )
    .with_constraint(not_blank),
    setting(
        "workers",
        JsonKind::Integer,
        "The number of worker threads.",
        |lowering, value, api| api.workers = lowering.lower_worker_count(value),
    )
    .with_constraint(|| schema::range_constraint(&(1..=MAX_WORKERS))),
    setting(
        "address_connections",
        JsonKind::Integer,
        "The maximum number of open connections of one client address; 0 for no limit.",
        |_, value, api| api.address_connections = value.integer().map(|number| number.value),
    ),
    setting(
        "tls_certificate",
        JsonKind::StringOrStrings,
        "The file with the certificate of the server, followed by those of its authorities; or a list of such files, for \
         several names of the server.",
        |lowering, value, api| api.tls_certificates = lowering.lower_files(value, "tls_certificate"),
    ),
    setting(
        "tls_key",
        JsonKind::StringOrStrings,
        "The file with the private key of the certificate; or a list of such files, in the order of the certificates.",
        |lowering, value, api| api.tls_keys = lowering.lower_files(value, "tls_key"),
    ),
    setting(
        "tls_client_ca",
        JsonKind::String,
        "The file with the certificates of the authorities from which the certificates of clients must come.",
        |lowering, value, api| api.tls_client_ca = lowering.lower_files(value, "tls_client_ca").pop(),
    )
    .with_constraint(not_blank),
    word_setting::<ClientCertificateMode>(
        "tls_client_certificate",
        "Whether clients must have a certificate from `tls_client_ca`: `required` or `optional`.",
        |lowering, value, api| {
            let mode = lowering.lower_word(value, "value of `tls_client_certificate`:");
            api.tls_client_certificate = Some(Spanned::new(mode, value.span));
        },
    ),
    setting(
        "trusted_proxies",
        JsonKind::Strings,
        "The addresses of proxies in front of the server, whose field `forwarded_field` contains the address of the \
         client.",
        |lowering, value, api| api.trusted_proxies = lowering.lower_trusted_proxies(value),
    ),
    word_setting::<ForwardedField>(
        "forwarded_field",
        "The header field in which the trusted proxies send the address of the client: `x-forwarded-for` or \
         `forwarded`.",
        |lowering, value, api| api.forwarded_field = lowering.lower_word(value, "value of `forwarded_field`:"),
    ),
    setting(
        "keep_alive",
        JsonKind::Integer,
        "The number of seconds after which an idle connection is closed.",
        |lowering, value, api| api.keep_alive = lowering.lower_seconds(value, "keep_alive"),
    )
    .with_constraint(|| json!({ "maximum": MAX_SECONDS })),
    setting(
        "shutdown_timeout",
        JsonKind::Integer,
        "The number of seconds for which a stopping server waits for requests in progress.",
        |lowering, value, api| api.shutdown_timeout = lowering.lower_seconds(value, "shutdown_timeout"),
    )
    .with_constraint(|| json!({ "maximum": MAX_SECONDS })),
    setting(
        "verify_outputs",
        JsonKind::Bool,
        "Whether the outputs of each call are compared with the definition.",
        |_, value, api| api.verify_outputs = Some(bool_value(value)),
    ),
    setting(
        "log",
        JsonKind::String,
        "The filter of the log: a level such as `info`, or a level for each Rust module.",
        |lowering, value, api| api.log = lowering.lower_log_filter(value),
    ),
    word_setting::<LogFormat>(
        "log_format",
        "The format of the log.",
        |lowering, value, api| api.log_format = lowering.lower_word(value, "value of `log_format`:"),
    ),
    setting(
        "traces",
        JsonKind::String,
        "The address of the OpenTelemetry collector to which traces of requests are sent; by default there are no traces.",
        |lowering, value, api| api.traces = lowering.lower_traces(value),
    )
    .with_constraint(not_blank),
    setting(
        "trace_percent",
        JsonKind::Integer,
        "How many percent of the requests begin a trace, from 0 to 100; by default all do.",
        |lowering, value, api| api.trace_percent = lowering.lower_trace_percent(value),
    )
    .with_constraint(|| json!({ "maximum": 100 })),
    setting(
        "compress",
        JsonKind::Bool,
        "Whether responses are compressed for clients that accept it.",
        |_, value, api| api.compress = bool_value(value),
    ),
    setting(
        "cors",
        JsonKind::Object(&CORS),
        "The settings for calls from web pages of other origins (CORS).",
        |lowering, value, api| api.cors = lowering.lower_cors(value),
    ),
];

fn not_blank() -> Json {
    json!({ "pattern": pattern::NOT_BLANK })
}
