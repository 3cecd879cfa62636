//! A handler of the kind `http`, ready for calls.

use std::future::ready;
use std::sync::Arc;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode, Uri};
use rulebook::handler_kind::{
    ArgumentSlots, BodyAccess, CompiledHandler, HandlerFuture, MethodReturns, ReturnedValue, describe_file,
};
use rulebook::trace::{OpenSpan, SpanKind};
use rulebook::{ApiError, Context, Download};
use tokio::time::Instant;

use super::address::Origin;
use super::arguments::{Placement, append_query, encode_body};
use super::error::UpstreamError;
use super::error_rules::ErrorRules;
use super::exchange::{Outgoing, UpstreamResponse, exchange};
use super::field_rules::FieldRules;
use super::outputs::read_outputs;
use super::public_location::SentRequest;
use super::raw::{RawRules, to_raw_response};
use super::settings::CallLimits;
use super::template::Template;
use super::upstream::Upstream;

/// A handler that sends the checked arguments of calls to an upstream.
pub struct HttpHandler(pub Arc<HandlerPlan>);

/// The settings of a handler.
pub struct HandlerPlan {
    /// The server that handles the calls.
    pub upstream: Arc<Upstream>,
    /// The path and the query of requests.
    pub template: Template,
    /// The HTTP method of requests.
    pub method: Method,
    /// The part of requests that contains each argument.
    pub placement: Placement,
    /// The header fields of requests.
    pub fields: FieldRules,
    /// The limits of a call.
    pub limits: CallLimits,
    /// The errors of the upstream.
    pub errors: ErrorRules,
    /// What the method returns.
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
    /// Returns the request for a call.
    /// Fails if an argument cannot be a part of the path, or cannot be encoded.
    fn outgoing(&self, arguments: ArgumentSlots<'_, '_>, context: &Context) -> Result<Outgoing, ApiError> {
        if let Some(raw) = &self.raw {
            return raw.outgoing(&self.template, &self.method, &self.upstream.host, &self.fields, arguments, context);
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

    /// Sends the request, and returns the outputs or the file in the response. `raw` is the request if it is sent on as
    /// it came. `span` is the span of the request; `None` without a trace.
    async fn call(
        &self,
        outgoing: Outgoing,
        raw: Option<&SentRequest>,
        span: Option<&mut OpenSpan>,
    ) -> Result<ReturnedValue, ApiError> {
        let deadline = Instant::now() + self.limits.timeout;
        let origin = &self.upstream.origin;
        let is_head = outgoing.method == Method::HEAD;
        let received = exchange(&self.upstream, &outgoing, &self.limits, deadline).await;
        // The files of the request are not needed any more.
        drop(outgoing);
        let received = received.map_err(|error| error.for_client(origin))?;
        if let Some(span) = span {
            span.set("http.response.status_code", received.head.status.as_u16());
        }
        if let Some(sent) = raw {
            let response = to_raw_response(received, sent, is_head, origin, &self.limits);
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

/// Begins the span of a request to an upstream, and adds the trace to the header fields of this request. Without a
/// trace, it does nothing.
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
