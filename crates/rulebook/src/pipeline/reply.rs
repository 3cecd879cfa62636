//! The reply to a request: either complete, or with a file that the server still has to open.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use rulebook_model::error::ErrorCode;

use super::representation::EncodedBody;
use crate::call::{ByteStream, Download};
use crate::plan::{Document, Plan};

/// A complete reply: what the server sends as an HTTP response.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status, from 200 to 599.
    pub status: u16,
    /// The media type of the body; `None` if there is no body.
    pub content_type: Option<HeaderValue>,
    /// The other header fields.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: ReplyBody,
    /// `true` if the engine wrote the body as text for this request. Only such a body may be compressed for one
    /// request.
    pub written: bool,
    /// The error code, if the reply is an error.
    pub code: Option<ErrorCode>,
}

/// The body of a reply.
pub enum ReplyBody {
    /// All bytes.
    Whole(Bytes),
    /// A document that is ready to be sent, with its cached compressed forms.
    Ready(Document),
    /// A stream.
    Pieces {
        /// The bytes, piece by piece.
        pieces: ByteStream,
        /// The length in bytes; `None` if it is not known before the end.
        length: Option<u64>,
    },
}

impl ReplyBody {
    /// Returns an empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl<B: Into<Bytes>> From<B> for ReplyBody {
    fn from(bytes: B) -> Self {
        Self::Whole(bytes.into())
    }
}

impl std::fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Ready(document) => write!(f, "{} bytes of a document", document.body.len()),
            Self::Pieces { length: Some(length), .. } => write!(f, "{length} bytes in pieces"),
            Self::Pieces { length: None, .. } => f.write_str("pieces"),
        }
    }
}

/// The result of the stage that writes the outcome of a call.
#[derive(Debug)]
pub enum Responded {
    /// A complete reply.
    Reply(Reply),
    /// A file that the server still has to open.
    File(FileReply),
}

/// A file that a method returned.
#[derive(Debug)]
pub struct FileReply {
    /// The index of the method.
    pub method: usize,
    /// The file.
    pub download: Box<Download>,
    /// The HTTP status if all of the file is sent, from 200 to 299.
    pub status: u16,
    /// The header fields that the handler set, besides those of the file.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// Returns a reply without a body.
    #[must_use]
    pub fn empty(status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { status, content_type: None, headers, body: ReplyBody::empty(), written: false, code: None }
    }

    /// Returns the reply for an encoded body.
    pub(super) fn new(
        plan: &Plan,
        encoded: EncodedBody,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        code: Option<ErrorCode>,
    ) -> Self {
        let EncodedBody { status, media_type, body } = encoded;
        // The response depends on `Accept` if there are other formats, or for an error, which clients can request as a
        // problem document.
        if !plan.formats.is_empty() || code.is_some() {
            headers.push((header::VARY, HeaderValue::from_static("accept")));
        }
        Self { status, content_type: Some(media_type), headers, body: body.into(), written: true, code }
    }
}
