//! The settings in `app.json` that concern only the server: its handlers, addresses, folders, limits of connections and
//! log. Documents for clients omit them.

use serde_json::{Value as Json, json};

use super::checks::{DATABASES, SERVER_DATABASES};
use super::table::bool_value;
use super::{CORS, MAX_SECONDS, SHARED_LIMITS, Setting, setting, word_setting};
use crate::definition::keys::JsonKind;
use crate::model::{COMBINE, ClientCertificateMode, ForwardedField, LinkTarget, LogFormat, MAX_WORKERS, Unbound};
use crate::schema::{self, pattern};
use crate::span::Spanned;

/// These settings, in the order in which they are checked and listed in canonical definitions.
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
