//! Seventh stage: writes the outcome of a call, or an error, as a reply in its envelope and representation.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rulebook_model::envelope::{self, Envelope, has_content};

use super::panic::catch_panic;
use super::reply::{FileReply, Reply, Responded};
use super::representation::{EncodedBody, Representation};
use super::{jsonp, route};
use crate::call::{ApiError, ErrorKind, Head, Outcome, Quota, Returned, Success};
use crate::plan::{Plan, PlannedMethod};

/// Writes the outcome of a call to the method with this index. `quota` is what is left of the client's rate limit. A
/// file is returned as it is, to be opened by the server.
pub fn respond(plan: &Plan, head: &Head, index: usize, quota: Option<Quota>, outcome: Outcome) -> Responded {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module].envelope;
    let callback = jsonp::callback(method.jsonp, head).ok().flatten();
    let representation = Representation::negotiate(plan, head, callback.as_ref());
    let refuse = |representation, error| {
        Responded::Reply(write_error(plan, envelope, head, Some(method), representation, error))
    };
    let outcome = match quota {
        Some(quota) => quota.add_headers(outcome),
        None => outcome,
    };
    let Success { returned, status, whole, headers } = match outcome {
        Ok(success) => success,
        Err(error) => return refuse(representation, error),
    };
    match returned {
        // In JSONP the function is called even if there is nothing to pass.
        Returned::Outputs(_) if !has_content(envelope::status(envelope, status)) && callback.is_none() => {
            Responded::Reply(Reply::empty(envelope::status(envelope, status), headers))
        }
        Returned::Outputs(outputs) => match representation.success(envelope, &*outputs, whole, status) {
            Ok(encoded) => Responded::Reply(Reply::new(plan, encoded, headers, None)),
            Err((representation, error)) => refuse(representation, error),
        },
        Returned::Download(mut download) => match download.error.take() {
            Some(error) => refuse(representation, error.into()),
            None if !has_content(status) => Responded::Reply(Reply::empty(status, headers)),
            None => Responded::File(FileReply { method: index, download, status, headers }),
        },
    }
}

/// Writes the link to a file in place of the file that the method with this index returned.
#[must_use]
pub fn respond_with_link(
    plan: &Plan,
    head: &Head,
    index: usize,
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    link: &str,
) -> Reply {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module].envelope;
    let outputs = serde_json::json!({ "link": link });
    match Representation::negotiate(plan, head, None).success(envelope, &outputs, false, status) {
        Ok(encoded) => Reply::new(plan, encoded, headers, None),
        Err((representation, error)) => write_error(plan, envelope, head, Some(method), representation, error),
    }
}

/// The part of the API that a request had been routed to when it was refused. It decides the envelope of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorContext {
    /// Nothing that exists.
    Nothing,
    /// A path of the server's own.
    Page,
    /// A name in the query or the body that no service has.
    Name,
    /// A service of the module with this index.
    Module(usize),
    /// The method with this index.
    Method(usize),
}

impl ErrorContext {
    /// Returns the envelope in which an error is written.
    pub(super) fn envelope(self, plan: &Plan) -> &Arc<dyn Envelope> {
        match (self, &plan.named) {
            (Self::Name, Some(named)) => &named.envelope,
            (Self::Nothing | Self::Page | Self::Name, _) => &plan.envelope,
            (Self::Module(module), _) => &plan.modules[module].envelope,
            (Self::Method(method), _) => &plan.modules[plan.methods[method].module].envelope,
        }
    }
}

/// Writes an error in the envelope of the module that the request is for, or of the API if no module is known. An error
/// for an unknown path suggests services with a similar path, unless clients only see the methods that they may call.
#[must_use]
pub fn refuse(plan: &Plan, head: &Head, context: ErrorContext, error: ApiError) -> Reply {
    // Not earlier: a path that no service has may still be a static file or a page.
    let unknown = matches!(error.kind(), ErrorKind::UnknownService { similar } if similar.is_empty());
    let suggests = unknown && !plan.documents.per_caller;
    let error = if suggests { error.with_similar_services(route::similar(plan, head)) } else { error };
    refuse_without_suggestion(plan, head, context, error)
}

/// Writes an error as [`refuse`] does, without searching for services with a similar path.
pub(super) fn refuse_without_suggestion(plan: &Plan, head: &Head, context: ErrorContext, error: ApiError) -> Reply {
    let method = match context {
        ErrorContext::Method(index) => Some(&plan.methods[index]),
        ErrorContext::Nothing | ErrorContext::Page | ErrorContext::Name | ErrorContext::Module(_) => None,
    };
    let envelope = context.envelope(plan);
    let callback = jsonp::callback_for_error(plan, head, context);
    let representation = Representation::negotiate(plan, head, callback.as_ref());
    write_error(plan, &**envelope, head, method, representation, error)
}

fn write_error(
    plan: &Plan,
    envelope: &dyn Envelope,
    head: &Head,
    method: Option<&PlannedMethod>,
    representation: Representation<'_>,
    error: ApiError,
) -> Reply {
    let error = log_error(head, method, error);
    // Envelopes and formats may be the program's own: if one fails, the error is written without it.
    let write = |representation: Representation<'_>| {
        let encoded = catch_panic("an envelope", || representation.error(envelope, &error)).and_then(|encoded| encoded);
        encoded.map_err(|why| log_error(head, method, why)).ok()
    };
    let in_json = matches!(representation, Representation::Format(_)).then_some(Representation::Json);
    let encoded = write(representation).or_else(|| write(in_json?));
    let encoded = encoded.unwrap_or_else(|| EncodedBody::problem(representation, &error));
    Reply::new(plan, encoded, error.headers().to_vec(), Some(error.code()))
}

/// Logs what the client must not know. An internal error is logged under the request's id, which the client is told.
fn log_error(head: &Head, method: Option<&PlannedMethod>, error: ApiError) -> ApiError {
    let id = method.map_or("-", |method| &method.id);
    match (error.kind(), error.log()) {
        (ErrorKind::Internal { .. }, why) => {
            let request_id = head.id.to_string();
            log::error!(id, request_id; "{id}: {request_id}: {}", why.unwrap_or("no reason given"));
            error.with_request_id(&request_id)
        }
        (_, Some(why)) => {
            log::warn!(id, request_id:% = head.id; "{id}: {}: {}: {why}", head.id, error.code());
            error
        }
        _ => error,
    }
}
