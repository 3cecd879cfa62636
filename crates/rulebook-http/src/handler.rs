//! A handler of the kind `http`, ready for calls: encodes the arguments of a call in the parts of a request, and
//! converts responses to outputs of the method or to its errors.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method as HttpMethod, StatusCode, Uri};
use rulebook::handler_kind::settings::text_members;
use rulebook::handler_kind::{
    ArgumentSlot, ArgumentSlots, BodyAccess, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, JsonNode,
    MethodReturns, ReturnedValue, describe_file,
};
use rulebook::multipart::{MultipartForm, MultipartPiece};
use rulebook::trace::{OpenSpan, SpanKind};
use rulebook::{ApiError, Context, Download, Upload};
use rulebook_model::call::Value;
use rulebook_model::model::Method;
use rulebook_model::span::Span;
use rulebook_model::types::Arity;
use serde::{Deserialize, Serializer};
use serde_json::Value as Json;
use tokio::time::Instant;

use super::address::{Origin, Template, push_query_field, value_text};
use super::exchange::{Outgoing, RequestContent, UpstreamError, UpstreamResponse, exchange};
use super::fields::FieldRules;
use super::kind::CallLimits;
use super::raw::{RawRules, SentRequest, to_raw_response};
use super::upstream::Upstream;

/// A handler that sends the checked arguments of calls to an upstream.
pub struct HttpHandler(pub Arc<HandlerPlan>);

pub struct HandlerPlan {
    pub upstream: Arc<Upstream>,
    pub template: Template,
    pub method: HttpMethod,
    pub placement: Placement,
    pub fields: FieldRules,
    pub limits: CallLimits,
    pub errors: ErrorRules,
    pub expected: MethodReturns,
    /// How requests are sent on as they are; `None` if the checked arguments are sent.
    pub raw: Option<RawRules>,
}

impl CompiledHandler for HttpHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        match self.0.outgoing(arguments, &context) {
            Ok(mut outgoing) => {
                let plan = Arc::clone(&self.0);
                let raw = context.head().filter(|_| plan.raw.is_some()).map(|head| SentRequest::new(head, &outgoing));
                Box::pin(async move {
                    let mut span = begin_span(&context, &plan.upstream.origin, &mut outgoing);
                    let result = plan.call(outgoing, raw.as_ref(), span.as_mut()).await;
                    if let Some(mut span) = span {
                        span.set_result(&result);
                    }
                    result
                })
            }
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn body_access(&self) -> BodyAccess {
        if self.0.raw.is_some() { BodyAccess::Parameters } else { BodyAccess::None }
    }
}

impl HandlerPlan {
    /// Fails if an argument cannot be a part of the path, or cannot be encoded.
    fn outgoing(&self, arguments: ArgumentSlots<'_, '_>, context: &Context) -> Result<Outgoing, ApiError> {
        if let Some(raw) = &self.raw {
            return raw.outgoing(self, arguments, context);
        }
        let mut target = self.template.expand(&arguments.values)?;
        append_query(&mut target, self.template.query.is_some(), &self.placement, &arguments)?;
        let target = Uri::try_from(target).map_err(ApiError::internal)?;
        let (content, media_type) = encode_body(&self.placement, &arguments)?;
        let accepted = if self.expected == MethodReturns::File { "*/*" } else { "application/json" };
        let mut fields = HeaderMap::with_capacity(8);
        fields.insert(header::HOST, self.upstream.host.clone());
        fields.insert(header::USER_AGENT, HeaderValue::from_static("rulebook"));
        fields.insert(header::ACCEPT, HeaderValue::from_static(accepted));
        fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.fields.write(&mut fields, context);
        if let Some(media_type) = media_type {
            fields.insert(header::CONTENT_TYPE, media_type);
        }
        Ok(Outgoing { method: self.method.clone(), target, fields, content })
    }

    /// `raw` is the request if it is sent on as it came. `span` is `None` without a trace.
    async fn call(
        &self,
        outgoing: Outgoing,
        raw: Option<&SentRequest>,
        span: Option<&mut OpenSpan>,
    ) -> Result<ReturnedValue, ApiError> {
        let deadline = Instant::now() + self.limits.timeout;
        let origin = &self.upstream.origin;
        let is_head = outgoing.method == HttpMethod::HEAD;
        let received = exchange(&self.upstream, &outgoing, &self.limits, deadline).await;
        // The files of the request are not needed any more.
        drop(outgoing);
        let received = received.map_err(|error| error.for_client(origin))?;
        if let Some(span) = span {
            span.set("http.response.status_code", received.head.status.as_u16());
        }
        if let Some(sent) = raw {
            let response = to_raw_response(received, sent, is_head, self);
            let response = response.map_err(ApiError::bad_gateway)?;
            return Ok(ReturnedValue::Response(Box::new(response)));
        }
        if !received.head.status.is_success() {
            return Err(self.errors.convert(received, &self.limits, deadline, origin).await);
        }
        let returned = self.read_success(received, deadline).await;
        returned.map_err(|error| error.for_client(origin))
    }

    async fn read_success(
        &self,
        received: UpstreamResponse,
        deadline: Instant,
    ) -> Result<ReturnedValue, UpstreamError> {
        if received.head.status == StatusCode::PARTIAL_CONTENT {
            return Err(UpstreamError::Response("the response is a part that was not requested".to_owned()));
        }
        let coding = received.head.headers.get(header::CONTENT_ENCODING);
        if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(UpstreamError::Response("the response has a content coding".to_owned()));
        }
        if self.expected == MethodReturns::File {
            // The body is received while it is sent to the client.
            let body = received.body.into_stream(self.upstream.origin.clone(), self.limits.timeout);
            let fields = received.head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let file = describe_file(Download::stream(body), fields);
            return Ok(ReturnedValue::Download(Box::new(file)));
        }
        let body = received.body.receive(self.limits.max_response, &self.limits, deadline).await?;
        read_outputs(self.expected, &body)
    }
}

/// Adds the trace to the header fields of the request. Without a trace, it does nothing.
fn begin_span(context: &Context, origin: &Origin, outgoing: &mut Outgoing) -> Option<OpenSpan> {
    if !context.is_traced() {
        return None;
    }
    let mut span = context.span(format!("{} upstream", outgoing.method), SpanKind::Client);
    if let Some(context) = span.context() {
        for (name, value) in context.header_fields() {
            outgoing.fields.remove(name);
            if let Some(value) = HeaderValue::try_from(value).ok().filter(|value| !value.is_empty()) {
                outgoing.fields.insert(name, value);
            }
        }
    }
    if span.is_recorded() {
        span.set("http.request.method", outgoing.method.to_string());
        match origin {
            Origin::Tcp { host, port, .. } => {
                span.set("server.address", host.clone());
                span.set("server.port", *port);
            }
            Origin::Unix(path) => span.set("server.address", path.display().to_string()),
        }
    }
    Some(span)
}

/// The part of a request that contains an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The path or the query of the address in the definition.
    Address,
    /// A field of the query.
    Query,
    /// A member or a field of the body.
    Body,
    WholeBody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    Nothing,
    /// A JSON object with the arguments.
    Object,
    /// The JSON value or the file of the argument that is the whole body.
    Whole,
    Multipart,
}

#[derive(Debug)]
pub struct Placement {
    /// The place of each argument, in the order of the parameters.
    pub places: Vec<Place>,
    pub body: BodyForm,
}

impl Placement {
    /// Returns the places of the arguments of a method that are sent with the HTTP method `http`. `span` is the span of
    /// the handler.
    /// Fails if the arguments need a body, and requests with the HTTP method have none.
    pub fn new(method: &Method, template: &Template, http: &HttpMethod, span: Span) -> Result<Self, HandlerError> {
        let has_body = [HttpMethod::POST, HttpMethod::PUT, HttpMethod::PATCH].contains(http);
        let is_file = |arity: Arity| matches!(arity, Arity::File | Arity::Files);
        let has_files = method.parameters.iter().any(|parameter| is_file(parameter.r#type.check.arity()));
        let has_whole = method.parameters.iter().any(rulebook::model::Parameter::is_whole_body);
        if (has_files || has_whole) && !has_body {
            let subject = if has_files { "files" } else { "the whole body" };
            let message = format!("the method has {subject} as an argument, but a {http} request has no body");
            return Err(HandlerError::new(message).at(span).help("set `method` to `POST`, `PUT` or `PATCH`"));
        }
        let in_address: Vec<_> = template.slots().collect();
        let places = method.parameters.iter().enumerate().map(|(slot, parameter)| match slot {
            _ if parameter.is_whole_body() => Place::WholeBody,
            slot if in_address.contains(&slot) => Place::Address,
            _ if has_body && !has_whole => Place::Body,
            _ => Place::Query,
        });
        let places: Vec<_> = places.collect();
        let body = match () {
            () if has_whole => BodyForm::Whole,
            () if has_files => BodyForm::Multipart,
            () if places.contains(&Place::Body) => BodyForm::Object,
            () => BodyForm::Nothing,
        };
        Ok(Self { places, body })
    }
}

/// `has_query` is `true` if the target has a query. Fails if an argument cannot be written as JSON.
fn append_query(
    target: &mut String,
    has_query: bool,
    placement: &Placement,
    arguments: &ArgumentSlots<'_, '_>,
) -> Result<(), ApiError> {
    let mut is_first = !has_query;
    for (name, value) in placed(placement, arguments, Place::Query) {
        for_each_text(value, |text| push_query_field(target, &mut is_first, name, text))?;
    }
    Ok(())
}

/// Returns the body and its media type. Fails if an argument cannot be written as JSON.
pub fn encode_body(
    placement: &Placement,
    arguments: &ArgumentSlots<'_, '_>,
) -> Result<(RequestContent, Option<HeaderValue>), ApiError> {
    let json =
        |bytes: Vec<u8>| (RequestContent::Bytes(bytes.into()), Some(HeaderValue::from_static("application/json")));
    Ok(match placement.body {
        BodyForm::Nothing => (RequestContent::Bytes(Bytes::new()), None),
        BodyForm::Object => {
            let mut bytes = Vec::with_capacity(128);
            let mut object = serde_json::Serializer::new(&mut bytes);
            object.collect_map(placed(placement, arguments, Place::Body)).map_err(ApiError::internal)?;
            json(bytes)
        }
        BodyForm::Whole => match placed(placement, arguments, Place::WholeBody).next() {
            // The media type was detected by the server.
            Some((_, Value::File(upload))) => {
                let media_type = HeaderValue::try_from(upload.media_type()).map_err(ApiError::internal)?;
                (RequestContent::Files(vec![MultipartPiece::File(upload.clone())]), Some(media_type))
            }
            Some((_, value)) => json(serde_json::to_vec(value).map_err(ApiError::internal)?),
            None => (RequestContent::Bytes(Bytes::new()), None),
        },
        BodyForm::Multipart => {
            let form = encode_form(placed(placement, arguments, Place::Body))?;
            let media_type = HeaderValue::try_from(form.media_type()).map_err(ApiError::internal)?;
            (RequestContent::Files(form.finish()), Some(media_type))
        }
    })
}

/// Returns the arguments with a place that the client has not omitted. Null is an argument.
fn placed<'a>(
    placement: &'a Placement,
    arguments: &'a ArgumentSlots<'_, '_>,
    place: Place,
) -> impl Iterator<Item = (&'a str, &'a Value<'a>)> {
    let slots = arguments.names.iter().zip(&arguments.values).zip(&placement.places);
    slots.filter(move |(_, found)| **found == place).filter_map(|((name, slot), _)| match slot {
        ArgumentSlot::Absent => None,
        ArgumentSlot::Null => Some((&**name, &Value::Null)),
        ArgumentSlot::Value(value) => Some((&**name, value)),
    })
}

/// Returns a form with these arguments: files as files, and all other values as texts.
fn encode_form<'a>(
    arguments: impl Iterator<Item = (&'a str, &'a Value<'a>)>,
) -> Result<MultipartForm<Upload>, ApiError> {
    let mut form = MultipartForm::new();
    for (name, value) in arguments {
        let items = match value {
            Value::List(items) if items.iter().any(|item| matches!(item, Value::File(_))) => &items[..],
            value => std::slice::from_ref(value),
        };
        for item in items {
            match item {
                // The media type was detected by the server.
                Value::File(upload) => {
                    form.file(name, upload.filename(), Some(upload.media_type()), upload.clone());
                }
                value => for_each_text(value, |text| form.field(name, text))?,
            }
        }
    }
    Ok(form)
}

/// Calls a function with the texts that represent a value in a query or a form: none for null, several for a list of
/// single values, and JSON for all other lists and for objects.
fn for_each_text(value: &Value<'_>, mut use_text: impl FnMut(&str)) -> Result<(), ApiError> {
    match value {
        Value::Null => {}
        Value::List(items) if items.iter().all(|item| value_text(item).is_some()) => {
            items.iter().filter_map(value_text).for_each(|text| use_text(&text));
        }
        value => match value_text(value) {
            Some(text) => use_text(&text),
            None => use_text(&serde_json::to_string(value).map_err(ApiError::internal)?),
        },
    }
    Ok(())
}

/// Returns the outputs in the body of a response, from which the engine removes members that are not outputs. An empty
/// body has no outputs.
/// Fails if the body is not JSON, or not an object although the method has named outputs.
fn read_outputs(expected: MethodReturns, body: &[u8]) -> Result<ReturnedValue, UpstreamError> {
    if expected == MethodReturns::Nothing || body.is_empty() {
        return Ok(ReturnedValue::Outputs(Box::new(Json::Null)));
    }
    let outputs: Json = serde_json::from_slice(body)
        // The message of the parser contains no part of the body.
        .map_err(|error| UpstreamError::Response(format!("the body of the response is not JSON: {error}")))?;
    if expected == MethodReturns::Outputs && !outputs.is_object() {
        return Err(UpstreamError::Response("the body of the response is not a JSON object".to_owned()));
    }
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}

/// The maximum size in bytes of an error response in which the name of an error is looked up.
const MAX_ERROR_BODY: usize = 64 << 10;
const STATUSES: std::ops::RangeInclusive<u16> = 300..=599;

/// The errors that responses of an upstream are converted to.
#[derive(Debug)]
pub struct ErrorRules {
    declared: Vec<String>,
    /// The names of the errors for statuses, from the setting `errors`.
    by_status: Vec<(u16, String)>,
}

/// The body of an error response.
#[derive(Deserialize)]
struct NamedError {
    error: String,
}

impl ErrorRules {
    pub fn read(handled: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Self {
        let declared: Vec<_> = handled.method.errors.iter().map(|error| error.name.clone()).collect();
        let node = handled.optional_setting("errors");
        let by_status = node.map(|node| read_statuses(node, &declared, errors)).unwrap_or_default();
        Self { declared, by_status }
    }

    /// Returns the error for a response that is not a success. An error that the body names takes precedence.
    pub async fn convert(
        &self,
        received: UpstreamResponse,
        limits: &CallLimits,
        deadline: Instant,
        origin: &Origin,
    ) -> ApiError {
        let status = received.head.status;
        // The body is also received if it is not needed, so that its connection can be used again. If it is not
        // complete, the status still identifies the error.
        let body = received.body.receive(MAX_ERROR_BODY, limits, deadline).await.ok();
        let body = body.filter(|_| status >= StatusCode::BAD_REQUEST && !self.declared.is_empty());
        let named = body.and_then(|body| serde_json::from_slice::<NamedError>(&body).ok());
        let named = named.map(|named| named.error).filter(|name| self.declared.contains(name));
        let by_status = || self.by_status.iter().find(|(known, _)| *known == status).map(|(_, name)| name.clone());
        match named.or_else(by_status) {
            Some(name) => ApiError::declared(name),
            None => {
                let status = status.as_u16();
                ApiError::bad_gateway(format_args!("the upstream {origin}: it responded with the status {status}"))
            }
        }
    }
}

fn read_statuses(node: &JsonNode, declared: &[String], errors: &mut Vec<HandlerError>) -> Vec<(u16, String)> {
    let members = text_members(node, "errors").map_err(|found| errors.extend(found)).unwrap_or_default();
    let mut by_status = Vec::new();
    for (key, name) in members {
        let status = key.value.parse().ok().filter(|status| STATUSES.contains(status));
        if status.is_none() {
            let error = HandlerError::new(format!("`{}` is not the status of an error", key.value.escape_debug()));
            let help = format!("write a status from {} to {}", STATUSES.start(), STATUSES.end());
            errors.push(error.at(key.span).help(help));
        }
        if !declared.contains(&name.value) {
            let error = HandlerError::new(format!("the method declares no error `{}`", name.value.escape_debug()));
            let known: Vec<_> = declared.iter().map(String::as_str).collect();
            errors.push(error.at(name.span).suggest(&name.value, "declared errors", &known));
        }
        by_status.extend(status.map(|status| (status, name.value)));
    }
    by_status
}
