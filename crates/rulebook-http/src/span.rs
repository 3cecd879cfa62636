//! The span of a request to an upstream, in the trace of the request that is handled.

use hyper::header::HeaderValue;
use rulebook::Context;
use rulebook::trace::{OpenSpan, SpanKind};

use super::address::Origin;
use super::exchange::Outgoing;

/// Begins the span of a request to an upstream, and adds the trace to the header fields of this request. Without a
/// trace, it does nothing.
pub fn begin_span(context: &Context, origin: &Origin, outgoing: &mut Outgoing) -> Option<OpenSpan> {
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
