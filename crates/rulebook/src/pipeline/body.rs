//! The body of a request, and its kind according to the header fields.

use bytes::Bytes;
use http::header;

use crate::call::{Head, Upload, shortened};
use crate::plan::{BodyUse, MultipartLimits, PlannedMethod};

/// A body that has been received.
#[derive(Debug)]
pub enum Body {
    /// There is no body, or the method does not read it.
    Empty,
    /// `application/x-www-form-urlencoded`, or no media type at all.
    Form(Bytes),
    /// `application/json`.
    Json(Bytes),
    /// `multipart/form-data`, with its files written to disk.
    Parts(Vec<Part>),
}

/// A part of a multipart body.
#[derive(Debug)]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// The content.
    pub content: PartContent,
}

/// The content of a part.
#[derive(Debug)]
pub enum PartContent {
    /// A part without a file name.
    Field(Bytes),
    /// A part with a file name.
    File(Upload),
}

/// The kind of a body, which decides how it is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyKind {
    /// There is no body, or the method does not read it.
    Nothing,
    /// A form, as bytes.
    Form,
    /// JSON, as bytes.
    Json,
    /// A multipart body.
    Multipart {
        /// The boundary between the parts; `None` if the request does not name one. A body with parts is malformed
        /// then.
        boundary: Option<String>,
        /// The limits of the body.
        limits: MultipartLimits,
    },
    /// A media type that is not supported. The request is refused with 415 only when bytes arrive: a request with an
    /// empty body has no content, whatever its media type is.
    Unsupported(String),
}

/// The media types that are supported.
pub const ACCEPTED: &[&str] = &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// Returns the kind of the body that a method needs from this request.
#[must_use]
pub fn kind(head: &Head, method: &PlannedMethod) -> BodyKind {
    match method.body_use {
        BodyUse::Nothing => BodyKind::Nothing,
        BodyUse::Fields => announced_kind(head, method.multipart_limits),
    }
}

/// Returns the kind of the body according to the header fields of a request. `limits` are the limits for a multipart
/// body.
#[must_use]
pub fn announced_kind(head: &Head, limits: MultipartLimits) -> BodyKind {
    let empty = match head.get(&header::CONTENT_LENGTH) {
        Some(length) => length.trim() == "0",
        // In HTTP/2 a body may follow without a length.
        None => head.get(&header::TRANSFER_ENCODING).is_none() && !head.streams,
    };
    if empty {
        return BodyKind::Nothing;
    }
    let Some(value) = head.headers.iter().find(|(name, _)| name == header::CONTENT_TYPE).map(|(_, value)| value) else {
        return BodyKind::Form;
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || is_json_suffix(essence) {
        return BodyKind::Json;
    }
    if essence.is_empty() || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return BodyKind::Form;
    }
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = multer::parse_boundary(&*text).ok();
        return BodyKind::Multipart { boundary, limits };
    }
    BodyKind::Unsupported(shortened(&text))
}

/// Returns `true` for `application/…+json` (RFC 6839 section 3.1).
fn is_json_suffix(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind.len() > 5 && kind.ends_with("+json"))
}
