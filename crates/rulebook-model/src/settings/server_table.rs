//! The settings in `app.json` that concern the server: its addresses, folders, limits of connections and log.

use serde_json::{Value as Json, json};

use super::checks::{DATABASES, SERVER_DATABASES};
use super::table::{bool_value, text_unless_default};
use super::{CORS, MAX_SECONDS, Setting, cors, network, setting};
use crate::definition::keys::ValueKind;
use crate::model::{ClientCertificateMode, ForwardedField, LinkTarget, LogFormat, MAX_WORKERS};
use crate::schema::{self, pattern};
use crate::span::Spanned;

/// These settings, in the order in which they are checked and in which the canonical form of a definition lists them.
pub(super) const SERVER_SETTINGS: [Setting; 24] = [
    setting(
        "bind",
        ValueKind::String,
        "The address to listen on, as `address:port`, or as `https://address:port` with TLS.",
        |lowering, value, api| api.bind = lowering.lower_bind_address(value),
        |api| api.bind.as_deref().map(Json::from),
    )
    .with_constraint(|| json!({ "pattern": pattern::SOCKET_ADDRESS }))
    .mark_internal(),
    setting(
        "data",
        ValueKind::String,
        "The folder for the server's internal data.",
        |lowering, value, api| api.data = lowering.lower_folder(value, "data", "the folder `data`"),
        |api| api.data.as_deref().map(Json::from),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "files",
        ValueKind::String,
        "The folder for stored files, if the program stores any, or the URL of an S3 bucket for stored files and download \
         links.",
        |lowering, value, api| api.files = lowering.lower_files_location(value),
        |api| api.files.as_deref().map(Json::from),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "link_target",
        ValueKind::String,
        "How clients get the files of download links: `proxied` (the server sends them) or `presigned` (the server \
         redirects to a URL of the bucket with the files).",
        |lowering, value, api| {
            let words = LinkTarget::ALL.map(|value| (value.as_str(), value));
            api.link_target = lowering.lower_word(value, "value of `link_target`:", &words);
        },
        |api| text_unless_default(api.link_target.as_str(), LinkTarget::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(LinkTarget::ALL.map(LinkTarget::as_str)))
    .mark_internal(),
    setting(
        "key_storage",
        ValueKind::String,
        "The address of the database with the API keys, which several servers share; by default the keys are in a file.",
        |lowering, value, api| {
            api.key_storage = lowering.lower_database_url(value, "key_storage", "the keys", SERVER_DATABASES);
        },
        |api| api.key_storage.as_ref().map(|url| url.value.as_str().into()),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "idempotency_storage",
        ValueKind::String,
        "The address of the database with the responses for idempotency keys, which several servers share; by default \
         they are in a file.",
        |lowering, value, api| {
            let (name, content) = ("idempotency_storage", "the responses");
            api.idempotency_storage = lowering.lower_database_url(value, name, content, DATABASES);
        },
        |api| api.idempotency_storage.as_ref().map(|url| url.value.as_str().into()),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "workers",
        ValueKind::Integer,
        "The number of worker threads.",
        |lowering, value, api| api.workers = lowering.lower_worker_count(value),
        |api| api.workers.map(Json::from),
    )
    .with_constraint(|| schema::range_constraint(&(1..=MAX_WORKERS)))
    .mark_internal(),
    setting(
        "address_connections",
        ValueKind::Integer,
        "The maximum number of open connections of one client address; 0 for no limit.",
        |_, value, api| api.address_connections = value.integer().map(|number| number.value),
        |api| api.address_connections.map(Json::from),
    )
    .mark_internal(),
    setting(
        "http2",
        ValueKind::Bool,
        "Whether clients can speak HTTP/2, with and without TLS.",
        |_, value, api| api.http2 = bool_value(value),
        |api| api.http2.then_some(true.into()),
    )
    .mark_internal(),
    setting(
        "tls_certificate",
        ValueKind::StringOrStrings,
        "The file with the certificate of the server, followed by those of its authorities; or a list of such files, for \
         several names of the server.",
        |lowering, value, api| api.tls_certificates = lowering.lower_files(value, "tls_certificate"),
        |api| network::files_to_json(&api.tls_certificates),
    )
    .mark_internal(),
    setting(
        "tls_key",
        ValueKind::StringOrStrings,
        "The file with the private key of the certificate; or a list of such files, in the order of the certificates.",
        |lowering, value, api| api.tls_keys = lowering.lower_files(value, "tls_key"),
        |api| network::files_to_json(&api.tls_keys),
    )
    .mark_internal(),
    setting(
        "tls_client_ca",
        ValueKind::String,
        "The file with the certificates of the authorities from which the certificates of clients must come.",
        |lowering, value, api| api.tls_client_ca = lowering.lower_files(value, "tls_client_ca").pop(),
        |api| api.tls_client_ca.as_ref().map(|file| file.value.as_str().into()),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "tls_client_certificate",
        ValueKind::String,
        "Whether clients must have a certificate from `tls_client_ca`: `required` or `optional`.",
        |lowering, value, api| {
            let words = ClientCertificateMode::ALL.map(|value| (value.as_str(), value));
            let mode = lowering.lower_word(value, "value of `tls_client_certificate`:", &words);
            api.tls_client_certificate = Some(Spanned::new(mode, value.span));
        },
        |api| api.tls_client_certificate.map(|mode| mode.value.as_str().into()),
    )
    .with_constraint(|| schema::one_of_constraint(ClientCertificateMode::ALL.map(ClientCertificateMode::as_str)))
    .mark_internal(),
    setting(
        "trusted_proxies",
        ValueKind::Strings,
        "The addresses of proxies in front of the server, whose field `forwarded_field` contains the address of the \
         client.",
        |lowering, value, api| api.trusted_proxies = lowering.lower_trusted_proxies(value),
        |api| {
            let ranges = || api.trusted_proxies.iter().map(ToString::to_string).map(Json::from).collect();
            (!api.trusted_proxies.is_empty()).then(ranges)
        },
    )
    .mark_internal(),
    setting(
        "forwarded_field",
        ValueKind::String,
        "The header field in which the trusted proxies send the address of the client: `x-forwarded-for` or \
         `forwarded`.",
        |lowering, value, api| {
            let words = ForwardedField::ALL.map(|value| (value.as_str(), value));
            api.forwarded_field = lowering.lower_word(value, "value of `forwarded_field`:", &words);
        },
        |api| text_unless_default(api.forwarded_field.as_str(), ForwardedField::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(ForwardedField::ALL.map(ForwardedField::as_str)))
    .mark_internal(),
    setting(
        "keep_alive",
        ValueKind::Integer,
        "The number of seconds after which an idle connection is closed.",
        |lowering, value, api| api.keep_alive = lowering.lower_seconds(value, "keep_alive"),
        |api| api.keep_alive.map(Json::from),
    )
    .with_constraint(|| json!({ "maximum": MAX_SECONDS }))
    .mark_internal(),
    setting(
        "shutdown_timeout",
        ValueKind::Integer,
        "The number of seconds for which a stopping server waits for requests in progress.",
        |lowering, value, api| api.shutdown_timeout = lowering.lower_seconds(value, "shutdown_timeout"),
        |api| api.shutdown_timeout.map(Json::from),
    )
    .with_constraint(|| json!({ "maximum": MAX_SECONDS }))
    .mark_internal(),
    setting(
        "verify_outputs",
        ValueKind::Bool,
        "Whether the outputs of each call are compared with the definition.",
        |_, value, api| api.verify_outputs = Some(bool_value(value)),
        |api| api.verify_outputs.map(Json::from),
    )
    .mark_internal(),
    setting(
        "log",
        ValueKind::String,
        "The filter of the log: a level such as `info`, or a level for each Rust module.",
        |lowering, value, api| api.log = lowering.lower_log_filter(value),
        |api| api.log.as_deref().map(Json::from),
    )
    .mark_internal(),
    setting(
        "log_format",
        ValueKind::String,
        "The format of the log.",
        |lowering, value, api| {
            let words = LogFormat::ALL.map(|value| (value.as_str(), value));
            api.log_format = lowering.lower_word(value, "value of `log_format`:", &words);
        },
        |api| text_unless_default(api.log_format.as_str(), LogFormat::default().as_str()),
    )
    .with_constraint(|| schema::one_of_constraint(LogFormat::ALL.map(LogFormat::as_str)))
    .mark_internal(),
    setting(
        "traces",
        ValueKind::String,
        "The address of the OpenTelemetry collector to which traces of requests are sent; by default there are no traces.",
        |lowering, value, api| api.traces = lowering.lower_traces(value),
        |api| api.traces.as_ref().map(|url| url.value.as_str().into()),
    )
    .with_constraint(|| json!({ "pattern": pattern::NOT_BLANK }))
    .mark_internal(),
    setting(
        "trace_percent",
        ValueKind::Integer,
        "How many percent of the requests begin a trace, from 0 to 100; by default all do.",
        |lowering, value, api| api.trace_percent = lowering.lower_trace_percent(value),
        |api| api.trace_percent.map(Json::from),
    )
    .with_constraint(|| json!({ "maximum": 100 }))
    .mark_internal(),
    setting(
        "compress",
        ValueKind::Bool,
        "Whether responses are compressed for clients that accept it.",
        |_, value, api| api.compress = bool_value(value),
        |api| (!api.compress).then_some(false.into()),
    )
    .mark_internal(),
    setting(
        "cors",
        ValueKind::Object(&CORS),
        "The settings for calls from web pages of other origins (CORS).",
        |lowering, value, api| api.cors = lowering.lower_cors(value),
        |api| api.cors.as_ref().map(cors::cors_to_json),
    )
    .mark_internal(),
];
