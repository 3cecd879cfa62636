//! Stage `respond`: converts the outcome of a call to a reply. The reply has the envelope of the API module (the JSON
//! structure around outputs and errors) and a format that the client accepts. Those outputs that are header
//! fields or the status are taken out of the body, and the entity tag of the version is added.

use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use jiff::Timestamp;
use rulebook_model::envelope::{self, Envelope, has_content};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{Output, TemplatePart, ValueSource};
use rulebook_model::uri::percent_encode;
use serde_json::Value as Json;

use super::act::catch_panic;
use super::reply::{CallReply, FileReply, Reply, ReplyBody, ReplyCode};
use super::representation::{self, FormattedBody, Representation};
use super::route;
use crate::call::{
    ApiError, ArgumentSlot, ETag, ETagList, ErrorKind, Head, Outcome, RawResponse, ReturnedValue, Success,
    check_response_header,
};
use crate::plan::{Plan, PlannedField, PlannedMethod, ResponseFields};
use crate::rate_limit::CountedRequest;

/// `counted` are the states of the limits for which the request was counted. The server opens the file of a method
/// later.
pub fn respond(plan: &Plan, head: &Head, index: usize, outcome: Outcome, counted: &CountedRequest) -> CallReply {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module_index].envelope;
    let callback = representation::requested_callback(method.allows_jsonp, head).ok().flatten();
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
    headers.extend(counted.headers(&method.rate_limits));
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

/// The client has the current version of the resource.
fn not_modified(plan: &Plan, tag: HeaderValue, mut headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
    headers.retain(|(name, _)| *name != header::ETAG);
    headers.push((header::ETAG, tag));
    // The response with the body depends on these fields, so that caches keep one for each of their values.
    let varies_by = [(header::ACCEPT, !plan.formats.is_empty()), (header::ACCEPT_ENCODING, plan.compresses_responses)];
    headers.extend(varies_by.into_iter().filter(|(_, varies)| *varies).map(|(name, _)| (header::VARY, name.into())));
    Reply::without_body(304, headers)
}

/// The reply has no envelope. `headers` are those of hooks, which replace those of the response.
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

/// The link replaces the file that the method returned.
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

/// What routing had found when an error occurred. It determines the envelope of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorContext {
    Nothing,
    /// A path of the server itself, such as `/openapi.json`.
    ServerPath,
    UnknownName,
    Module(usize),
    /// The index of an API method.
    Method(usize),
}

impl ErrorContext {
    pub(super) fn envelope(self, plan: &Plan) -> &Arc<dyn Envelope> {
        match (self, &plan.named_services) {
            (Self::UnknownName, Some(named)) => &named.envelope,
            (Self::Nothing | Self::ServerPath | Self::UnknownName, _) => &plan.envelope,
            (Self::Module(module), _) => &plan.modules[module].envelope,
            (Self::Method(method), _) => &plan.modules[plan.methods[method].module_index].envelope,
        }
    }
}

/// The envelope is that of the module, or of the whole API if routing failed. For an unknown path, suggests similar
/// ones, unless the definition hides methods that a caller may not call.
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

/// Like [`respond_with_error`], but without similar paths.
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
    let callback = representation::callback_for_error(plan, head, context);
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

/// Logs the details that the response must not contain. An internal error gets the id under which it is in the log.
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

pub(super) fn template_arguments(fields: &ResponseFields, arguments: &[ArgumentSlot<'_>]) -> Vec<(usize, Json)> {
    let json = |slot: &usize| match arguments.get(*slot) {
        Some(ArgumentSlot::Value(value)) => (*slot, value.to_json()),
        Some(ArgumentSlot::Absent | ArgumentSlot::Null) | None => (*slot, Json::Null),
    };
    fields.parameters.iter().map(json).collect()
}

/// Outputs that are header fields or the status are taken out of the body. `status` is the one that the handler has
/// set.
#[inline(never)]
pub(super) fn with_response_fields(
    method: &PlannedMethod,
    fields: &ResponseFields,
    arguments: &[(usize, Json)],
    status: Option<u16>,
    mut success: Success,
) -> Outcome {
    let internal = |reason: String| ApiError::internal(format_args!("{}: {reason}", method.id));
    let mut json = match &success.returned {
        ReturnedValue::Outputs(outputs) => outputs.to_json().map_err(ApiError::internal)?,
        ReturnedValue::Download(_) => Json::Null,
        ReturnedValue::Response(_) => return Ok(success),
    };
    let returned = Returned { json: &json, is_whole_body: method.has_whole_output, arguments };
    for field in &fields.fields {
        let values = returned.field_values(field).map_err(internal)?;
        if values.is_empty() && !field.is_optional {
            return Err(internal(format!(
                "the output `{}`, which is the field {}, is missing",
                field.output, field.name
            )));
        }
        if field.name != header::SET_COOKIE {
            success.headers.retain(|(name, _)| *name != field.name);
        }
        success.headers.extend(values.into_iter().map(|value| (field.name.clone(), value)));
    }
    if let Some(version) = &fields.version
        && let Some(text) = field_text(returned.value(version)).map_err(internal)?
    {
        success.headers.retain(|(name, _)| *name != header::ETAG);
        success.headers.push((header::ETAG, ETag::of_version(&text).header_value()));
    }
    if !fields.statuses.is_empty() {
        let chosen = json.get(Output::STATUS).and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
        success.status = status.or(chosen).unwrap_or(method.success_status);
        if !fields.statuses.contains(&success.status) {
            return Err(internal(format!("the status {} is not one of those in the definition", success.status)));
        }
    }
    if let ReturnedValue::Outputs(outputs) = &mut success.returned
        && !method.has_whole_output
    {
        take_body(&mut json, fields);
        *outputs = Box::new(json);
    }
    success.has_whole_output = fields.has_whole_body;
    Ok(success)
}

fn take_body(json: &mut Json, fields: &ResponseFields) {
    let Json::Object(members) = json else { return };
    if fields.has_whole_body {
        *json = members.get_mut(Output::WHOLE).map(Json::take).unwrap_or_default();
        return;
    }
    members.retain(|name, _| {
        let is_status = !fields.statuses.is_empty() && name == Output::STATUS;
        !is_status && fields.fields.iter().all(|field| *field.output != **name)
    });
}

/// The values of a call for header fields.
struct Returned<'a> {
    json: &'a Json,
    is_whole_body: bool,
    /// Those in templates, each with its slot.
    arguments: &'a [(usize, Json)],
}

impl Returned<'_> {
    fn value(&self, source: &ValueSource) -> &Json {
        const NULL: &Json = &Json::Null;
        let found = match source {
            ValueSource::Output(name) => self.json.get(name),
            ValueSource::Field(name) if self.is_whole_body => self.json.get(name),
            ValueSource::Field(name) => self.json.get(Output::WHOLE).and_then(|whole| whole.get(name)),
            ValueSource::Parameter(slot) => {
                self.arguments.iter().find(|(other, _)| other == slot).map(|(_, argument)| argument)
            }
            _ => None,
        };
        found.unwrap_or(NULL)
    }

    /// Returns several values if the output is a list, and none if it is missing, or if a value in its template is.
    fn field_values(&self, field: &PlannedField) -> Result<Vec<HeaderValue>, String> {
        let of_text = |text: String| {
            check_response_header(field.name.as_str(), text).map(|(_, value)| value).map_err(|error| error.to_string())
        };
        let Some((template, sources)) = &field.template else {
            let value = self.json.get(&*field.output).unwrap_or(&Json::Null);
            let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            let texts = items.iter().filter_map(|item| field_text(item).transpose());
            return texts.map(|text| of_text(if field.has_http_date { http_date(text?) } else { text? })).collect();
        };
        let (mut text, mut sources) = (String::new(), sources.iter());
        for part in template.parts() {
            match part {
                TemplatePart::Text(part) => text.push_str(part),
                TemplatePart::Name(_) => {
                    let value = sources.next().map(|source| field_text(self.value(source))).transpose()?.flatten();
                    let Some(value) = value else { return Ok(Vec::new()) };
                    text.extend(percent_encode(&value));
                }
            }
        }
        Ok(vec![of_text(text)?])
    }
}

/// `None` for null.
fn field_text(value: &Json) -> Result<Option<String>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) => Ok(Some(value.to_string())),
        Json::Array(_) | Json::Object(_) => Err("a header field cannot contain an array or an object".to_owned()),
    }
}

/// Other texts stay as they are.
fn http_date(text: String) -> String {
    // A date of HTTP has a year of four digits; the library formats none before 1970.
    let moment = text.parse::<Timestamp>().ok().filter(|moment| (0..253_402_300_800).contains(&moment.as_second()));
    moment.map_or(text, |moment| httpdate::fmt_http_date(moment.into()))
}

/// The request names the tag in `If-None-Match`. `None` if the client does not have the version in `headers`.
fn not_modified_tag(
    fields: &ResponseFields,
    head: &Head,
    headers: &[(HeaderName, HeaderValue)],
) -> Option<HeaderValue> {
    fields.version.as_ref().filter(|_| fields.is_get)?;
    let (_, current) = headers.iter().find(|(name, _)| *name == header::ETAG)?;
    let list = ETagList::from_head(head, &header::IF_NONE_MATCH)?;
    if list.has_star {
        return Some(current.clone());
    }
    let version = ETag::parse(current.to_str().ok()?)?.version();
    let tag = list.tags.iter().find(|tag| tag.version() == version)?;
    // A cache updates the stored response with the same tag (RFC 9111 section 4.3.4).
    Some(tag.as_strong().header_value())
}

/// `If-Match` of a GET request does not list the version in `headers` (RFC 9110 section 13.1.1).
fn unmet_condition(fields: &ResponseFields, head: &Head, headers: &[(HeaderName, HeaderValue)]) -> Option<ApiError> {
    fields.version.as_ref().filter(|_| fields.is_get)?;
    let list = ETagList::from_head(head, &header::IF_MATCH)?;
    let current = headers.iter().find(|(name, _)| *name == header::ETAG);
    let version = current.and_then(|(_, tag)| Some(ETag::parse(tag.to_str().ok()?)?.version()));
    let is_listed = |version| list.has_match(|tag| tag.version() == version);
    (!version.is_some_and(is_listed)).then(|| ApiError::plain(ErrorCode::VersionMismatch))
}

/// Returns the error of the catalogue that a handler may name without a declaration.
pub(super) fn undeclared_error(method: &PlannedMethod, name: &str) -> Option<ApiError> {
    let reads_version = method.parameters.iter().any(|parameter| parameter.is_entity_tag);
    let is_mismatch = reads_version && name == ErrorCode::VersionMismatch.row().name;
    is_mismatch.then(|| ApiError::plain(ErrorCode::VersionMismatch))
}
