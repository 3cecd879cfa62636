//! What a body is, told from the head alone.

use bytes::Bytes;
use http::header;

use crate::call::{Head, Upload, shortened};
use crate::plan::{BodyUse, Method, Room};

/// A body that has arrived.
#[derive(Debug)]
pub enum Body {
    /// There is none, or nothing of it is wanted.
    Empty,
    /// `application/x-www-form-urlencoded`, or no media type at all.
    Form(Bytes),
    /// `application/json`.
    Json(Bytes),
    /// `multipart/form-data`; files are in temporary files already.
    Parts(Vec<Part>),
}

/// A part of a multipart body.
#[derive(Debug)]
pub struct Part {
    /// The name of its field.
    pub name: String,
    /// What it holds.
    pub content: PartContent,
}

/// What a part holds.
#[derive(Debug)]
pub enum PartContent {
    /// A part without a file name.
    Field(Bytes),
    /// A part with one.
    File(Upload),
}

/// What of a body has to be received, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyKind {
    /// Nothing: there is no body, or the method reads none.
    Nothing,
    /// A form, as bytes.
    Form,
    /// JSON, as bytes.
    Json,
    /// A multipart body.
    Multipart {
        /// Between the parts; where the media type does not tell it, no part can be read, but a body may be empty.
        boundary: Option<String>,
        /// What it is held to while it comes.
        room: Room,
    },
    /// A media type that is not read here. If bytes come, the request is refused with
    /// [`unsupported`]; an empty body is no body, whatever its type.
    Unsupported(String),
}

/// The media types that are read, for refusals.
pub const ACCEPTED: &[&str] = &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// What of the body has to be received.
#[must_use]
pub fn kind(head: &Head, method: &Method) -> BodyKind {
    match method.body_use {
        BodyUse::Nothing => BodyKind::Nothing,
        BodyUse::Fields => announced_kind(head, method.room),
    }
}

/// What the head announces, whatever is wanted of it. `room`: what it is held to where it is a multipart body.
#[must_use]
pub fn announced_kind(head: &Head, room: Room) -> BodyKind {
    let empty = match head.header(&header::CONTENT_LENGTH) {
        Some(length) => length.trim() == "0",
        // HTTP/2 announces no length for a stream.
        None => head.header(&header::TRANSFER_ENCODING).is_none() && !head.streams,
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
        return BodyKind::Multipart { boundary, room };
    }
    BodyKind::Unsupported(shortened(&text))
}

/// `application/anything+json` (RFC 6839 section 3.1).
fn is_json_suffix(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind.len() > 5 && kind.ends_with("+json"))
}
