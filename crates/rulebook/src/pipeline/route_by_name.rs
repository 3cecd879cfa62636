//! Selects an API method by names in the query or the body instead of the path: the field `service` of PhalApi, or the
//! fields `module` and `method` of api 3.0. The first bytes of a body are parsed before the method is known.

use std::borrow::Cow;
use std::future::ready;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::limits;

use super::body::{BodyKind, announced_body_kind, check_is_not_json, multipart_parser};
use super::read::{decode_text, split_fields};
use super::respond::ErrorContext;
use super::route::{self, RoutingError, allow_methods_in_body, method_by_path, select_method};
use crate::call::{
    ApiError, ErrorKind, Head, JsonLimits, MalformedRequest, MemberCollector, ParameterError, ParameterErrorKind,
    ServiceNameError, Source, Value, collect_members, shorten_text, split_array_name,
};
use crate::plan::{
    self, BodyUse, MatchedMethod, NameMatch, Plan, PlannedMethod, SegmentError, Segments, ServiceNaming,
    ServicesByModule,
};

/// A request whose body names the API method, or contains its positional parameters.
#[derive(Debug)]
pub struct NeedsBody {
    /// It determines how the server parses the body.
    pub kind: BodyKind,
    /// `None` if the body selects the method; otherwise only positional parameters are in the body.
    pub method: Option<usize>,
    /// For a request whose body does not name a service.
    pub module: Option<usize>,
}

impl NeedsBody {
    /// Returns the context for an error that occurs before the body of the request has been read.
    pub fn error_context(&self) -> ErrorContext {
        match (self.method, self.module) {
            (Some(method), _) => ErrorContext::Method(method),
            (None, Some(module)) => ErrorContext::Module(module),
            (None, None) => ErrorContext::Nothing,
        }
    }

    /// The API method, if the permission can be checked before the body is read: it contains no value of a positional
    /// parameter.
    pub fn method_to_authorize(&self, plan: &Plan) -> Option<MatchedMethod> {
        let method = self.method?;
        let PlannedMethod { scope, path_slots, parameter_names, .. } = &plan.methods[method];
        let depends_on_body = path_slots.iter().any(|(_, slot)| scope.has_variable(&parameter_names[*slot]));
        (!depends_on_body).then(|| MatchedMethod { method_index: method, segments: Segments::none(), by_name: None })
    }
}

/// At most the limit `dispatch`.
#[derive(Debug, Clone)]
pub struct BodyPrefix {
    pub bytes: Bytes,
    pub is_whole: bool,
}

/// The method that the body names, or that at the request path. Fails with the limit `dispatch` if a name may follow.
pub fn route_by_body(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    prefix: &BodyPrefix,
) -> Result<MatchedMethod, RoutingError> {
    let route = |fields: &[Field<'_>], is_whole| route_by_fields(plan, head, pending, fields, is_whole);
    let is_form = pending.kind == BodyKind::Form;
    let read = if is_form { check_is_not_json(head, &prefix.bytes) } else { Ok(()) };
    match read.and_then(|()| read_fields(plan, &pending.kind, prefix)) {
        Ok(fields) => route(&fields, prefix.is_whole),
        // The method is known, so the parse error is ignored here: the caller's permission is checked first, and after
        // that the whole body is parsed again, which reports the parse error.
        Err(_) if pending.method.is_some() => route(&[], prefix.is_whole),
        Err(error) => {
            // JSON that is not an object names no method, but can be the value of a parameter.
            let is_not_an_object = matches!(error.kind(), ErrorKind::MalformedRequest(MalformedRequest::JsonKind));
            let matched = if is_not_an_object { route(&[], true).ok() } else { None };
            matched
                .filter(|matched| matches!(plan.methods[matched.method_index].body_use, BodyUse::Whole(_)))
                .ok_or_else(|| RoutingError { context: pending.error_context(), error })
        }
    }
}

/// `is_whole` is `true` if the body has no further fields.
fn route_by_fields(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    fields: &[Field<'_>],
    is_whole: bool,
) -> Result<MatchedMethod, RoutingError> {
    // If the body continues after the prefix, the method is uncertain, because a later field may select another method.
    let require_whole = |context| {
        let error = || ApiError::too_large(limits::SEARCHED_BODY_SIZE.with_value(plan.limits.dispatch), None);
        if is_whole { Ok(()) } else { Err(RoutingError { context, error: error() }) }
    };
    let with_positions = |named: NamedMethod| {
        let (matched, complete) = named.with_named_positions(plan, head, fields);
        if !complete {
            require_whole(ErrorContext::Method(named.method))?;
        }
        Ok(matched)
    };
    if let Some(method) = pending.method {
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    let path = route::path_of_request(plan, head).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = route::find_service(plan, &head.uri, path)?;
    let named = plan.named_services.as_ref().filter(|_| segments.is_empty());
    if let Some(named) = named
        && head.method == http::Method::POST
        && let Some(given) = service_name(fields.iter().cloned())
    {
        let service = find_by_service_name(named, &given)?;
        let method = select_method(plan, head, service, 0)?;
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    if let Some(modules) = &plan.services_by_module
        && let Some(service) = find_by_module_and_method(modules, fields)?
    {
        let method = select_method(plan, head, service, segments.len())?;
        let named = NamedMethod { method, naming: ServiceNaming::Module };
        return if segments.is_empty() {
            with_positions(named)
        } else {
            Ok(named.with_path_positions(plan, head, &segments))
        };
    }
    if segments.is_empty() {
        require_whole(pending.error_context())?;
    }
    if let Some(service) = named.and_then(|named| named.default_service) {
        let method = select_method(plan, head, service, 0).map_err(|unrouted| allow_methods_in_body(plan, unrouted))?;
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    method_by_path(plan, head, segments, service)
}

/// In the style of api 3.0, the body of a request with any HTTP method can name the API method; in that of PhalApi,
/// only the body of a POST request, because PHP reads the fields of other bodies only on demand.
pub(super) fn body_kind_with_names(plan: &Plan, head: &Head) -> Option<BodyKind> {
    let may_name = plan.services_by_module.is_some() || head.method == http::Method::POST;
    if may_name { body_kind_with_fields(plan, head) } else { None }
}

/// Returns `None` if the request has no body with named fields.
pub(super) fn body_kind_with_fields(plan: &Plan, head: &Head) -> Option<BodyKind> {
    match announced_body_kind(head, plan.max_multipart_limits) {
        BodyKind::Nothing | BodyKind::Unsupported { .. } => None,
        kind => Some(kind),
    }
}

/// The value of the field `service`, or of the field `s` without it. The last value of a repeated field counts, as in
/// PHP.
pub(super) fn service_name<'a>(fields: impl Iterator<Item = Field<'a>>) -> Option<FieldContent<'a>> {
    let [long, short] = ServiceNaming::Service.fields();
    let (mut by_long, mut by_short) = (None, None);
    for Field { name, value } in fields {
        if name == long {
            by_long = Some(value);
        } else if name == short {
            by_short = Some(value);
        }
    }
    by_long.or(by_short)
}

/// Fails if the API has no service with this name.
pub(super) fn find_by_service_name(
    named: &plan::NamedServices,
    given: &FieldContent<'_>,
) -> Result<usize, RoutingError> {
    let (name, error) = match given {
        FieldContent::Text(name) => match named.by_class.find(name) {
            Ok(service) => return Ok(service),
            Err(error) => (named.by_class.complete(&shorten_text(name)).into_owned(), error),
        },
        FieldContent::Invalid(SegmentError::SeveralValues) => ("[]".to_owned(), ServiceNameError::Illegal),
        FieldContent::Invalid(SegmentError::InvalidUtf8) => ("\u{fffd}".to_owned(), ServiceNameError::Illegal),
    };
    let error = ApiError::new(ErrorKind::InvalidServiceName { name, error });
    Err(RoutingError { context: ErrorContext::UnknownName, error })
}

/// The service that the query names, if it is another one than that at the path, whose index is `at_path`. As in
/// PhalApi, the name in the query has priority, unless its field is a parameter of the service at the path. An unknown
/// name in `service` is an error, but not in `s`, because fields with this name often have another meaning.
pub(super) fn service_instead(plan: &Plan, head: &Head, at_path: usize) -> Result<Option<usize>, RoutingError> {
    let fields = &plan.services[at_path].name_fields;
    let Some(named) = plan.named_services.as_ref().filter(|_| !fields.is_empty() && head.uri.query().is_some()) else {
        return Ok(None);
    };
    for field in fields.iter().copied() {
        let Some(given) = query_fields(head, &[field]).last() else { continue };
        return match find_by_service_name(named, &given.value) {
            Ok(service) => Ok(Some(service).filter(|service| *service != at_path)),
            Err(_) if field != ServiceNaming::Service.fields()[0] => Ok(None),
            Err(error) => Err(error),
        };
    }
    Ok(None)
}

/// `None` if the body lacks one of the two fields.
fn find_by_module_and_method(modules: &ServicesByModule, fields: &[Field<'_>]) -> Result<Option<usize>, RoutingError> {
    let given = ServiceNaming::Module.fields().map(|name| single_field_value(fields.iter().cloned(), name, true));
    let [Some(module), Some(method)] = given else { return Ok(None) };
    let (module, method) = match (module, method) {
        (FieldContent::Text(module), FieldContent::Text(method)) => (module, method),
        (module, method) => {
            let given = ServiceNaming::Module.fields().into_iter().zip([module, method]);
            let errors = given.filter_map(|(name, value)| match value {
                FieldContent::Text(_) => None,
                FieldContent::Invalid(why) => Some(name_field_error(name, why)),
            });
            return Err(ApiError::parameters(errors.collect()).into());
        }
    };
    modules.find(&module, &method).map(Some).ok_or_else(|| {
        let name = format!("{}/{}", shorten_text(&module), shorten_text(&method));
        ApiError::new(ErrorKind::InvalidServiceName { name, error: ServiceNameError::Unknown }).into()
    })
}

/// The value of the field is not a single text.
fn name_field_error(name: &str, why: SegmentError) -> ParameterError {
    let got = match why {
        SegmentError::SeveralValues => "several-values",
        SegmentError::InvalidUtf8 => "not-utf-8",
    };
    let error = ParameterError::new(ParameterErrorKind::Invalid, name, Source::Body, "a name");
    error.with_got(Some(Catalogue::ENGLISH.text(got).to_owned()))
}

pub(super) struct NamedMethod {
    pub(super) method: usize,
    /// The request fields whose values have selected the method.
    pub(super) naming: ServiceNaming,
}

impl NamedMethod {
    /// The values of the positional parameters are the fields with their names in code; the query has priority over
    /// `body`. The flag is `true` if the request contains every positional parameter.
    pub(super) fn with_named_positions(&self, plan: &Plan, head: &Head, body: &[Field<'_>]) -> (MatchedMethod, bool) {
        let method = &plan.methods[self.method];
        let uses_last_value = plan.modules[method.module_index].uses_last_value;
        let mut segments = Vec::new();
        let mut unfit = Vec::new();
        let mut complete = true;
        for (segment, slot) in &method.path_slots {
            let name = &*method.parameter_names[*slot];
            let in_query = single_field_value(query_fields(head, &[name]), name, uses_last_value);
            let in_body = || Some(single_field_value(body.iter().cloned(), name, uses_last_value)?.into_owned());
            match in_query.or_else(in_body) {
                Some(FieldContent::Text(text)) => {
                    if segments.len() <= *segment {
                        segments.resize(segment + 1, String::new());
                    }
                    segments[*segment] = text.into_owned();
                }
                Some(FieldContent::Invalid(why)) => unfit.push((*slot, why)),
                None => complete = false,
            }
        }
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: unfit }));
        (MatchedMethod { method_index: self.method, segments: segments.into(), by_name }, complete)
    }

    /// The values of the positional parameters are the segments of the request path.
    fn with_path_positions(&self, plan: &Plan, head: &Head, positions: &Segments) -> MatchedMethod {
        let first = plan.methods[self.method].path_slots.iter().map(|(segment, _)| *segment).min().unwrap_or_default();
        let mut segments = vec![String::new(); first];
        segments.extend(positions.iter(head.uri.path()).map(str::to_owned));
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: Vec::new() }));
        MatchedMethod { method_index: self.method, segments: segments.into(), by_name }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// For `x[]` and `x[y]`, which PHP parses as arrays, it is `x`.
    pub(super) name: Cow<'a, str>,
    pub(super) value: FieldContent<'a>,
}

#[derive(Debug, Clone)]
pub(super) enum FieldContent<'a> {
    Text(Cow<'a, str>),
    /// Not a single text, for this reason.
    Invalid(SegmentError),
}

impl FieldContent<'_> {
    /// The copy no longer borrows from the request.
    pub(super) fn into_owned(self) -> FieldContent<'static> {
        match self {
            Self::Text(text) => FieldContent::Text(Cow::Owned(text.into_owned())),
            Self::Invalid(why) => FieldContent::Invalid(why),
        }
    }
}

/// The last value of a repeated field if `uses_last_value`; otherwise it is invalid.
fn single_field_value<'a>(
    fields: impl Iterator<Item = Field<'a>>,
    name: &str,
    uses_last_value: bool,
) -> Option<FieldContent<'a>> {
    let mut values = fields.filter(|field| field.name == name).map(|field| field.value);
    let first = values.next()?;
    match values.last() {
        None => Some(first),
        Some(last) if uses_last_value => Some(last),
        Some(_) => Some(FieldContent::Invalid(SegmentError::SeveralValues)),
    }
}

pub(super) fn query_fields<'h>(head: &'h Head, names: &[&str]) -> impl Iterator<Item = Field<'h>> {
    urlencoded_fields(head.query().as_bytes(), move |name| names.contains(&name))
}

/// Other fields are skipped without decoding their values, and so are those whose names are not UTF-8.
fn urlencoded_fields(text: &[u8], has_name: impl Fn(&str) -> bool) -> impl Iterator<Item = Field<'_>> {
    split_fields(text).filter_map(move |(name, value)| {
        let name = decode_text(name)?;
        let text = || decode_text(value).map_or(FieldContent::Invalid(SegmentError::InvalidUtf8), FieldContent::Text);
        match split_array_name(&name) {
            Some((parameter, _)) => has_name(parameter).then(|| array_field(parameter)),
            None => has_name(&name).then(|| Field { name, value: text() }),
        }
    })
}

/// Returns the field for a name such as `x[]`, which is invalid, because PHP parses it as an array. `parameter` is the
/// part before the brackets.
fn array_field(parameter: &str) -> Field<'static> {
    Field { name: parameter.to_owned().into(), value: FieldContent::Invalid(SegmentError::SeveralValues) }
}

/// Reads the fields in the first bytes of a body. A last field that may continue is omitted. Fails if a limit is
/// exceeded, or if the whole body is malformed.
pub(super) fn read_fields<'b>(
    plan: &Plan,
    kind: &BodyKind,
    prefix: &'b BodyPrefix,
) -> Result<Vec<Field<'b>>, ApiError> {
    let BodyPrefix { bytes, is_whole: whole } = prefix;
    let fields = match kind {
        BodyKind::Nothing | BodyKind::Other | BodyKind::File { .. } | BodyKind::Unsupported { .. } => Vec::new(),
        BodyKind::Form => {
            let end = if *whole { Some(bytes.len()) } else { bytes.iter().rposition(|byte| *byte == b'&') };
            // One field more than the limit allows is parsed, because that field proves that the limit is exceeded.
            let max = usize::try_from(plan.limits.fields).unwrap_or(usize::MAX).saturating_add(1);
            urlencoded_fields(&bytes[..end.unwrap_or_default()], |_| true).take(max).collect()
        }
        BodyKind::Json => json_fields(plan, bytes, *whole)?,
        BodyKind::Multipart { boundary, .. } => match boundary {
            Some(boundary) => part_fields(plan, bytes, boundary),
            None => Vec::new(),
        },
    };
    if fields.len() as u64 > plan.limits.fields {
        return Err(ApiError::too_large(limits::FIELD_COUNT.with_value(plan.limits.fields), None));
    }
    Ok(fields)
}

/// `whole` is `true` if no bytes follow.
fn json_fields<'b>(plan: &Plan, bytes: &'b [u8], whole: bool) -> Result<Vec<Field<'b>>, ApiError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The prefix may end in the middle of a character; the bytes before that character are used.
        Err(error) if !whole => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        Err(error) => return Err(ApiError::malformed(MalformedRequest::JsonEncoding { byte: error.valid_up_to() })),
    };
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let limits = JsonLimits::new(plan.limits.nesting, plan.limits.items);
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut collector = FieldCollector::default();
    let read = collect_members(&mut reader, &limits, plan.limits.fields, &mut collector).and_then(|()| {
        collector.fields.extend(collector.last.take());
        reader.end()
    });
    match (read, limits.take_exceeded()) {
        (_, Some(limit)) => Err(ApiError::too_large(limit, None)),
        (Err(error), None) if error.is_data() => Err(ApiError::malformed(MalformedRequest::JsonKind)),
        (Err(error), None) if whole => Err(ApiError::malformed(MalformedRequest::from_json_error(&error))),
        (_, None) => Ok(collector.fields),
    }
}

#[derive(Default)]
struct FieldCollector<'a> {
    fields: Vec<Field<'a>>,
    /// A number at the end of the prefix may be cut off, so that a member is added only when something follows it.
    last: Option<Field<'a>>,
}

impl<'a> MemberCollector<'a> for FieldCollector<'a> {
    type Key = Cow<'a, str>;

    fn select(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.fields.extend(self.last.take());
        Some(name)
    }

    fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let value = match value {
            // A member whose value is null counts as absent.
            Value::Null => return,
            Value::Text(text) => FieldContent::Text(text),
            Value::Bool(bool) => FieldContent::Text(bool.to_string().into()),
            Value::Int(int) => FieldContent::Text(int.to_string().into()),
            Value::Uint(uint) => FieldContent::Text(uint.to_string().into()),
            Value::Float(float) => FieldContent::Text(float.to_string().into()),
            Value::List(_) | Value::Map(_) | Value::File(_) => FieldContent::Invalid(SegmentError::SeveralValues),
        };
        self.last = Some(Field { name, value });
    }
}

/// Returns the fields except files. Syntax errors are ignored: a later stage parses the whole body and reports them.
fn part_fields(plan: &Plan, bytes: &Bytes, boundary: &str) -> Vec<Field<'static>> {
    let mut parser = multipart_parser(boundary, stream::once(ready(Ok(bytes.clone()))));
    let mut fields = Vec::new();
    // The stream has all its bytes in memory, so that every future is ready immediately.
    for _ in 0..plan.limits.parts {
        let Some(Some(Ok(mut part))) = parser.next().now_or_never() else { break };
        let Some(Ok(Ok(content))) = part.bytes(usize::MAX).now_or_never() else { break };
        let is_file = part.content_disposition().is_some_and(|given| given.get_filename().is_some());
        let Some(name) = part.name().map(str::to_owned).filter(|_| !is_file) else { continue };
        let text = String::from_utf8(content.into()).ok();
        let value =
            text.map_or(FieldContent::Invalid(SegmentError::InvalidUtf8), |text| FieldContent::Text(text.into()));
        let field = split_array_name(&name).map(|(parameter, _)| array_field(parameter));
        fields.push(field.unwrap_or_else(|| Field { name: name.into(), value }));
    }
    fields
}
