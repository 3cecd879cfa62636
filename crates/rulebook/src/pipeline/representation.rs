//! The representation of a reply: the format in which the server writes the envelope (the JSON structure around outputs
//! and errors) as bytes. `Accept` chooses it (RFC 9110 section 12.5), or the query if the client asks for JSONP.
//!
//! A JSONP response is a script that passes the result to a JavaScript function of the page that has loaded the script.
//! Any page can load such a script in the browser of any user. So the client of a JSONP request is anonymous: no
//! authenticator is called, and no cookie is read. The name of the JavaScript function ([`Callback`]) is the only text
//! that the client can place outside of JSON strings, and values are escaped so that they cannot end the script early.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::envelope::{self, Envelope, JsonMemberWriter, MemberWriter, Problem, WriteError};
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::format::FormatOffer;

use super::act::catch_panic;
use super::read::query_values;
use super::reply::ReusedBuffer;
use super::respond::ErrorContext;
use crate::call::{ApiError, Callback, Encode, ErrorKind, Head, ParameterError, ParameterErrorKind, Source};
use crate::plan::Plan;

#[derive(Debug, Clone, Copy)]
pub(super) enum Representation<'p> {
    Json,
    /// A success is JSON in its envelope; an error is a problem document (RFC 9457), which has no envelope.
    Problem,
    /// One that the definition offers in the setting `formats`.
    Format(&'p FormatOffer),
    /// A JSONP script, which calls this JavaScript function.
    Script(&'p Callback<'p>),
}

pub(super) struct FormattedBody {
    pub(super) status: u16,
    pub(super) media_type: HeaderValue,
    pub(super) body: Vec<u8>,
}

impl<'p> Representation<'p> {
    /// Selects the representation by `Accept`, unless the reply is a JSONP script.
    pub(super) fn negotiate(plan: &'p Plan, head: &Head, callback: Option<&'p Callback<'p>>) -> Self {
        if let Some(callback) = callback {
            return Self::Script(callback);
        }
        match preferred_format(&plan.formats, head) {
            Some(format) => Self::Format(format),
            None if accepts_only_problems(head) => Self::Problem,
            None => Self::Json,
        }
    }

    /// The envelope may replace `status`. If the outputs cannot be written, returns the error and the representation in
    /// which the caller should write it.
    pub(super) fn write_success(
        self,
        envelope: &dyn Envelope,
        outputs: &dyn Encode,
        whole: bool,
        status: u16,
    ) -> Result<FormattedBody, (Self, ApiError)> {
        if let Self::Script(callback) = self {
            let encoded = write_success_script(callback, envelope, outputs, whole, status);
            return encoded.map_err(|error| (self, ApiError::internal(error)));
        }
        let mut members = JsonMemberWriter::in_memory(ReusedBuffer::empty_memory());
        let written = envelope.success(outputs, whole, &mut members);
        written.map_err(|error| (self, ApiError::internal(error)))?;
        let encoded = self.to_format(
            envelope::response_status(envelope, status),
            envelope.success_content_type(),
            members.finish(),
        );
        encoded.map_err(|why| (Self::Json, why))
    }

    /// Fails if the error cannot be written in this representation.
    pub(super) fn write_error(self, envelope: &dyn Envelope, error: &ApiError) -> Result<FormattedBody, ApiError> {
        if let Self::Script(callback) = self {
            return write_error_script(callback, envelope, error.clone()).map_err(ApiError::internal);
        }
        let envelope: &dyn Envelope = if matches!(self, Self::Problem) { &Problem } else { envelope };
        let mut members = JsonMemberWriter::new();
        envelope.error(error, &mut members).map_err(ApiError::internal)?;
        let status = envelope::response_status(envelope, error.status().get());
        self.to_format(status, envelope.error_content_type(), members.finish())
    }

    fn to_format(self, status: u16, media_type: &'static str, json: Vec<u8>) -> Result<FormattedBody, ApiError> {
        let Self::Format(offer) = self else {
            return Ok(FormattedBody { status, media_type: content_type_value(media_type), body: json });
        };
        let failed = |why: &dyn std::fmt::Display| {
            ApiError::internal(format_args!("the response cannot be written as `{}`: {why}", offer.name()))
        };
        let json = serde_json::from_slice(&json).map_err(|error| failed(&error))?;
        let body = catch_panic("a format", || offer.format().write(&json))?.map_err(|error| failed(&error))?;
        Ok(FormattedBody { status, media_type: offer.media_type().clone(), body })
    }
}

impl FormattedBody {
    /// RFC 9457. A JSONP script contains the problem document.
    pub(super) fn write_problem(representation: Representation<'_>, error: &ApiError) -> Self {
        let is_script = matches!(representation, Representation::Script(_));
        let representation = if is_script { representation } else { Representation::Problem };
        // The members of a problem document are JSON values, which can always be written.
        representation.write_error(&Problem, error).unwrap_or_else(|_| Self {
            status: error.status().get(),
            media_type: content_type_value(Problem.error_content_type()),
            body: Vec::new(),
        })
    }
}

/// `application/json` if the media type is not a valid header value.
fn content_type_value(media_type: &'static str) -> HeaderValue {
    static JSON: HeaderValue = HeaderValue::from_static("application/json");
    // Most responses are JSON. Copying a checked value costs less than checking it again.
    if JSON.as_bytes() == media_type.as_bytes() {
        return JSON.clone();
    }
    let value = HeaderValue::from_maybe_shared(Bytes::from_static(media_type.as_bytes()));
    value.unwrap_or_else(|_| JSON.clone())
}

/// Returns `None` if the client prefers JSON. If several formats have the same weight, the first in the definition
/// counts.
fn preferred_format<'p>(offers: &'p [FormatOffer], head: &Head) -> Option<&'p FormatOffer> {
    if offers.is_empty() {
        return None;
    }
    let json = (media_type_weight(head, "application/json"), None);
    let weight = |offer: &FormatOffer| {
        // A media range with `*` matches only the media type of the format. An alias must be equal to a media range.
        let aliases = media_ranges(head)
            .filter(|range| offer.aliases().iter().any(|alias| range.name.eq_ignore_ascii_case(alias)));
        aliases.map(|range| range.weight).max().unwrap_or_default().max(media_type_weight(head, offer.essence()))
    };
    let best = offers.iter().fold(json, |best, offer| {
        let weight = weight(offer);
        if weight > best.0 { (weight, Some(offer)) } else { best }
    });
    best.1
}

/// Problem documents are `application/problem+json` (RFC 9110 section 12.5.1).
fn accepts_only_problems(head: &Head) -> bool {
    let mut any = false;
    for range in media_ranges(head) {
        let accepted = range.weight > 0;
        let problem = range.name.eq_ignore_ascii_case("application/problem+json");
        if accepted && !problem {
            return false;
        }
        any |= accepted;
    }
    any
}

/// An element of the list in `Accept` or `Accept-Encoding`.
pub(super) struct WeightedElement<'h> {
    /// A media range (`type/subtype`, `type/*` or `*/*`) or a content coding, without parameters.
    pub(super) name: &'h str,
    /// `q` in thousandths, from 0 (not acceptable) to 1000.
    pub(super) weight: u16,
}

fn media_ranges(head: &Head) -> impl Iterator<Item = WeightedElement<'_>> {
    weighted_elements(head, &header::ACCEPT)
}

/// In the order of the fields.
pub(super) fn weighted_elements<'h>(head: &'h Head, name: &'h HeaderName) -> impl Iterator<Item = WeightedElement<'h>> {
    let fields = head.get_all(name).filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(parse_weighted_element).filter(|range| !range.name.is_empty())
}

fn parse_weighted_element(text: &str) -> WeightedElement<'_> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    // An element with an invalid weight counts as an element without a weight.
    WeightedElement { name, weight: weight.and_then(|text| parse_weight(text.trim())).unwrap_or(MAX_WEIGHT) }
}

/// The weight of an element without `q`, in thousandths.
const MAX_WEIGHT: u16 = 1000;

/// At most three decimals (RFC 9110 section 12.4.2), returned in thousandths.
fn parse_weight(text: &str) -> Option<u16> {
    let (integer, decimals) = text.split_once('.').unwrap_or((text, ""));
    let has_digits = decimals.len() <= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths = decimals.bytes().chain(std::iter::repeat(b'0')).take(3).fold(0, |sum, digit| {
        // If a decimal is not a digit, the computed number is wrong, but `has_digits` is `false` and the number is not
        // used.
        sum * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    match integer {
        "0" if has_digits => Some(thousandths),
        "1" if has_digits && thousandths == 0 => Some(MAX_WEIGHT),
        _ => None,
    }
}

pub(super) fn prefers_media_type(head: &Head, a: &str, b: &str) -> bool {
    media_type_weight(head, a) > media_type_weight(head, b)
}

/// Returns the weight of the most specific media range that matches, in thousandths; 0 if none matches. Parameters are
/// ignored.
fn media_type_weight(head: &Head, media_type: &str) -> u16 {
    let weights =
        media_ranges(head).filter_map(|range| Some((media_range_specificity(range.name, media_type)?, range.weight)));
    weights.max().map_or(0, |(_, weight)| weight)
}

/// 0 for `*/*`, 1 for `type/*`, 2 for the media type itself; `None` if the range does not match.
fn media_range_specificity(range: &str, media_type: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(media_type) {
        return Some(2);
    }
    if range == "*/*" {
        return Some(0);
    }
    let (kind, _) = media_type.split_once('/')?;
    range.strip_suffix("/*")?.eq_ignore_ascii_case(kind).then_some(1)
}

/// `None` without the query field `callback`, or if not `enabled`. Fails if the field occurs twice or is not a function
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

/// `None` if `callback` is invalid: the client then gets the error in JSON.
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

pub(super) fn head_without_cookies(head: &Arc<Head>) -> Cow<'_, Arc<Head>> {
    if head.get_all(&header::COOKIE).next().is_none() {
        return Cow::Borrowed(head);
    }
    let mut head = Head::clone(head);
    head.headers.retain(|(name, _)| *name != header::COOKIE);
    Cow::Owned(Arc::new(head))
}

/// Fails if the outputs cannot be written as JSON.
fn write_success_script(
    callback: &Callback<'_>,
    envelope: &dyn Envelope,
    outputs: &dyn Encode,
    whole: bool,
    status: u16,
) -> Result<FormattedBody, WriteError> {
    let mut members = JsonMemberWriter::new();
    envelope.success(outputs, whole, &mut members)?;
    write_script(callback, members, envelope.status_member(), status)
}

/// Only an envelope that the program has added can fail.
fn write_error_script(
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
    write_script(callback, members, status_member, error.status().get())
}

/// The status is always 200, because browsers do not run scripts with an error status.
fn write_script(
    callback: &Callback<'_>,
    mut members: JsonMemberWriter,
    status_member: Option<&str>,
    status: u16,
) -> Result<FormattedBody, WriteError> {
    if let Some(name) = status_member {
        members.member(name, u32::from(status).into())?;
    }
    // Some programs guess the media type of a file from its first bytes. The script begins with a comment, so that the
    // first bytes are never text of the client. The condition avoids an error in a page that no longer has the
    // function.
    let start = format!("/**/ typeof {callback} === 'function' && {callback}(");
    let body = format!("{start}{});", escape_json(&members.finish())).into_bytes();
    Ok(FormattedBody { status: 200, media_type: HeaderValue::from_static("text/javascript; charset=utf-8"), body })
}

/// `<` could begin an HTML tag or comment in a page. U+2028 and U+2029 ended a line of JavaScript before ECMAScript
/// 2019. In JSON, these characters occur only in strings.
fn escape_json(json: &[u8]) -> String {
    let json = String::from_utf8_lossy(json);
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
