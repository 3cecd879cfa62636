//! Stage `respond`: converts the outcome of a call to a reply. The reply has the envelope of the API module (the JSON
//! structure around outputs and errors) and a format that the client accepts.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use rulebook_model::envelope::{self, Envelope, has_content};

use super::panic::catch_panic;
use super::reply::{CallReply, FileReply, Reply, ReplyBody, ReplyCode};
use super::representation::{FormattedBody, Representation};
use super::response_fields::{not_modified_tag, unmet_condition};
use super::{jsonp, route};
use crate::call::{ApiError, ErrorKind, Head, Outcome, RawResponse, ReturnedValue, Success};
use crate::plan::{Plan, PlannedMethod};
use crate::rate_limit::CountedRequest;

/// Creates the reply for the outcome of a call. `index` is the index of the called API method in the plan, and
/// `counted` are the states of the limits for which the request was counted. If the method returned a file, the
/// server opens the file later.
pub fn respond(plan: &Plan, head: &Head, index: usize, outcome: Outcome, counted: &CountedRequest) -> CallReply {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module_index].envelope;
    let callback = jsonp::requested_callback(method.allows_jsonp, head).ok().flatten();
    let representation = Representation::negotiate(plan, head, callback.as_ref());
    let respond_with_error = |representation, error| {
        CallReply::Reply(error_reply(plan, envelope, head, Some(method), representation, error))
    };
    let Success { returned, status, has_whole_output, mut headers } = match outcome {
        Ok(success) => success,
        Err(error) => {
            return respond_with_error(representation, error.with_headers(counted.headers(&method.rate_limits)));
        }
    };
    if !counted.is_empty() {
        headers.extend(counted.headers(&method.rate_limits));
    }
    if let (Some(fields), ReturnedValue::Outputs(_)) = (&method.response_fields, &returned) {
        // The page that loads a script cannot read its header fields.
        if callback.is_some() {
            headers.retain(|(name, _)| {
                let is_version = fields.version.is_some() && *name == header::ETAG;
                !is_version && fields.fields.iter().all(|field| field.name != *name)
            });
        } else if let Some(error) = unmet_condition(fields, head, &headers) {
            return respond_with_error(representation, error);
        } else if let Some(tag) = not_modified_tag(fields, head, &headers) {
            return CallReply::Reply(not_modified(plan, tag, headers));
        }
    }
    match returned {
        // A JSONP script has a body even if the status allows no content, because the script has to call the function
        // of the page.
        ReturnedValue::Outputs(_)
            if !has_content(envelope::response_status(envelope, status)) && callback.is_none() =>
        {
            CallReply::Reply(Reply::without_body(envelope::response_status(envelope, status), headers))
        }
        ReturnedValue::Outputs(outputs) => {
            match representation.write_success(envelope, &*outputs, has_whole_output, status) {
                Ok(encoded) => CallReply::Reply(Reply::new(plan, encoded, headers, None)),
                Err((representation, error)) => respond_with_error(representation, error),
            }
        }
        ReturnedValue::Download(mut download) => match download.error.take() {
            Some(error) => respond_with_error(representation, error.into()),
            None if !has_content(status) => CallReply::Reply(Reply::without_body(status, headers)),
            None => CallReply::File(FileReply { method_index: index, download, status, headers }),
        },
        ReturnedValue::Response(response) => CallReply::Reply(raw_reply(*response, headers)),
    }
}

/// Creates the reply to a client that has the current version of the resource.
fn not_modified(plan: &Plan, tag: HeaderValue, mut headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
    headers.retain(|(name, _)| *name != header::ETAG);
    headers.push((header::ETAG, tag));
    // The response with the body depends on these fields, so that caches keep one for each of their values.
    let varies_by = [(header::ACCEPT, !plan.formats.is_empty()), (header::ACCEPT_ENCODING, plan.compresses_responses)];
    headers.extend(varies_by.into_iter().filter(|(_, varies)| *varies).map(|(name, _)| (header::VARY, name.into())));
    Reply::without_body(304, headers)
}

/// Creates the reply for a response without an envelope. `headers` are the fields that hooks have set; they replace
/// those of the response.
#[inline(never)]
fn raw_reply(response: RawResponse, headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
    let RawResponse { status, media_type, headers: mut fields, body, length, outputs: _ } = response;
    fields.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
    fields.extend(headers);
    if !has_content(status) || status == 304 {
        return Reply::without_body(status, fields);
    }
    let body = ReplyBody::Stream { pieces: body, length };
    Reply { content_type: media_type, body, ..Reply::without_body(status, fields) }
}

/// Creates a reply whose only output is a link to a file. The link replaces the file that the API method with this
/// index returned.
pub fn respond_with_link(
    plan: &Plan,
    head: &Head,
    index: usize,
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    link: &str,
) -> Reply {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module_index].envelope;
    let outputs = serde_json::json!({ "link": link });
    match Representation::negotiate(plan, head, None).write_success(envelope, &outputs, false, status) {
        Ok(encoded) => Reply::new(plan, encoded, headers, None),
        Err((representation, error)) => error_reply(plan, envelope, head, Some(method), representation, error),
    }
}

/// The part of the API that routing had found when an error occurred. This part determines the envelope of the error
/// response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorContext {
    /// Routing had found no part of the API: the request path does not exist.
    Nothing,
    /// The request path is reserved for the server itself, such as `/openapi.json`.
    ServerPath,
    /// The query or the body names a service that does not exist.
    UnknownName,
    /// Routing had found a service of the API module with this index.
    Module(usize),
    /// Routing had found the API method with this index.
    Method(usize),
}

impl ErrorContext {
    /// Returns the envelope that an error response has in this context.
    pub(super) fn envelope(self, plan: &Plan) -> &Arc<dyn Envelope> {
        match (self, &plan.named_services) {
            (Self::UnknownName, Some(named)) => &named.envelope,
            (Self::Nothing | Self::ServerPath | Self::UnknownName, _) => &plan.envelope,
            (Self::Module(module), _) => &plan.modules[module].envelope,
            (Self::Method(method), _) => &plan.modules[plan.methods[method].module_index].envelope,
        }
    }
}

/// Creates the reply for an error. The reply has the envelope of the API module to which the request was routed, or
/// the envelope of the whole API if routing failed. The reply to an unknown path suggests services with similar
/// paths, unless the definition hides from each caller the methods that the caller may not call.
pub fn respond_with_error(plan: &Plan, head: &Head, context: ErrorContext, mut error: ApiError) -> Reply {
    // Suggestions are added only when the error is final. During routing, a path that is unknown to the API may still
    // be the path of a static file or a page.
    if let ErrorKind::UnknownService { similar } = error.kind_mut()
        && similar.is_empty()
        && !plan.documents.is_limited_to_caller
    {
        *similar = route::similar_service_uris(plan, head);
    }
    respond_with_error_without_suggestions(plan, head, context, error)
}

/// Creates the reply for an error as [`respond_with_error`] does, but without suggestions of services with similar
/// paths.
pub(super) fn respond_with_error_without_suggestions(
    plan: &Plan,
    head: &Head,
    context: ErrorContext,
    error: ApiError,
) -> Reply {
    let method = match context {
        ErrorContext::Method(index) => Some(&plan.methods[index]),
        ErrorContext::Nothing | ErrorContext::ServerPath | ErrorContext::UnknownName | ErrorContext::Module(_) => None,
    };
    let envelope = context.envelope(plan);
    let callback = jsonp::callback_for_error(plan, head, context);
    let representation = Representation::negotiate(plan, head, callback.as_ref());
    error_reply(plan, &**envelope, head, method, representation, error)
}

#[cold]
fn error_reply(
    plan: &Plan,
    envelope: &dyn Envelope,
    head: &Head,
    method: Option<&PlannedMethod>,
    representation: Representation<'_>,
    error: ApiError,
) -> Reply {
    let error = log_error(head, method, error);
    // Envelopes and formats may be code of the program. If a format fails, the error is written in JSON; if the
    // envelope fails in JSON, too, the error is written as a problem document (RFC 9457).
    let write = |representation: Representation<'_>| {
        let encoded =
            catch_panic("an envelope", || representation.write_error(envelope, &error)).and_then(|encoded| encoded);
        encoded.map_err(|why| log_error(head, method, why)).ok()
    };
    let in_json = matches!(representation, Representation::Format(_)).then_some(Representation::Json);
    let encoded = write(representation).or_else(|| write(in_json?));
    let encoded = encoded.unwrap_or_else(|| FormattedBody::write_problem(representation, &error));
    let declared_error = match (error.kind(), method) {
        (ErrorKind::Declared { name, .. }, Some(method)) => {
            method.declared_errors.iter().position(|declared| *declared.name == **name)
        }
        _ => None,
    };
    let code = ReplyCode { code: error.code(), declared_error };
    Reply::new(plan, encoded, error.headers().to_vec(), Some(code))
}

/// Logs those details of an error that the response must not contain. To an internal error, adds the id of the
/// request, so that the response contains the id under which the error is in the log.
fn log_error(head: &Head, method: Option<&PlannedMethod>, mut error: ApiError) -> ApiError {
    let id = method.map_or("-", |method| &method.id);
    let why = error.log();
    if let ErrorKind::Internal { .. } = error.kind() {
        let why = why.unwrap_or("no reason given");
        log::error!(id, request_id:% = head.id; "{id}: {}: {why}", head.id);
    } else if let Some(why) = why {
        log::warn!(id, request_id:% = head.id; "{id}: {}: {}: {why}", head.id, error.code());
    }
    if let ErrorKind::Internal { request_id } = error.kind_mut() {
        *request_id = head.id.to_string();
    }
    error
}
