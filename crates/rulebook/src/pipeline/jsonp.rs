//! Writes JSONP responses. A JSONP response is a script that passes the result to a JavaScript function of the page
//! that has loaded the script.
//!
//! Any page can load such a script in the browser of any user. So the client of a JSONP request is anonymous: no
//! authenticator is called, and no cookie is read. The name of the JavaScript function ([`Callback`]) is the only text
//! that the client can place outside of JSON strings, and values are escaped so that they cannot end the script early.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderValue, Method, header};
use rulebook_model::envelope::{Envelope, JsonMemberWriter, MemberWriter, WriteError};
use rulebook_model::error::catalogue::Catalogue;

use super::representation::FormattedBody;
use super::respond::ErrorContext;
use super::urlencoded::query_values;
use crate::call::{ApiError, Callback, Encode, ErrorKind, Head, ParameterError, ParameterErrorKind, Source};
use crate::plan::Plan;

/// Returns the JavaScript function that the request names in the query field `callback`. Returns `None` if the query
/// has no such field or `enabled` is `false`. Fails if the query field `callback` occurs twice or is not a function
/// name, or if the request has a field `Authorization`.
pub(super) fn requested_callback(enabled: bool, head: &Head) -> Result<Option<Callback<'_>>, ApiError> {
    if !enabled {
        return Ok(None);
    }
    // The error does not quote the value of the field, because the value may be a script or a secret.
    let error = |kind, parameter, source, expected| {
        ApiError::parameters(vec![ParameterError::new(kind, parameter, source, Catalogue::ENGLISH.text(expected))])
    };
    let not_a_name = |kind| error(kind, Callback::PARAMETER, Source::Query, "callback");
    let mut values = query_values(head, Callback::PARAMETER);
    let callback = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(not_a_name(ParameterErrorKind::Repeated)),
        (Some(Some(name)), None) if name.is_empty() => return Ok(None),
        (Some(name), None) => name.and_then(Callback::new).ok_or_else(|| not_a_name(ParameterErrorKind::Invalid))?,
    };
    if head.get_all(&header::AUTHORIZATION).next().is_some() {
        return Err(error(ParameterErrorKind::Invalid, "Authorization", Source::Header, "no-credential-allowed"));
    }
    Ok(Some(callback))
}

/// Returns the JavaScript function for an error response. If the query field `callback` is invalid, returns `None`, and
/// the client gets the error in JSON instead of a script.
pub(super) fn callback_for_error<'h>(plan: &Plan, head: &'h Head, context: ErrorContext) -> Option<Callback<'h>> {
    let enabled = match context {
        ErrorContext::Method(index) => plan.methods[index].allows_jsonp,
        // Browsers load scripts with GET. With other HTTP methods, only clients of PhalApi expect a script, also if no
        // service has the name in the request.
        ErrorContext::UnknownName => plan.allows_jsonp,
        ErrorContext::Module(_) | ErrorContext::Nothing => {
            plan.allows_jsonp && matches!(head.method, Method::GET | Method::HEAD)
        }
        ErrorContext::ServerPath => false,
    };
    requested_callback(enabled, head).ok().flatten()
}

/// Returns the head of a request without its `Cookie` fields.
pub(super) fn head_without_cookies(head: &Arc<Head>) -> Cow<'_, Arc<Head>> {
    if head.get_all(&header::COOKIE).next().is_none() {
        return Cow::Borrowed(head);
    }
    let mut head = Head::clone(head);
    head.headers.retain(|(name, _)| *name != header::COOKIE);
    Cow::Owned(Arc::new(head))
}

/// Writes the outputs of a successful call as a JSONP script. Fails if the outputs cannot be written as JSON.
pub(super) fn write_success_script(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    outputs: &dyn Encode,
    whole: bool,
    status: u16,
) -> Result<FormattedBody, WriteError> {
    let mut members = JsonMemberWriter::new();
    envelope.success(outputs, whole, &mut members)?;
    if let Some(name) = envelope.status_member() {
        members.member(name, u32::from(status).into())?;
    }
    Ok(write_script(callback, &members.finish()))
}

/// Writes an error as a JSONP script. Fails if the envelope cannot write the error. Only an envelope that the program
/// has added can fail.
pub(super) fn write_error_script(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    mut error: ApiError,
) -> Result<FormattedBody, WriteError> {
    let mut members = JsonMemberWriter::new();
    let status_member = envelope.status_member();
    if let ErrorKind::Declared { data, .. } = error.kind_mut() {
        data.retain(|(name, _)| status_member != Some(name));
    }
    envelope.error(&error, &mut members)?;
    if let Some(name) = status_member {
        members.member(name, u32::from(error.status().get()).into())?;
    }
    Ok(write_script(callback, &members.finish()))
}

/// Writes a script that passes `json` to the JavaScript function. The HTTP status is always 200, because browsers do
/// not run scripts with an error status.
fn write_script(callback: &Callback<'_>, json: &[u8]) -> FormattedBody {
    // Some programs guess the media type of a file from its first bytes. The script begins with a comment, so that the
    // first bytes are never text of the client. The condition avoids an error in a page that no longer has the
    // function.
    let start = format!("/**/ typeof {callback} === 'function' && {callback}(");
    let body = format!("{start}{});", escape_json(json)).into_bytes();
    FormattedBody { status: 200, media_type: HeaderValue::from_static("text/javascript; charset=utf-8"), body }
}

/// Returns JSON in a form that is safe in a script and has the same value. `<` is escaped, because it could begin an
/// HTML tag or comment if the script is embedded in a page. U+2028 and U+2029 are escaped, because they ended a line of
/// JavaScript before ECMAScript 2019. In JSON, these characters occur only in strings.
fn escape_json(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
