//! The HTTP methods of a service, with their parameters, outputs, header fields of responses, errors and deprecation.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::api::uri_of;
use super::{Api, DefinedHandler, MethodOptions, Scope, Segment, Service};
use crate::call::{HttpMethod, Source};
use crate::constraint::Constraint;
use crate::error::ErrorStatus;
use crate::span::{Span, Spanned};
use crate::types::{Arity, Check, ObjectField, Structure, TypeExpr, utc_seconds_of};

/// One HTTP method of a service.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Method {
    /// The id of the method, such as `article.line.get`. It is unique in the API.
    pub id: String,
    /// The HTTP method by which requests select this method.
    pub http: HttpMethod,
    /// `true` if the method follows the semantics of its HTTP method, so that a request with GET, PUT or DELETE can be
    /// repeated (RFC 9110 section 9.2.2). Methods in the dialects `methods` and `rules` do not: the programs for which
    /// these dialects were made also write in methods for GET.
    pub follows_http_semantics: bool,
    /// The description of the method for documents.
    pub info: String,
    /// The permissions that a caller needs.
    pub scope: Scope,
    /// The parameters in the order of the definition. The common parameters of the API come last, or first if the
    /// dialect of the definition requires it.
    pub parameters: Vec<Parameter>,
    /// The outputs, which are the results of a successful call: in the body, in header fields and the status.
    pub outputs: Vec<Output>,
    /// The errors that handlers of the method can return.
    pub errors: Vec<DeclaredError>,
    /// What must hold between the parameters, which the constraints name by their names in code.
    pub constraints: Vec<Constraint>,
    /// What handles calls of the method instead of code of the program. Documents for clients do not show it.
    pub handler: Option<DefinedHandler>,
    /// The options, such as the HTTP status of a success.
    pub options: MethodOptions,
    /// The position of the HTTP method's name (`GET`) in the definition.
    pub span: Span,
}

impl Method {
    /// Returns the positional parameters in the order of their numbers. Their values are the segments of a request path
    /// after the path of the service.
    #[must_use]
    pub fn positions(&self) -> Vec<&Parameter> {
        let position = |parameter: &Parameter| match parameter.from {
            Location::Position(n) => Some(n),
            _ => None,
        };
        let positions = self.parameters.iter().filter_map(|parameter| Some((position(parameter)?, parameter)));
        let mut positions: Vec<_> = positions.collect();
        positions.sort_unstable_by_key(|(n, _)| *n);
        positions.into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// Returns the name of a parameter in requests. `name` is its name in code.
    #[must_use]
    pub fn request_name(&self, name: &str) -> String {
        self.parameter(name).map_or(name, |parameter| parameter.request_name()).to_owned()
    }

    /// Returns the parameter with this name in code.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Describes the constraints between the parameters, one sentence each, with their names in requests.
    #[must_use]
    pub fn constraints_in_words(&self) -> Vec<String> {
        let display = |name: &str| self.request_name(name);
        self.constraints.iter().map(|constraint| constraint.in_words(&display)).collect()
    }

    pub(crate) fn argument_checks(&self) -> impl Iterator<Item = &dyn Check> {
        self.parameters.iter().map(|parameter| &*parameter.r#type.check)
    }

    pub(crate) fn output_checks(&self) -> impl Iterator<Item = &dyn Check> {
        self.outputs.iter().map(|output| &*output.r#type.check)
    }

    /// Returns the output that is the whole response body, or `None` if the outputs are members of the body.
    #[must_use]
    pub fn whole(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.is_whole())
    }

    /// Returns the errors that a call of the method can end in: the errors that the method declares, and those of the
    /// program's authenticators, which are `auth_errors` of the API. An authenticator's error is omitted if the method
    /// declares an error with the same name.
    pub fn errors_of_call<'a>(&'a self, auth_errors: &'a [DeclaredError]) -> impl Iterator<Item = &'a DeclaredError> {
        let others = auth_errors.iter().filter(|error| self.errors.iter().all(|declared| declared.name != error.name));
        self.errors.iter().chain(others)
    }

    /// Returns `true` if the method can respond with JSONP. Only public GET and POST methods that return no file can.
    /// The definition enables JSONP for the method or, if it is a GET method, for the whole API. `api_default` is the
    /// setting of the API.
    #[must_use]
    pub fn allows_jsonp(&self, api_default: bool) -> bool {
        let MethodOptions { download, jsonp, .. } = &self.options;
        let is_enabled = match self.http {
            HttpMethod::Get => jsonp.unwrap_or(api_default),
            HttpMethod::Post => *jsonp == Some(true),
            HttpMethod::Put | HttpMethod::Delete | HttpMethod::Patch => false,
        };
        is_enabled && self.scope.is_public() && !download
    }
}

/// An output of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// The name of the output, which is its member in the body; [`Output::WHOLE`] if the output is the whole body.
    pub name: String,
    /// The part of a response that contains the output.
    pub place: OutputPlace,
    /// The description of the output for documents.
    pub info: String,
    /// The type of the output's values.
    pub r#type: ParameterType,
    /// `true` if the output may be missing or null.
    pub optional: bool,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The position of the name in the definition.
    pub span: Span,
}

impl Output {
    /// The name of an output that is the whole response body.
    pub const WHOLE: &str = "*";

    /// The name of the output with which the handler of a method with several statuses chooses one of them.
    pub const STATUS: &str = "status";

    /// Returns `true` if the output is the whole response body.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.name == Self::WHOLE
    }
}

/// An error that handlers of a method can return, or with which an authenticator rejects requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredError {
    /// The name of the error. Handlers return the error by this name, and clients recognize it by this name.
    pub name: String,
    /// The HTTP status of responses with this error.
    pub status: ErrorStatus,
    /// The message for clients, which describes the cause of the error.
    pub info: String,
    /// The number of the error in the envelope `aicra`, from 1; `None` if the definition contains no number. Then the
    /// handler can set one with `ApiError::with_number`.
    pub number: Option<u32>,
    /// The position of the name in the definition.
    pub span: Span,
}

impl DeclaredError {
    /// Creates an error that no definition file contains.
    #[doc(hidden)]
    #[must_use]
    pub fn new(name: String, status: ErrorStatus, info: String, number: Option<u32>) -> Self {
        Self { name, status, info, number, span: Span::default() }
    }
}

/// A parameter of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The part of a request that contains the parameter.
    pub from: Location,
    /// The name of the parameter in that part of the request: the name of the capture, of the query or body field, of
    /// the header field or of the cookie. Empty for positional parameters, and for the whole body.
    pub key: String,
    /// The name of the parameter in the code of handlers.
    pub name: String,
    /// The description of the parameter for documents.
    pub info: String,
    /// The type of the parameter's values.
    pub r#type: ParameterType,
    /// `true` if clients may omit the parameter.
    pub optional: bool,
    /// The value that is used if a client omits the parameter, in the notation of the definition. The type accepts it.
    pub default: Option<Json>,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The error message for clients that send an invalid value; `None` for the messages of the server.
    pub message: Option<String>,
    /// `true` if the parameter is the version that the request changes: the entity tag in `If-Match`, without its
    /// quotes.
    pub is_entity_tag: bool,
    /// The position of the parameter's key in the definition.
    pub span: Span,
    /// The position of the parameter's type in the definition.
    pub type_span: Span,
}

impl Parameter {
    /// Returns the name of the parameter in requests. A positional parameter has no name in requests, and neither has
    /// the whole body, so that the result is the name in code.
    #[must_use]
    pub fn request_name(&self) -> &str {
        if self.key.is_empty() { &self.name } else { &self.key }
    }

    /// Returns `true` if the parameter is the whole body of a request: a JSON value, or a file.
    #[must_use]
    pub fn is_whole_body(&self) -> bool {
        self.from == Location::WholeBody
    }

    /// Returns `true` if the whole body of a request is the parameter, which is a file.
    #[must_use]
    pub fn is_raw_body(&self) -> bool {
        self.is_whole_body() && self.r#type.check.arity() == Arity::File
    }
}

/// The part of a request that contains a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// The path: the parameter is a captured segment.
    Path,
    /// The path: the parameter is positional. It is the segment with this index, from 0, after the path of the service.
    Position(usize),
    /// The query.
    Query,
    /// The body: the parameter is a field of a form, or a member of a JSON object.
    Body,
    /// The body: the parameter is the whole JSON value, or the file that the body is.
    WholeBody,
    /// The query or the body. If both contain the parameter, the body takes precedence.
    Any,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

impl Location {
    /// Returns the part of the request as error responses and documents name it. They do not distinguish captured and
    /// positional segments, or the whole body and its fields.
    #[must_use]
    pub fn source(self) -> Source {
        match self {
            Self::Path | Self::Position(_) => Source::Path,
            Self::Query => Source::Query,
            Self::Body | Self::WholeBody => Source::Body,
            Self::Any => Source::Any,
            Self::Header => Source::Header,
            Self::Cookie => Source::Cookie,
        }
    }
}

impl Parameter {
    /// Returns the key that the parameter has in a definition in the dialect `tree`: `{id}`, `URL#0`, `GET@lang`,
    /// `title`.
    #[must_use]
    pub fn tree_key(&self) -> String {
        let key = &self.key;
        match self.from {
            Location::Path => format!("{{{key}}}"),
            Location::Position(n) => format!("URL#{n}"),
            Location::Query => format!("GET@{key}"),
            Location::Body => key.clone(),
            Location::WholeBody => WHOLE_BODY_KEY.to_owned(),
            Location::Any => format!("ANY@{key}"),
            Location::Header => format!("HEADER@{key}"),
            Location::Cookie => format!("COOKIE@{key}"),
        }
    }
}

/// The header field with the entity tag of the version that a request changes.
pub(crate) const IF_MATCH: &str = "If-Match";

/// The prefixes of parameter keys, except the prefixes of positional parameters, with the part of the request that
/// contains the parameter.
pub const LOCATION_PREFIXES: [(&str, Location); 4] =
    [("GET@", Location::Query), ("HEADER@", Location::Header), ("COOKIE@", Location::Cookie), ("ANY@", Location::Any)];

/// The key of the parameter that is the whole body of a request.
pub const WHOLE_BODY_KEY: &str = "*";
/// The name in code of the whole body if the definition sets no name.
const WHOLE_BODY_NAME: &str = "body";

/// Returns the name in code of a parameter for which the definition sets no name. It is the parameter's key, without
/// the braces of a capture and without the prefix for the part of the request: `page` for `GET@page`. For the whole
/// body, it is `body`.
#[must_use]
pub fn default_parameter_name(key: &str) -> &str {
    if key == WHOLE_BODY_KEY {
        return WHOLE_BODY_NAME;
    }
    let capture = || key.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let prefixed = || LOCATION_PREFIXES.iter().find_map(|(prefix, _)| key.strip_prefix(prefix));
    capture().or_else(prefixed).unwrap_or(key)
}

/// A compiled type and its canonical notation: the notation that documents and the canonical form of a definition use.
/// Two types are equal if their canonical notations are equal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ParameterType {
    /// The canonical notation of the type.
    pub written: TypeExpr,
    /// The check that validates values.
    pub check: Arc<dyn Check>,
}

impl ParameterType {
    /// Creates the type from its check.
    #[must_use]
    pub fn new(check: Arc<dyn Check>) -> Self {
        Self { written: check.type_expr(), check }
    }
}

impl PartialEq for ParameterType {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// The part of a response that contains an output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputPlace {
    /// The body.
    Body,
    /// A header field.
    Header(ResponseField),
    /// The status line: the output is the HTTP status, which the handler chooses. The definition does not contain this
    /// output; methods with several statuses have it.
    Status,
}

/// The header field that an output becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseField {
    /// The name of the header field, as in the definition.
    pub name: String,
    /// The template of the value; `None` if the handler returns the value.
    pub template: Option<FieldTemplate>,
}

/// The header fields whose values are dates of HTTP.
const DATE_FIELDS: [&str; 4] = ["Last-Modified", "Expires", "Retry-After", "Sunset"];

impl ResponseField {
    /// Returns `true` if a point in time is sent as a date of HTTP (RFC 9110 section 5.6.7) in this header field.
    #[must_use]
    pub fn has_http_date(&self) -> bool {
        DATE_FIELDS.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    pub(crate) fn new(name: String, template: Option<FieldTemplate>) -> Self {
        Self { name, template }
    }
}

/// The template of a header field: text with names in braces, such as `/orders/{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTemplate(Vec<TemplatePart>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text that is sent as it is.
    Text(String),
    /// The name of a [value](Method::named_value), which is inserted.
    Name(String),
}

impl FieldTemplate {
    /// Parses a template. Returns `None` if a brace is not closed, or was not opened.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if name.is_empty() || name.contains('{') {
                return None;
            }
            parts.extend((!before.is_empty()).then(|| TemplatePart::Text(before.to_owned())));
            parts.push(TemplatePart::Name(name.to_owned()));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| TemplatePart::Text(rest.to_owned())));
        let is_text = |part: &TemplatePart| matches!(part, TemplatePart::Text(text) if text.contains('}'));
        (!parts.iter().any(is_text)).then_some(Self(parts))
    }

    /// Returns the parts of the template in their order.
    #[must_use]
    pub fn parts(&self) -> &[TemplatePart] {
        &self.0
    }

    /// Returns the names in the template.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Name(name) => Some(name.as_str()),
        })
    }
}

/// Writes the template as in the definition.
impl fmt::Display for FieldTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            TemplatePart::Text(text) => f.write_str(text),
            TemplatePart::Name(name) => write!(f, "{{{name}}}"),
        })
    }
}

/// Where a value of a call is that a template or the entity tag contains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource {
    /// The output with this name.
    Output(String),
    /// The field with this name of the output that is the whole body.
    Field(String),
    /// The parameter with this index.
    Parameter(usize),
}

/// A value of a call that a template or the entity tag contains.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NamedValue {
    /// Where the value is.
    pub source: ValueSource,
    /// The type of the value.
    pub check: Arc<dyn Check>,
    /// `true` if the value may be missing or null.
    pub is_optional: bool,
}

impl Method {
    /// Returns the value with this name: an output that the handler returns, a field of the output that is the whole
    /// body, or a parameter, in this order.
    #[must_use]
    pub fn named_value(&self, name: &str) -> Option<NamedValue> {
        let output = self
            .returned_outputs()
            .find(|output| output.name == name && !output.is_whole() && output.place != OutputPlace::Status);
        if let Some(output) = output {
            let (source, check) = (ValueSource::Output(name.to_owned()), Arc::clone(&output.r#type.check));
            return Some(NamedValue { source, check, is_optional: output.optional });
        }
        if let Some(whole) = self.whole()
            && let Some(field) = fields_of(&whole.r#type.check).into_iter().find(|field| field.name == name)
        {
            let is_optional = whole.optional || field.optional;
            return Some(NamedValue { source: ValueSource::Field(field.name), check: field.check, is_optional });
        }
        let index = self.parameters.iter().position(|parameter| parameter.name == name)?;
        let parameter = &self.parameters[index];
        let is_optional = parameter.optional && parameter.default.is_none();
        let check = Arc::clone(&parameter.r#type.check);
        Some(NamedValue { source: ValueSource::Parameter(index), check, is_optional })
    }

    /// Returns the names for which [`Method::named_value`] returns a value.
    pub(crate) fn names_of_values(&self) -> Vec<String> {
        let outputs = self.returned_outputs().filter(|output| output.place != OutputPlace::Status);
        let outputs = outputs.filter(|output| !output.is_whole()).map(|output| output.name.clone());
        let fields = self.whole().into_iter().flat_map(|whole| fields_of(&whole.r#type.check)).map(|field| field.name);
        outputs.chain(fields).chain(self.parameters.iter().map(|parameter| parameter.name.clone())).collect()
    }

    /// Returns the outputs that the body of a response contains.
    pub fn body_outputs(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().filter(|output| output.place == OutputPlace::Body)
    }

    /// Returns the outputs that are header fields of a response.
    pub fn header_outputs(&self) -> impl Iterator<Item = (&Output, &ResponseField)> {
        self.outputs.iter().filter_map(|output| match &output.place {
            OutputPlace::Header(field) => Some((output, field)),
            OutputPlace::Body | OutputPlace::Status => None,
        })
    }

    /// Returns the outputs that the handler returns: all outputs except the header fields with a template.
    pub fn returned_outputs(&self) -> impl Iterator<Item = &Output> {
        let has_template =
            |output: &Output| matches!(&output.place, OutputPlace::Header(field) if field.template.is_some());
        self.outputs.iter().filter(move |output| !has_template(output))
    }

    /// Returns the output that is the value that the handler returns. It is `None` if the handler returns an object
    /// with the outputs as members. In such an object, [`Output::WHOLE`] is the name of the whole body.
    #[must_use]
    pub fn returned_whole(&self) -> Option<&Output> {
        let mut returned = self.returned_outputs();
        returned.next().filter(|output| output.is_whole() && returned.next().is_none())
    }

    /// Returns the HTTP statuses of success responses, beginning with the default.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.options.status).chain(self.options.other_statuses.iter().copied())
    }

    /// Returns `true` if the handler can return the error `version-mismatch` without a declaration, because a parameter
    /// is the version that the request changes.
    #[must_use]
    pub fn reads_version(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.is_entity_tag)
    }
}

fn fields_of(check: &Arc<dyn Check>) -> Vec<ObjectField> {
    match check.structure() {
        Structure::Object(shape) => shape.fields.to_vec(),
        Structure::Nullable(inner) => fields_of(&inner),
        Structure::Schema(schema) => fields_of(&schema.check),
        _ => Vec::new(),
    }
}

/// Returns `true` if a header field can contain the values of a type: single values and, if `allows_lists` is `true`,
/// lists of them.
pub(crate) fn is_field_value(check: &dyn Check, allows_lists: bool) -> bool {
    match check.structure() {
        Structure::Scalar => !matches!(check.arity(), Arity::File | Arity::Files),
        Structure::Array(item) => allows_lists && is_field_value(&*item, false),
        Structure::Nullable(inner) => is_field_value(&*inner, allows_lists),
        Structure::Schema(schema) => is_field_value(&*schema.check, allows_lists),
        Structure::Union(branches) => branches.iter().all(|branch| is_field_value(&**branch, allows_lists)),
        Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => false,
    }
}

/// Since when clients should no longer call a method, until when they can, and what they call instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Deprecation {
    /// Since when the method is deprecated; `None` if the definition has no date.
    pub since: Option<Timestamp>,
    /// The point in time from which on the method responds with the status 410; `None` if it has no end.
    pub sunset: Option<Timestamp>,
    /// The id of the method that replaces it, which is another method of the API.
    pub successor: Option<Spanned<String>>,
    /// The method that replaces it, if this version of the API does not have that method but another version does.
    pub other_successor: Option<MethodOfVersion>,
}

/// A method that only another version of the API has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodOfVersion {
    /// The name of the version.
    pub version: String,
    /// The id of the method.
    pub id: String,
    /// The HTTP method.
    pub http: HttpMethod,
    /// The path of its service.
    pub path: Vec<Segment>,
    /// `true` if everybody can call it.
    pub is_public: bool,
}

impl MethodOfVersion {
    /// Returns the path of its service in the notation of definitions.
    #[must_use]
    pub fn uri(&self) -> String {
        uri_of(&self.path)
    }
}

impl Deprecation {
    /// Returns the method that replaces the deprecated one, and its service.
    #[must_use]
    pub fn find_successor<'a>(&self, api: &'a Api) -> Option<(&'a Service, &'a Method)> {
        let id = &self.successor.as_ref()?.value;
        api.methods().find(|(_, _, method)| method.id == *id).map(|(_, service, method)| (service, method))
    }
}

/// Parses a point in time from 1970 on, in the notation of the type `datetime`. A date is its midnight in UTC.
#[must_use]
pub fn parse_date_or_time(text: &str) -> Option<Timestamp> {
    utc_seconds_of(text).filter(|seconds| *seconds >= 0).and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// Formats a point in time as the definition does: as a date if it is midnight in UTC, otherwise as in RFC 3339.
#[must_use]
pub fn date_or_time(moment: Timestamp) -> String {
    let utc = moment.to_zoned(TimeZone::UTC).datetime();
    if utc.time() == Time::midnight() { utc.date().to_string() } else { moment.to_string() }
}
