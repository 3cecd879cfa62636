//! The settings whose values are JSON objects, such as `cors`, `limits` and `rate_limit`: their keys, and their
//! conversion to the model.

use http::HeaderName;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::checks::{has_password, written_address};
use crate::compile::Lowering;
use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};
use crate::definition::{CheckedObject, JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::limits;
use crate::limits::Limits;
use crate::model::{
    Contact, Cors, License, Origins, RateLimit, RateLimitBy, RatePeriod, Server, ServiceQuery, SharedLimits, Versions,
    is_version_name,
};
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

/// The keys of the setting `cors`.
pub static CORS: KeyTable = key_table(
    "the CORS settings",
    &[
        required_key("origins", JsonKind::Strings, "The origins whose pages may call the API, or `*` for all."),
        key("credentials", JsonKind::Bool, "Whether browsers may send credentials, such as cookies."),
        key("headers", JsonKind::Strings, "Additional request headers that pages may send."),
        key("expose", JsonKind::Strings, "Additional response headers that pages may read."),
        key(
            "max_age",
            JsonKind::Integer,
            "How many seconds browsers may cache the response to a preflight request; 600 by default.",
        ),
    ],
);

impl Lowering<'_> {
    pub(super) fn lower_cors(&mut self, value: &JsonNode) -> Option<Cors> {
        let cors = CheckedObject::new(value, &CORS, &mut self.diagnostics)?;
        let credentials = cors.bool("credentials").filter(|on| on.value);
        let origins = match cors.strings("origins") {
            Some(origins) => self.lower_origins(&origins, credentials.as_ref()),
            None => {
                let help = "list the origins that may call the API, or write `\"origins\": [\"*\"]` for all";
                self.report_missing(&cors, "origins", "`cors` has no `origins`", Some(help));
                None
            }
        };
        let headers = self.check_header_names(cors.strings("headers"));
        let expose = self.check_header_names(cors.strings("expose"));
        Some(Cors {
            origins: origins?,
            credentials: credentials.is_some(),
            headers: headers?,
            expose: expose?,
            max_age: cors.integer("max_age").map_or(Cors::DEFAULT_MAX_AGE, |seconds| seconds.value),
        })
    }

    fn lower_origins(
        &mut self,
        origins: &Spanned<Vec<Spanned<String>>>,
        credentials: Option<&Spanned<bool>>,
    ) -> Option<Origins> {
        let error = |span, message: &str| Diagnostic::new(DiagnosticCode::BadOption, span, message);
        if origins.value.is_empty() {
            self.report(
                error(origins.span, "`origins` is empty")
                    .label("no origins")
                    .help("remove `cors` if pages of other origins may not call the API"),
            );
            return None;
        }
        // `*` allows pages of every origin, and any page can send the origin `null`. With `credentials`, any page could
        // therefore use the credentials that a browser stores.
        let any_page = origins.value.iter().find(|origin| matches!(&*origin.value, "*" | "null"));
        if let (Some(origin), Some(credentials)) = (any_page, credentials) {
            self.report(
                error(origin.span, "pages of every origin could use the credentials that a browser stores")
                    .label("not a particular origin")
                    .related(credentials.span, "allows credentials")
                    .help("list the origins, or remove `credentials`; tokens in `Authorization` work without it"),
            );
            return None;
        }
        if let Some(any) = origins.value.iter().find(|origin| origin.value == "*") {
            if origins.value.len() > 1 {
                self.report(
                    error(any.span, "`*` includes the other origins")
                        .label("every origin")
                        .help("remove the other origins, or `*`"),
                );
                return None;
            }
            return Some(Origins::Any);
        }
        let checked: Vec<_> = origins.value.iter().map(|origin| self.check_origin(origin)).collect();
        checked.into_iter().collect::<Option<_>>().map(Origins::These)
    }

    /// Reports an origin that browsers would write differently (RFC 6454 section 6.2): the server compares texts.
    fn check_origin(&mut self, origin: &Spanned<String>) -> Option<String> {
        let text = &origin.value;
        if text == "null" {
            return Some(text.clone());
        }
        let serialized = serialize_origin(text);
        if serialized.as_ref().is_some_and(|origin| origin.eq_ignore_ascii_case(text)) {
            return Some(text.clone());
        }
        let message = format!("`{}` is not a valid origin", text.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadOption, origin.span, message)
            .label("expected `scheme://host` or `scheme://host:port`");
        self.report(match serialized {
            Some(origin) => error.help(format!("write `{origin}`")),
            None => error.help("write for example `https://example.org` or `http://localhost:3000`, or `*` for all"),
        });
        None
    }

    /// Reports invalid names of header fields (RFC 9110 section 5.1), and returns `None` if there are any.
    fn check_header_names(&mut self, names: Option<Spanned<Vec<Spanned<String>>>>) -> Option<Vec<String>> {
        let names = names.map_or_else(Vec::new, |names| names.value);
        let is_valid = |name: &&Spanned<String>| name.value != "*" && HeaderName::try_from(&*name.value).is_ok();
        let (valid, invalid): (Vec<_>, Vec<_>) = names.iter().partition(is_valid);
        for name in &invalid {
            let message = format!("`{}` is not a valid header name", name.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, name.span, message).label("expected a name like `X-App`"),
            );
        }
        invalid.is_empty().then(|| valid.into_iter().map(|name| name.value.clone()).collect())
    }
}

/// Returns the origin of a URL as browsers send it: without a default port, and without the path. A host with `*` is
/// valid in URLs but not in origins.
fn serialize_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", url.scheme()))
}

// The limits of the number of requests of a method, of a module, and of the whole API; and the setting `shared_limits`,
// which names the counter that several servers share.

/// The description of the keys `rate_limit` of methods, modules and the API.
pub(crate) const RATE_LIMIT_DESCRIPTION: &str =
    "The limits of the number of requests in a period, such as `{\"requests\": 100, \"per\": \"minute\"}`.";

/// The keys of a limit of the number of requests.
pub static RATE_LIMIT: KeyTable = key_table(
    "a rate limit",
    &[
        required_key("requests", JsonKind::Integer, "The maximum number of requests in a period."),
        required_key("per", JsonKind::String, "The period: `second`, `minute`, `hour` or `day`."),
        key(
            "by",
            JsonKind::String,
            "Whose requests are counted together: those of a `caller` (default), of a client `address`, or of `all`.",
        ),
    ],
);

/// The keys of the setting `shared_limits`.
pub static SHARED_LIMITS: KeyTable = key_table(
    "the shared limits",
    &[
        required_key(
            "url",
            JsonKind::String,
            "The URL of the Valkey or Redis server: `redis://HOST:PORT/DATABASE`, `rediss://…` for TLS.",
        ),
        key(
            "when_unavailable",
            JsonKind::String,
            "While it is unavailable: with `open`, each server counts by itself; with `closed`, requests get status 503.",
        ),
        key(
            "timeout_ms",
            JsonKind::Integer,
            "The time for which a request waits for it, in milliseconds; 250 by default.",
        ),
        key(
            "prefix",
            JsonKind::String,
            "The beginning of the names of its keys, `rulebook` by default. Servers with the same prefix count together.",
        ),
    ],
);

impl Lowering<'_> {
    pub(crate) fn lower_rate_limits(&mut self, value: &JsonNode) -> Vec<RateLimit> {
        let items = match &value.data {
            JsonData::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let mut limits: Vec<RateLimit> = Vec::with_capacity(items.len());
        for item in items {
            let Some(limit) = self.lower_rate_limit(item) else { continue };
            if limits.iter().any(|other| (other.per, other.by) == (limit.per, limit.by)) {
                let message = format!("there are two limits of the requests per {}", limit.per);
                let error = Diagnostic::new(DiagnosticCode::BadOption, item.span, message);
                self.report(error.label("counts the same requests").help("remove the higher limit"));
            }
            limits.push(limit);
        }
        limits
    }

    fn lower_rate_limit(&mut self, item: &JsonNode) -> Option<RateLimit> {
        let object = CheckedObject::new(item, &RATE_LIMIT, &mut self.diagnostics)?;
        let missing = ["requests", "per"].into_iter().find(|key| !object.has_key(key));
        if let Some(key) = missing {
            let help = "write for example `{\"requests\": 100, \"per\": \"minute\", \"by\": \"address\"}`";
            self.report_missing(&object, key, &format!("the rate limit has no `{key}`"), Some(help));
            return None;
        }
        let requests = object
            .integer("requests")
            .and_then(|requests| self.lower_number(&requests, "the number of requests", RateLimit::MAX_REQUESTS));
        let per = object.string("per").and_then(|word| self.resolve_word::<RatePeriod>(&word, "value of `per`:"));
        let by = match object.string("by") {
            Some(word) => self.resolve_word(&word, "value of `by`:"),
            None => Some(RateLimitBy::default()),
        };
        Some(RateLimit::new(requests?, per?, by?))
    }

    /// Returns a number from 1 to `max`. Reports another number of `subject`.
    fn lower_number(&mut self, number: &Spanned<u64>, subject: &str, max: u32) -> Option<u32> {
        self.number_in(number, 1..=max.into(), &format!("{subject} is {}", number.value), None)
    }

    /// Returns as how many requests a call counts. Reports a number with which the method can never be called.
    pub(crate) fn lower_cost(&mut self, cost: Option<&Spanned<u64>>, limits: &[RateLimit]) -> u32 {
        let Some(cost) = cost else { return 1 };
        let Some(value) = self.lower_number(cost, "the cost of the method", RateLimit::MAX_COST) else { return 1 };
        if let Some(limit) = limits.iter().find(|limit| limit.requests < value) {
            let message = format!("a call counts as {value} requests, but the limit is {}", limit.in_words());
            let error = Diagnostic::new(DiagnosticCode::BadOption, cost.span, message).label("higher than the limit");
            self.report(error.help("every call would be refused: lower `cost`, or raise the limit"));
        }
        value
    }

    pub(super) fn lower_shared_limits(&mut self, value: &JsonNode) -> Option<SharedLimits> {
        let object = CheckedObject::new(value, &SHARED_LIMITS, &mut self.diagnostics)?;
        let url = object.get("url").and_then(written_address);
        let Some(url) = url.filter(|url| !url.value.trim().is_empty()) else {
            let help = "write the address of a Valkey or Redis server: `redis://127.0.0.1:6379`";
            self.report_missing(&object, "url", "`shared_limits` has no `url`", Some(help));
            return None;
        };
        if has_password(&url.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, url.span, "`shared_limits` contains a password")
                    .help("write an environment variable instead: `redis://USER:${PASSWORD}@HOST:PORT`")
                    .hide_line(),
            );
            return None;
        }
        let mut shared = SharedLimits::new(url);
        if let Some(word) = object.string("when_unavailable") {
            shared.when_unavailable = self.resolve_word(&word, "value of `when_unavailable`:").unwrap_or_default();
        }
        if let Some(timeout) = object.integer("timeout_ms") {
            let max = u32::try_from(SharedLimits::MAX_TIMEOUT_MS).unwrap_or(u32::MAX);
            shared.timeout_ms = self.lower_number(&timeout, "`timeout_ms`", max).map_or(shared.timeout_ms, u64::from);
        }
        if let Some(prefix) = object.string("prefix") {
            shared.prefix = prefix.value;
        }
        Some(shared)
    }
}
