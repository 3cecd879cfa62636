//! Seventh stage: writes the outcome of a call as a reply, in the envelope of the module and the format that the client
//! accepts.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rulebook_model::envelope::{self, Envelope, has_content};

use super::panic::catch_panic;
use super::reply::{FileReply, Reply, Responded};
use super::representation::{EncodedBody, Representation};
use super::{jsonp, route};
use crate::call::{ApiError, ErrorKind, Head, Outcome, Quota, Returned, Success};
use crate::plan::{Plan, PlannedMethod};

/// Writes the outcome of a call of the method with this index. `quota` is the remaining quota of the client. If the
/// method returned a file, the server opens it later.
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
        // A JSONP script has a body even for a status without content, because it has to call the function of the page.
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

/// Writes a link as the output, instead of the file that the method with this index returned.
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

/// The part of the API that routing had found when a request was refused. It determines the envelope of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorContext {
    /// No part: the path does not exist.
    Nothing,
    /// A path at which the server itself responds, such as that of a document.
    Page,
    /// The query or the body names a service that does not exist.
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

/// Writes an error in the envelope of the module that the request was routed to, or else in the envelope of the API. An
/// error for an unknown path suggests services with similar paths, unless documents are limited to the methods that the
/// caller may call.
#[must_use]
pub fn refuse(plan: &Plan, head: &Head, context: ErrorContext, error: ApiError) -> Reply {
    // Suggestions are added only here, because the path of an earlier error may still turn out to be that of a static
    // file or a page.
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
    // Envelopes and formats may be code of the program. If one fails, the error is written in JSON, or else as a
    // problem document.
    let write = |representation: Representation<'_>| {
        let encoded = catch_panic("an envelope", || representation.error(envelope, &error)).and_then(|encoded| encoded);
        encoded.map_err(|why| log_error(head, method, why)).ok()
    };
    let in_json = matches!(representation, Representation::Format(_)).then_some(Representation::Json);
    let encoded = write(representation).or_else(|| write(in_json?));
    let encoded = encoded.unwrap_or_else(|| EncodedBody::problem(representation, &error));
    Reply::new(plan, encoded, error.headers().to_vec(), Some(error.code()))
}

/// Logs the details of an error that the response must not contain. An internal error is logged with the id of the
/// request, and the response contains that id.
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
