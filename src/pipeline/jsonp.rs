//! JSONP: an answer as a script, which hands it to a function of the page that asked for it.
//!
//! Any page may run it, whoever looks at the page. So the answer is one for nobody: no inspector is asked, and no
//! cookie is read. What the client sent stands in it only as a [`Callback`], and nothing in it can end the script.

use std::sync::Arc;

use http::{HeaderValue, Method, header};

use super::form::Written;
use super::pairs::query_values;
use super::respond::Of;
use crate::call::{Callback, Encode, Fault, FaultKind, Head, Reason, Refusal, Source};
use crate::envelope::{Envelope, JsonMembers, Members, WriteError};
use crate::error::texts::{Catalogue, Text};
use crate::plan::Plan;

/// The function that a request wants its answer handed to; none where it wants JSON. `on`: whether it can have JSONP.
///
/// # Errors
/// The parameter stands twice or is no name of a function, or a credential came with it.
pub(super) fn asked(on: bool, head: &Head) -> Result<Option<Callback<'_>>, Refusal> {
    if !on {
        return Ok(None);
    }
    let fault = |kind, parameter: &str, source, expected| {
        let expected = Catalogue::english().plain(expected).to_string().into();
        let parameter = parameter.to_owned();
        // What came is not told: it may be a script, or a secret.
        let fault = Fault { kind, parameter, source, expected, got: None, message: None, broken: None };
        Refusal::new(Reason::Parameters { faults: vec![fault], truncated: false })
    };
    let mut values = query_values(head, Callback::PARAMETER);
    let (first, second) = (values.next(), values.next());
    let no_name = |kind| fault(kind, Callback::PARAMETER, Source::Query, Text::Callback);
    let callback = match (first, second) {
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(no_name(FaultKind::Repeated)),
        (Some(Some(name)), None) if name.is_empty() => return Ok(None),
        (Some(name), None) => name.and_then(Callback::new).ok_or_else(|| no_name(FaultKind::Invalid))?,
    };
    if head.header_values(&header::AUTHORIZATION).next().is_some() {
        return Err(fault(FaultKind::Invalid, "Authorization", Source::Header, Text::NoCredentialTaken));
    }
    Ok(Some(callback))
}

/// The same of a request that is refused for something else: a parameter that is at fault too is not worth a word.
pub(super) fn asked_beside<'h>(plan: &Plan, head: &'h Head, of: Of) -> Option<Callback<'h>> {
    let on = match of {
        Of::Method(index) => plan.methods[index].jsonp,
        // Scripts are loaded with GET.
        Of::Module(_) | Of::Name | Of::Nothing => plan.jsonp && matches!(head.method, Method::GET | Method::HEAD),
        Of::Page => false,
    };
    asked(on, head).ok().flatten()
}

/// The head of a request that is nobody's.
pub(super) fn nobodys(head: &Arc<Head>) -> Arc<Head> {
    if head.header_values(&header::COOKIE).next().is_none() {
        return Arc::clone(head);
    }
    let mut head = Head::clone(head);
    head.headers.retain(|(name, _)| *name != header::COOKIE);
    Arc::new(head)
}

/// Writes a success.
///
/// # Errors
/// The outputs cannot be written.
pub(super) fn success(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    outputs: &dyn Encode,
    whole: bool,
    status: u16,
) -> Result<Written, WriteError> {
    let mut members = JsonMembers::new();
    envelope.success(outputs, whole, &mut members)?;
    if let Some(name) = envelope.status_member() {
        members.member(name, u32::from(status).into())?;
    }
    Ok(written(callback, &members.finish()))
}

/// Writes a refusal.
///
/// # Errors
/// It cannot be written in an envelope of the program's own.
pub(super) fn refusal(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    refusal: Refusal,
) -> Result<Written, WriteError> {
    let mut members = JsonMembers::new();
    let status = refusal.status().get();
    match envelope.status_member() {
        Some(name) => {
            envelope.refusal(&refusal.without(name), &mut members)?;
            members.member(name, u32::from(status).into())?;
        }
        None => envelope.refusal(&refusal, &mut members)?,
    }
    Ok(written(callback, &members.finish()))
}

/// The script. Its HTTP status is always 200, because browsers run no other.
fn written(callback: &Callback<'_>, json: &[u8]) -> Written {
    // Nothing that a client chose stands at the beginning, where other programs than browsers look for what a
    // body is; and a page that no longer has the function is spared an error.
    let start = format!("/**/ typeof {callback} === 'function' && {callback}(");
    let mut body = Vec::with_capacity(start.len() + json.len() + json.len() / 16 + END.len());
    body.extend_from_slice(start.as_bytes());
    escape(json, &mut body);
    body.extend_from_slice(END);
    Written { status: 200, media_type: HeaderValue::from_static("text/javascript; charset=utf-8"), body }
}

const END: &[u8] = b");";

/// Appends JSON so that it is the same value in a script: without `<`, which could begin a tag or a comment of HTML
/// where a script stands in a page, and without U+2028 and U+2029, which ended a line of JavaScript before
/// ECMAScript 2019. All of them stand in strings only.
fn escape(json: &[u8], to: &mut Vec<u8>) {
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
