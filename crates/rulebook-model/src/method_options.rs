//! The options of a method, such as its HTTP status: their keys, what the definition may write under them, their values
//! in the model, and how the canonical form writes them.
//!
//! A new option is a row of [`METHOD_OPTIONS`], a member of [`DeclaredOptions`] and of [`MethodOptions`], and a line in
//! [`DeclaredOptions::read`], `lower_method_options` and [`write_options`]. All dialects then have it, and so have
//! OPTIONS, the JSON Schema for editors and the guide.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::call::HttpMethod;
use crate::compile::{Lowering, split_template};
use crate::definition::keys::{JsonKind, KeySpec, KeyTable, key, key_table};
use crate::definition::parsed::{Field, Method, TypeSpec};
use crate::definition::{CheckedObject, JsonNode};
use crate::describe::canonical::ObjectWriter;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Deprecation, Idempotency, Output, OutputPlace, RateLimit, date_or_time};
use crate::settings::{RATE_LIMIT, RATE_LIMIT_DESCRIPTION, one_or_many};
use crate::span::{Span, Spanned};

/// The keys of the options as the dialect `rules` writes them, among the rules of a method. The other dialects write
/// them without `@`, in an object under `options`.
const METHOD_OPTIONS: [KeySpec; 10] = [
    key(
        "@status",
        JsonKind::IntegerOrIntegers,
        "The HTTP status of a successful response, or a list of those among which the handler chooses; the first is \
         the default.",
    ),
    key(
        "@version",
        JsonKind::String,
        "The output that is the version of the resource, which responses contain as the entity tag (`ETag`).",
    ),
    key("@download", JsonKind::Bool, "Whether the method returns a file instead of outputs."),
    key("@jsonp", JsonKind::Bool, "Whether the method responds with JSONP on request."),
    key(
        "@deprecated",
        JsonKind::BoolOrMoment,
        "Whether clients should no longer call the method, or the date since when: `\"2026-12-01\"`.",
    ),
    key(
        "@sunset",
        JsonKind::Moment,
        "The date from which on the deprecated method responds with the status 410: `\"2027-06-01\"`.",
    ),
    key("@successor", JsonKind::String, "The id of the method that clients should call instead of the deprecated one."),
    key("@rate_limit", JsonKind::ObjectOrObjects(&RATE_LIMIT), RATE_LIMIT_DESCRIPTION),
    key("@cost", JsonKind::Integer, "The number of requests as which a call counts for rate limits; by default 1."),
    key(
        "@idempotent",
        JsonKind::String,
        "Whether clients can repeat a request safely with the header field `Idempotency-Key`: `optional` or \
         `required`.",
    ),
];

/// The keys of the object under `options` of a method in the dialect `tree`.
pub static OPTIONS: KeyTable = key_table("the options", &without_at_sign(false));

/// The keys of the object under `options` of a method in the dialect `methods`, in which `"true"` is also `true`.
pub static OPTIONS_OF_METHODS: KeyTable = key_table("the options", &without_at_sign(true));

/// The options among the keys of a method in the dialect `rules`.
pub static OPTIONS_OF_RULES: KeyTable = key_table("a method of a class", &METHOD_OPTIONS);

const fn without_at_sign(allows_texts: bool) -> [KeySpec; METHOD_OPTIONS.len()] {
    let mut keys = METHOD_OPTIONS;
    let mut at = 0;
    while at < keys.len() {
        keys[at].name = keys[at].name.split_at("@".len()).1;
        if allows_texts && matches!(keys[at].kind, JsonKind::Bool) {
            keys[at].kind = JsonKind::BoolOrString;
        }
        at += 1;
    }
    keys
}

/// The values under the key `options` of a method.
#[derive(Debug, Clone, Default)]
pub struct DeclaredOptions {
    /// The value of the key `status`: the HTTP status of a successful response, or those among which the handler
    /// chooses.
    pub statuses: Vec<Spanned<u64>>,
    /// The value of the key `version`: the name of the output that is the entity tag.
    pub version: Option<Spanned<String>>,
    /// The value of the key `download`: `true` if the method returns a file.
    pub download: Option<Spanned<bool>>,
    /// The value of the key `jsonp`: `true` if the method can respond with JSONP.
    pub jsonp: Option<Spanned<bool>>,
    /// `true` if the setting `jsonp` of the API also applies to this POST method, as in PhalApi.
    pub has_jsonp_on_post: bool,
    /// The values of the keys `deprecated`, `sunset` and `successor`.
    pub deprecation: DeclaredDeprecation,
    /// The value of the key `rate_limit`: the limits of the number of requests.
    pub rate_limit: Option<JsonNode>,
    /// The value of the key `cost`: for how many requests a call counts.
    pub cost: Option<Spanned<u64>>,
    /// The value of the key `idempotent`: whether the method reads `Idempotency-Key`.
    pub idempotent: Option<Spanned<String>>,
}

/// The options of a method that clients should no longer call.
#[derive(Debug, Clone, Default)]
pub struct DeclaredDeprecation {
    /// `true` if clients should no longer call the method; `None` if the definition does not say.
    pub deprecated: Option<Spanned<bool>>,
    /// The value of the key `deprecated` if it is a point in time: since when.
    pub since: Option<Spanned<Timestamp>>,
    /// The value of the key `sunset`: the point in time from which on the method is gone.
    pub sunset: Option<Spanned<Timestamp>>,
    /// The value of the key `successor`: the id of the method that replaces this one.
    pub successor: Option<Spanned<String>>,
    /// `true` if an erroneous value was omitted.
    pub is_incomplete: bool,
}

impl DeclaredOptions {
    /// Reads the options in an object under `options`, or among the rules of a method, where their keys begin with `@`.
    pub(crate) fn read(object: &CheckedObject<'_>, is_among_rules: bool) -> Self {
        let key = |key: &'static str| if is_among_rules { key } else { key.trim_start_matches('@') };
        let since = object.moment(key("@deprecated"));
        Self {
            statuses: object.integers(key("@status")),
            version: object.string(key("@version")),
            download: object.bool(key("@download")),
            jsonp: object.bool(key("@jsonp")),
            has_jsonp_on_post: false,
            deprecation: DeclaredDeprecation {
                deprecated: since
                    .map(|since| Spanned::new(true, since.span))
                    .or_else(|| object.bool(key("@deprecated"))),
                since,
                sunset: object.moment(key("@sunset")),
                successor: object.string(key("@successor")),
                is_incomplete: object.is_incomplete,
            },
            rate_limit: object.get(key("@rate_limit")).cloned(),
            cost: object.integer(key("@cost")),
            idempotent: object.string(key("@idempotent")),
        }
    }
}

/// The options of a method besides its parameters and outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodOptions {
    /// The HTTP status of success responses, from 200 to 299. If there are others, it is the default.
    pub status: u16,
    /// The other statuses among which the handler chooses.
    pub other_statuses: Vec<u16>,
    /// The name of the [value](crate::model::Method::named_value) that is the entity tag of responses: an output, or a
    /// field of the whole body.
    pub version: Option<String>,
    /// `true` if the method returns a file instead of outputs.
    pub download: bool,
    /// `true` if the method can respond with JSONP, `false` if it cannot, `None` if the setting of the API decides.
    pub jsonp: Option<bool>,
    /// Since when clients should no longer call the method, and until when they can; `None` if it is not deprecated.
    pub deprecation: Option<Box<Deprecation>>,
    /// The limits of the number of requests; `None` if those of the API module or of the API apply.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// For how many requests a call counts in the limits of the method and of the caller's key, from 1.
    pub cost: u32,
    /// Whether the method reads the header field `Idempotency-Key`; `None` if it does not.
    pub idempotent: Option<Idempotency>,
}

impl MethodOptions {
    /// The HTTP statuses that success responses can have.
    pub const STATUSES: std::ops::RangeInclusive<u16> = 200..=299;
}

impl Default for MethodOptions {
    fn default() -> Self {
        Self {
            status: 200,
            other_statuses: Vec::new(),
            version: None,
            download: false,
            jsonp: None,
            deprecation: None,
            rate_limits: None,
            cost: 1,
            idempotent: None,
        }
    }
}

/// Writes the options that differ from their defaults, as the dialect `tree` has them.
pub(crate) fn write_options(options: &MethodOptions) -> Json {
    let MethodOptions { status, other_statuses, version, download, jsonp, deprecation, rate_limits, cost, idempotent } =
        options;
    let mut object = ObjectWriter::default();
    let default = MethodOptions::default();
    if other_statuses.is_empty() {
        object.add_if_some("status", (*status != default.status).then_some(*status));
    } else {
        let statuses: Json = [status].into_iter().chain(other_statuses).copied().collect();
        object.add_if_some("status", Some(statuses));
    }
    object.add_if_some("version", version.as_deref());
    object.add_if_some("download", download.then_some(true));
    object.add_if_some("jsonp", *jsonp);
    // The definition of a version can be read alone, so that it does not name methods of other versions.
    if let Some(Deprecation { since, sunset, successor, other_successor: _ }) = deprecation.as_deref() {
        object.add_if_some("deprecated", Some(since.map_or(Json::Bool(true), |since| date_or_time(since).into())));
        object.add_if_some("sunset", sunset.map(date_or_time));
        object.add_if_some("successor", successor.as_ref().map(|id| id.value.as_str()));
    }
    object.add_if_some("rate_limit", rate_limits.as_deref().map(one_or_many));
    object.add_if_some("cost", (*cost != default.cost).then_some(*cost));
    object.add_if_some("idempotent", idempotent.map(<&str>::from));
    object.into_json()
}

/// The HTTP statuses of responses without a body (RFC 9110 sections 15.3.5 and 15.3.6).
const STATUSES_WITHOUT_BODY: [u16; 2] = [204, 205];

/// The HTTP statuses that a download cannot have: those without a body, and 206 (RFC 9110 section 15.3.7), which the
/// server itself uses if a client requests a part of the file.
const STATUSES_NOT_FOR_DOWNLOADS: [u16; 3] = [204, 205, 206];

/// The only outputs that a method with the option `download` may declare. Definitions for api 3.0 declare these outputs
/// to describe the returned file, and `error`, which that framework sends itself.
const DOWNLOAD_OUTPUTS: [&str; 4] = ["headers", "body", "link", "error"];

impl Lowering<'_> {
    /// Converts the options of a method, and checks that they are possible for a method with these outputs.
    pub(crate) fn lower_method_options(
        &mut self,
        options: &DeclaredOptions,
        outputs: &[Field],
        is_public: bool,
        http: Option<HttpMethod>,
    ) -> MethodOptions {
        let DeclaredOptions {
            statuses,
            version,
            download,
            jsonp,
            has_jsonp_on_post,
            deprecation,
            rate_limit,
            cost,
            idempotent,
        } = options;
        let is_download = download.as_ref().is_some_and(|download| download.value);
        let by_default =
            (*has_jsonp_on_post && self.allows_jsonp_by_default && is_public && !is_download && idempotent.is_none())
                .then_some(true);
        let rate_limits = rate_limit.as_ref().map(|limits| self.lower_rate_limits(limits));
        let applicable = rate_limits.as_ref().unwrap_or(&self.default_rate_limits).clone();
        let cost = self.lower_cost(cost.as_ref(), &applicable);
        let idempotent = idempotent.as_ref().and_then(|option| self.lower_idempotency(option, options, http));
        let mut statuses = self.lower_success_statuses(statuses, outputs, is_download).into_iter();
        MethodOptions {
            status: statuses.next().unwrap_or(MethodOptions::default().status),
            other_statuses: statuses.collect(),
            version: version.as_ref().map(|version| version.value.clone()),
            download: download.as_ref().is_some_and(|download| self.lower_download_option(download, outputs)),
            jsonp: jsonp.as_ref().map(|jsonp| jsonp.value).or(by_default),
            deprecation: self.lower_deprecation(deprecation),
            rate_limits,
            cost,
            idempotent,
        }
    }

    /// Returns the statuses of success responses, beginning with the default.
    fn lower_success_statuses(&mut self, options: &[Spanned<u64>], outputs: &[Field], is_download: bool) -> Vec<u16> {
        let mut statuses = Vec::new();
        // A response without a body can be one of several, of which the others contain the outputs.
        let is_only = options.len() == 1;
        for option in options {
            let outputs = if is_only { outputs } else { &[] };
            let Some(status) = self.lower_success_status(option, outputs, is_download) else { continue };
            if statuses.contains(&status) {
                let message = format!("the status {status} is in the list twice");
                self.report(Diagnostic::new(DiagnosticCode::BadOption, option.span, message).help("remove it"));
            } else {
                statuses.push(status);
            }
        }
        if let ([_, second, ..], true) = (options, is_download) {
            let message = "a download has a single status";
            self.report(Diagnostic::new(DiagnosticCode::BadOption, second.span, message).help("remove the others"));
        }
        statuses
    }

    /// Returns the output with which the handler of a method with several statuses chooses one of them.
    pub(crate) fn status_output(&mut self, method: &Method, http_span: Span) -> Option<Output> {
        let statuses: Vec<_> = method.options.statuses.iter().map(|status| status.value).collect();
        let (min, max) = (statuses.iter().min()?, statuses.iter().max()?);
        if statuses.len() == 1 || method.options.download.as_ref().is_some_and(|download| download.value) {
            return None;
        }
        if let Some(output) = method.outputs.iter().find(|output| output.key.value == Output::STATUS) {
            let message = "a method with several statuses has an output `status` of its own: the status";
            self.report(
                Diagnostic::new(DiagnosticCode::OutputCollision, output.key.span, message)
                    .help("rename the output, or choose a single status"),
            );
            return None;
        }
        let text = |text: String| Some(Spanned::new(text, http_span));
        let field = Field {
            key: Spanned::new(Output::STATUS.to_owned(), http_span),
            info: text("The HTTP status of the response".to_owned()),
            r#type: TypeSpec { term: text(format!("?int({min},{max})")), ..TypeSpec::default() },
            is_incomplete: true,
            ..Field::default()
        };
        let output = self.lower_output_or_field(&field, "output")?;
        Some(Output { place: OutputPlace::Status, ..output })
    }

    /// Reports a status that is not a success or that contradicts the outputs.
    fn lower_success_status(&mut self, option: &Spanned<u64>, outputs: &[Field], is_download: bool) -> Option<u16> {
        let message = format!("{} is not the HTTP status of a success", option.value);
        let help = "declare errors and their statuses in `errors`";
        let status: u16 = self.number_in(option, 200..=299, &message, Some(help))?;
        let mut in_body = outputs.iter().filter(|output| output.header.is_none());
        if let Some(output) = in_body.next().filter(|_| STATUSES_WITHOUT_BODY.contains(&status)) {
            let message = format!("a response with status {status} has no body");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, message)
                    .label("allows no outputs")
                    .related(output.key.span, "an output")
                    .help("remove the outputs, or choose another status"),
            );
        } else if is_download && STATUSES_NOT_FOR_DOWNLOADS.contains(&status) {
            let message = format!("a download cannot have the status {status}");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, message)
                    .label("not a status of a download")
                    .help("remove it: the server uses 206 by itself if a client requests a part of the file"),
            );
        }
        Some(status)
    }

    /// Returns the value of the option `download`. Reports outputs, because the response of such a method is a file.
    fn lower_download_option(&mut self, option: &Spanned<bool>, outputs: &[Field]) -> bool {
        let is_allowed = |output: &&Field| {
            DOWNLOAD_OUTPUTS.contains(&output.key.value.as_str()) || split_template(output).1.is_some()
        };
        if let Some(output) = outputs.iter().find(|output| !is_allowed(output)).filter(|_| option.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, "a method that returns a file has no outputs")
                    .label("the file is the response")
                    .related(output.key.span, "an output")
                    .help("remove the outputs; only a header field with a `value` can be beside a file"),
            );
        }
        option.value
    }

    /// Reports a method whose responses cannot be repeated: a GET method, a file, or a script that depends on the
    /// request.
    fn lower_idempotency(
        &mut self,
        option: &Spanned<String>,
        options: &DeclaredOptions,
        http: Option<HttpMethod>,
    ) -> Option<Idempotency> {
        let value = self.resolve_word(option, "value of `idempotent`:")?;
        let enabled = |option: &Option<Spanned<bool>>| option.as_ref().filter(|option| option.value).map(|it| it.span);
        let (message, related, help) = if http == Some(HttpMethod::Get) {
            let message = "a GET method cannot be `idempotent`";
            (message, None, "remove it: clients can repeat GET requests, because they change nothing")
        } else if let Some(span) = enabled(&options.download) {
            let message = "a method that returns a file cannot be `idempotent`";
            (message, Some((span, "returns a file")), "remove it: files are sent while they are read, and are not kept")
        } else if let Some(span) = enabled(&options.jsonp) {
            let message = "a method that responds with JSONP cannot be `idempotent`";
            (message, Some((span, "JSONP")), "remove one of both: a script cannot send the header field with the key")
        } else {
            return Some(value);
        };
        let diagnostic = Diagnostic::new(DiagnosticCode::BadOption, option.span, message).help(help);
        self.report(match related {
            Some((span, label)) => diagnostic.related(span, label),
            None => diagnostic,
        });
        None
    }
}
