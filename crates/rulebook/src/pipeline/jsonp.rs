//! JSONP: a response as a script that passes the result to a function of the page that loaded it.
//!
//! Any page can load the script in the browser of any user. So the client is anonymous: no authenticator is called, and
//! no cookie is read. The only text in the script that comes from the client is the [`Callback`], and no value in the
//! script can end the script early.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderValue, Method, header};
use rulebook_model::envelope::{Envelope, JsonMemberWriter, MemberWriter, WriteError};
use rulebook_model::error::texts::MessageId;

use super::english;
use super::representation::EncodedBody;
use super::respond::ErrorContext;
use super::urlencoded::query_values;
use crate::call::{ApiError, Callback, Encode, Head, ParameterError, ParameterErrorKind, Source};
use crate::plan::Plan;

/// Returns the JavaScript function that the request names in the parameter `callback`. Returns `None` if the request
/// does not ask for JSONP, or if `enabled` is `false`.
///
/// # Errors
/// Fails if the parameter `callback` occurs twice or is not a function name, or if the request has a credential.
pub(super) fn callback(enabled: bool, head: &Head) -> Result<Option<Callback<'_>>, ApiError> {
    if !enabled {
        return Ok(None);
    }
    // The value is not quoted in the error: it may be a script or a secret.
    let error = |kind, parameter, source, expected| {
        ApiError::parameters(vec![ParameterError::new(kind, parameter, source, english(expected))])
    };
    let not_a_name = |kind| error(kind, Callback::PARAMETER, Source::Query, MessageId::ExpectedCallback);
    let mut values = query_values(head, Callback::PARAMETER);
    let callback = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(not_a_name(ParameterErrorKind::Repeated)),
        (Some(Some(name)), None) if name.is_empty() => return Ok(None),
        (Some(name), None) => name.and_then(Callback::new).ok_or_else(|| not_a_name(ParameterErrorKind::Invalid))?,
    };
    if head.get_all(&header::AUTHORIZATION).next().is_some() {
        return Err(error(
            ParameterErrorKind::Invalid,
            "Authorization",
            Source::Header,
            MessageId::ExpectedNoCredential,
        ));
    }
    Ok(Some(callback))
}

/// Returns the JavaScript function for the response to a request that is refused for another reason. If the parameter
/// `callback` is invalid as well, returns `None`, and the client gets the first error in plain JSON.
pub(super) fn callback_for_error<'h>(plan: &Plan, head: &'h Head, context: ErrorContext) -> Option<Callback<'h>> {
    let enabled = match context {
        ErrorContext::Method(index) => plan.methods[index].jsonp,
        // Browsers load scripts with GET.
        ErrorContext::Module(_) | ErrorContext::Name | ErrorContext::Nothing => {
            plan.jsonp && matches!(head.method, Method::GET | Method::HEAD)
        }
        ErrorContext::Page => false,
    };
    callback(enabled, head).ok().flatten()
}

/// Returns the head of a request without cookies.
pub(super) fn without_cookies(head: &Arc<Head>) -> Cow<'_, Arc<Head>> {
    if head.get_all(&header::COOKIE).next().is_none() {
        return Cow::Borrowed(head);
    }
    let mut head = Head::clone(head);
    head.headers.retain(|(name, _)| *name != header::COOKIE);
    Cow::Owned(Arc::new(head))
}

/// Writes a success as a script.
///
/// # Errors
/// Fails if the outputs cannot be written.
pub(super) fn success(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    outputs: &dyn Encode,
    whole: bool,
    status: u16,
) -> Result<EncodedBody, WriteError> {
    let mut members = JsonMemberWriter::new();
    envelope.success(outputs, whole, &mut members)?;
    if let Some(name) = envelope.status_member() {
        members.member(name, u32::from(status).into())?;
    }
    Ok(write_script(callback, &members.finish()))
}

/// Writes an error as a script.
///
/// # Errors
/// Fails if an envelope of the program cannot write the error.
pub(super) fn error(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    error: ApiError,
) -> Result<EncodedBody, WriteError> {
    let mut members = JsonMemberWriter::new();
    let status = error.status().get();
    match envelope.status_member() {
        Some(name) => {
            envelope.error(&error.without_member(name), &mut members)?;
            members.member(name, u32::from(status).into())?;
        }
        None => envelope.error(&error, &mut members)?,
    }
    Ok(write_script(callback, &members.finish()))
}

/// Writes the script. The HTTP status is always 200, because browsers do not run scripts with an error status.
fn write_script(callback: &Callback<'_>, json: &[u8]) -> EncodedBody {
    // The comment at the start prevents programs that guess the media type from the first bytes from seeing text of the
    // client there. The condition avoids an error in a page that no longer has the function.
    let start = format!("/**/ typeof {callback} === 'function' && {callback}(");
    let mut body = Vec::with_capacity(start.len() + json.len() + json.len() / 16 + END.len());
    body.extend_from_slice(start.as_bytes());
    append_escaped(json, &mut body);
    body.extend_from_slice(END);
    EncodedBody { status: 200, media_type: HeaderValue::from_static("text/javascript; charset=utf-8"), body }
}

const END: &[u8] = b");";

/// Appends JSON so that it is the same value in a script. Escapes `<`, which could begin an HTML tag or comment if the
/// script is embedded in a page, and U+2028 and U+2029, which ended a line of JavaScript before ECMAScript 2019. In
/// JSON these characters can only be part of a string.
fn append_escaped(json: &[u8], to: &mut Vec<u8>) {
    let mut copied = 0;
    for at in memchr::memchr2_iter(b'<', LINE[0], json) {
        let (length, escaped) = match &json[at..] {
            [b'<', ..] => (1, "\\u003c"),
            rest if rest.starts_with(&LINE) => (LINE.len(), "\\u2028"),
            rest if rest.starts_with(&PARAGRAPH) => (PARAGRAPH.len(), "\\u2029"),
            _ => continue,
        };
        to.extend_from_slice(&json[copied..at]);
        to.extend_from_slice(escaped.as_bytes());
        copied = at + length;
    }
    to.extend_from_slice(&json[copied..]);
}

/// U+2028 in UTF-8.
const LINE: [u8; 3] = [0xE2, 0x80, 0xA8];
/// U+2029 in UTF-8.
const PARAGRAPH: [u8; 3] = [0xE2, 0x80, 0xA9];
