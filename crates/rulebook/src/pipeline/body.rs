//! The received body of a request, and the kind of body that the header fields of a request announce.

use std::borrow::Cow;
use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_core::Stream;
use http::header;
use rulebook_model::model::MultipartLimits;
use rulebook_model::types::includes_media_type;

use crate::call::{ApiError, ErrorKind, Head, Limit, Upload, parse_word, shorten_text, split_outside_of_quotes};
use crate::handler::{BodyAccess, CallOrigin};
use crate::multipart::BodyPart;
use crate::plan::{BodyUse, PlannedMethod, PlannedParameter};
use crate::transfer::BINARY_MEDIA_TYPE;

/// A body that has been received completely.
#[derive(Debug)]
pub enum Body {
    /// Also if the API method has no parameters in the body.
    Empty,
    /// A form (`application/x-www-form-urlencoded`), or a body without a media type.
    Form(Bytes),
    Json(Bytes),
    /// Without parameters, for the handler.
    Other(Bytes),
    /// Files have been written to disk.
    Parts(Vec<BodyPart>),
    File(Upload),
}

impl Body {
    /// `None` without a body, and for files and multipart bodies.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Form(bytes) | Self::Json(bytes) | Self::Other(bytes) => Some(bytes),
            Self::Empty | Self::Parts(_) | Self::File(_) => None,
        }
    }

    /// Returns the request as a handler sees it: with those parts of the body that the handler reads.
    #[inline]
    pub fn call_origin(&self, head: Arc<Head>, access: BodyAccess) -> CallOrigin {
        let parts = match self {
            Self::Parts(parts) if access == BodyAccess::Any => parts.clone(),
            _ => Vec::new(),
        };
        CallOrigin::Request { head, body: self.bytes().filter(|_| access != BodyAccess::None).cloned(), parts }
    }
}

/// The kind of a body, which determines how the server receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyKind {
    /// Also if the API method has no parameters in the body.
    Nothing,
    /// Or a body without a media type.
    Form,
    Json,
    /// No parameters, for the handler.
    Other,
    /// Files are written to disk.
    Multipart {
        /// `None` if `Content-Type` contains none; the body is then malformed unless it is empty.
        boundary: Option<String>,
        limits: MultipartLimits,
    },
    /// Refused with 415 only when the first byte arrives: the media type of an empty body does not matter.
    Unsupported {
        got: String,
        accepted: Vec<String>,
    },
    /// Written to disk.
    File {
        limit: Limit,
        /// The name of the parameter, for errors.
        parameter: Box<str>,
    },
}

/// The maximum length of RFC 2046 section 5.1.1. Searching for a long boundary is slow.
const MAX_BOUNDARY_LEN: usize = 70;

/// The media types that the error 415 lists. Types that end with `+json` are supported, too.
const SUPPORTED_MEDIA_TYPES: &[&str] =
    &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// The supported media types if the whole body is the value of a parameter. Types that end with `+json` are supported,
/// too.
const JSON_MEDIA_TYPES: &[&str] = &["application/json"];

/// What errors show as the media type of a body without `Content-Type` (RFC 9110 section 8.3).
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream (without Content-Type)";

/// [`BodyKind::Nothing`] if neither parameters nor the handler need the body.
pub fn body_kind(head: &Head, method: &PlannedMethod) -> BodyKind {
    match method.body_use {
        BodyUse::Nothing => return BodyKind::Nothing,
        BodyUse::Raw(slot) => return file_body_kind(head, &method.parameters[slot]),
        BodyUse::Unread | BodyUse::Fields | BodyUse::Whole(_) => {}
    }
    let announced = announced_body_kind(head, method.multipart_limits);
    match (&method.body_use, announced) {
        (BodyUse::Unread, BodyKind::Json | BodyKind::Form) => BodyKind::Other,
        (_, BodyKind::Unsupported { .. }) if method.action.body_access() == BodyAccess::Any => BodyKind::Other,
        (BodyUse::Whole(_), BodyKind::Unsupported { got, .. }) => {
            BodyKind::Unsupported { got, accepted: owned(JSON_MEDIA_TYPES) }
        }
        (BodyUse::Whole(_), BodyKind::Form | BodyKind::Multipart { .. }) => {
            let got = media_type(head).unwrap_or(Cow::Borrowed(UNKNOWN_MEDIA_TYPE));
            BodyKind::Unsupported { got: shorten_text(&got), accepted: owned(JSON_MEDIA_TYPES) }
        }
        (_, kind) => kind,
    }
}

/// Without a media type in the header fields, only the one that is detected in the file counts.
fn file_body_kind(head: &Head, parameter: &PlannedParameter) -> BodyKind {
    let Some(limit) = parameter.file_limit.filter(|_| !has_no_body(head)) else {
        return BodyKind::Nothing;
    };
    let text = media_type(head);
    let (text, accepted) = (text.as_deref(), parameter.check.media_types());
    let essence = text.map(|text| essence(text).to_ascii_lowercase());
    let is_accepted = |essence: &str| essence == BINARY_MEDIA_TYPE || includes_media_type(accepted, essence);
    let got = match coded_media_type(head, text) {
        Some(coded) => coded,
        None if essence.as_deref().is_none_or(is_accepted) => {
            return BodyKind::File { limit, parameter: parameter.display_name.clone() };
        }
        None => text.unwrap_or_default().to_owned(),
    };
    let accepted = if accepted.is_empty() { vec!["*/*".to_owned()] } else { accepted.to_vec() };
    BodyKind::Unsupported { got: shorten_text(&got), accepted }
}

/// `None` if it contains no media type.
fn media_type(head: &Head) -> Option<Cow<'_, str>> {
    let (_, value) = head.headers.iter().find(|(name, _)| name == header::CONTENT_TYPE)?;
    Some(String::from_utf8_lossy(value.as_bytes())).filter(|text| !essence(text).is_empty())
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Browsers and programs percent-encode these bytes in forms. Otherwise JSON would be an unknown field, and be lost.
pub(super) fn check_is_not_json(head: &Head, bytes: &[u8]) -> Result<(), ApiError> {
    if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(());
    }
    let Some(text) = media_type(head) else { return Err(missing_media_type()) };
    let got = shorten_text(&format!("{text} that contains JSON"));
    Err(ApiError::new(ErrorKind::UnsupportedMediaType { got, accepted: owned(JSON_MEDIA_TYPES) }))
}

/// Clients may send a form with a known field without a media type.
pub(super) fn check_has_media_type(head: &Head, bytes: &[u8], is_known: impl Fn() -> bool) -> Result<(), ApiError> {
    let is_form = media_type(head).is_some() || bytes.trim_ascii().is_empty() || is_known();
    if is_form { Ok(()) } else { Err(missing_media_type()) }
}

#[cold]
fn missing_media_type() -> ApiError {
    let got = UNKNOWN_MEDIA_TYPE.to_owned();
    ApiError::new(ErrorKind::UnsupportedMediaType { got, accepted: owned(SUPPORTED_MEDIA_TYPES) })
}

fn has_no_body(head: &Head) -> bool {
    match head.get(&header::CONTENT_LENGTH) {
        Some(length) => length.trim() == "0",
        // In HTTP/2, a body may follow even if no header field announces its length.
        None => head.get(&header::TRANSFER_ENCODING).is_none() && !head.streams,
    }
}

/// The server does not decode it; `None` for other bodies.
fn coded_media_type(head: &Head, media_type: Option<&str>) -> Option<String> {
    let coding = head.get(&header::CONTENT_ENCODING).filter(|coding| !coding.eq_ignore_ascii_case("identity"))?;
    Some(format!("{} with the content coding {coding}", media_type.unwrap_or(UNKNOWN_MEDIA_TYPE)))
}

/// `limits` are for a multipart body.
pub fn announced_body_kind(head: &Head, limits: MultipartLimits) -> BodyKind {
    if has_no_body(head) {
        return BodyKind::Nothing;
    }
    let text = media_type(head);
    if let Some(coded) = coded_media_type(head, text.as_deref()) {
        return unsupported(&coded);
    }
    let Some(text) = text else {
        return BodyKind::Form;
    };
    let essence = essence(&text);
    if essence.eq_ignore_ascii_case("application/json") || has_json_suffix(essence) {
        return BodyKind::Json;
    }
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return BodyKind::Form;
    }
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        return BodyKind::Multipart { boundary: multipart_boundary(&text), limits };
    }
    unsupported(&text)
}

/// Many clients send a boundary without quotes that contains `=` or other characters that need them.
fn multipart_boundary(content_type: &str) -> Option<String> {
    let boundary =
        split_outside_of_quotes(content_type.as_bytes(), b';').into_iter().skip(1).find_map(|parameter| {
            let at = parameter.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (parameter[..at].trim_ascii(), parameter[at + 1..].trim_ascii());
            let is_word = value.starts_with(b"\"") || !value.contains(&b' ');
            name.eq_ignore_ascii_case(b"boundary").then(|| parse_word(value).filter(|_| is_word))
        })??;
    let is_valid = (1..=MAX_BOUNDARY_LEN).contains(&boundary.len())
        && boundary.iter().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'~'));
    String::from_utf8(boundary).ok().filter(|_| is_valid)
}

/// For an invalid boundary, the parser returns an error.
pub fn multipart_parser<S>(boundary: &str, body: S) -> Multipart
where
    S: Stream<Item = Result<Bytes, PayloadError>> + 'static,
{
    let mut headers = HeaderMap::new();
    if let Ok(media_type) = HeaderValue::try_from(format!("multipart/form-data; boundary=\"{boundary}\"")) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    Multipart::new(&headers, body)
}

fn owned(media_types: &[&str]) -> Vec<String> {
    media_types.iter().copied().map(str::to_owned).collect()
}

fn unsupported(media_type: &str) -> BodyKind {
    BodyKind::Unsupported { got: shorten_text(media_type), accepted: owned(SUPPORTED_MEDIA_TYPES) }
}

/// `essence` is the media type without parameters (RFC 6839 section 3.1).
fn has_json_suffix(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind.len() > 5 && kind.ends_with("+json"))
}
