//! What a call is answered with: bytes that are ready, or a file that has yet to be opened.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

use super::form::Written;
use crate::call::{Download, Pieces};
use crate::error::Code;
use crate::plan::{Document, Plan};

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body's media type; none where there is no body.
    pub content_type: Option<HeaderValue>,
    /// Other header fields.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: ReplyBody,
    /// Whether the body is a text that the engine has written, which may go out in a content coding.
    pub written: bool,
    /// Why the request was refused, if it was.
    pub code: Option<Code>,
}

/// The body of an answer.
pub enum ReplyBody {
    /// It is here.
    Whole(Bytes),
    /// It is that of a document, which keeps itself in content codings.
    Ready(Document),
    /// It comes piece by piece.
    Pieces {
        /// As it comes.
        pieces: Pieces,
        /// Its length in bytes; none where only its end will tell.
        length: Option<u64>,
    },
}

impl ReplyBody {
    /// That of an answer without one.
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

/// What a call is answered with.
#[derive(Debug)]
pub enum Answered {
    /// An answer, ready to be sent.
    Reply(Reply),
    /// A file that has yet to be opened.
    Download(Sendable),
}

/// A file that is the answer of a method.
#[derive(Debug)]
pub struct Sendable {
    /// The method's index.
    pub method: usize,
    /// The file.
    pub download: Box<Download>,
    /// HTTP status, from 200 to 299, if all of it is sent.
    pub status: u16,
    /// Header fields that the handler set beside those of the file.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { status, content_type: None, headers, body: ReplyBody::empty(), written: false, code: None }
    }

    /// An answer that has been written.
    pub(super) fn new(
        plan: &Plan,
        written: Written,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        code: Option<Code>,
    ) -> Self {
        let Written { status, media_type, body } = written;
        // Any refusal can be asked for as a problem document.
        if !plan.formats.is_empty() || code.is_some() {
            headers.push((header::VARY, HeaderValue::from_static("accept")));
        }
        Self { status, content_type: Some(media_type), headers, body: body.into(), written: true, code }
    }
}
