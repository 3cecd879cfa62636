//! The reply to a request, before the server converts it to a response of actix. A reply is complete, or refers to a
//! file that the server has yet to open.

use std::cell::Cell;
use std::fs::File;
use std::ops::Deref;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::error::ErrorCode;

use super::representation::FormattedBody;
use crate::call::{ByteStream, Download};
use crate::client_shares::Share;
use crate::plan::{Document, Plan};
use crate::rate_limit::CountedRequest;

/// A complete reply, which the server sends as an HTTP response.
pub struct Reply {
    /// The HTTP status of the reply, from 200 to 599.
    pub status: u16,
    /// The media type of the body; `None` if there is no body.
    pub content_type: Option<HeaderValue>,
    /// The header fields of the reply except `Content-Type`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The bytes of the reply after its header fields.
    pub body: ReplyBody,
    /// `true` if the engine wrote the body for this request, so that the body may be compressed for this request.
    /// `false` for files, streams and documents.
    pub is_written_for_request: bool,
    /// The error code if the reply is an error; `None` if the reply is a success.
    pub code: Option<ReplyCode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyCode {
    /// The error code, which is [`ErrorCode::Failed`] for all errors that methods declare.
    pub code: ErrorCode,
    /// The index of the error in the errors that the method declares; `None` for other errors.
    pub declared_error: Option<usize>,
}

impl From<ErrorCode> for ReplyCode {
    fn from(code: ErrorCode) -> Self {
        Self { code, declared_error: None }
    }
}

/// The body of a reply: bytes, a document or a stream.
pub enum ReplyBody {
    /// All bytes of the body, in memory.
    Whole(Bytes),
    /// All bytes of the body, in memory that is used again after the reply has been sent.
    Written(ReusedBuffer),
    /// A document, whose compressed forms are cached together with it.
    Document(Box<Document>),
    File(Box<FileRange>),
    Stream {
        /// The stream, which yields the bytes of the body in pieces.
        pieces: ByteStream,
        /// The length of the body in bytes; `None` if the length is not known before the stream ends.
        length: Option<u64>,
    },
}

/// A part of an open file.
pub struct FileRange {
    /// The open file. Its read position is not used.
    pub file: File,
    /// The offset of the first byte.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
    /// The part of the server's open files that the client uses with this file; `None` if the file does not count.
    pub share: Option<Share>,
}

impl ReplyBody {
    /// Returns a body without bytes.
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// Returns all bytes of the body; `None` if the body is a file or a stream.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Document(document) => Some(&document.body),
            Self::Written(bytes) => Some(bytes),
            Self::File(_) | Self::Stream { .. } => None,
        }
    }

    /// Returns the number of bytes of memory that only this reply uses. Documents are shared with other replies.
    pub fn owned_len(&self) -> usize {
        match self {
            Self::Whole(bytes) if !bytes.is_unique() => 0,
            Self::Document(document) if !document.body.is_unique() => 0,
            body => body.bytes().map_or(0, <[u8]>::len),
        }
    }

    /// Returns the length of the body in bytes; `None` if it is not known before the stream of the body ends.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Stream { length, .. } => *length,
            Self::File(range) => Some(range.length),
            _ => self.bytes().map(|bytes| bytes.len() as u64),
        }
    }
}

impl<B: Into<Bytes>> From<B> for ReplyBody {
    fn from(bytes: B) -> Self {
        Self::Whole(bytes.into())
    }
}

/// The result of the stage [`respond`](super::respond()).
pub enum CallReply {
    Reply(Reply),
    /// The method returned a file, and the server has yet to open it.
    File(FileReply),
}

impl CallReply {
    /// Adds the states of the limits for which the request was counted. The reply must not contain them yet.
    pub fn with_limits(mut self, plan: &Plan, method_index: usize, counted: &CountedRequest) -> Self {
        let headers = match &mut self {
            Self::Reply(reply) => &mut reply.headers,
            Self::File(file) => &mut file.headers,
        };
        headers.extend(counted.headers(&plan.methods[method_index].rate_limits));
        self
    }
}

/// A file that an API method returned, and the data for the reply that sends it.
pub struct FileReply {
    /// The index in the plan of the API method that returned the file.
    pub method_index: usize,
    /// The file that the API method returned.
    pub download: Box<Download>,
    /// The HTTP status if the whole file is sent, from 200 to 299. A part of the file has the status 206.
    pub status: u16,
    /// The header fields that the handler set for the response, in addition to those of the [`Download`].
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// Returns a reply that will be replaced.
    pub fn empty() -> Self {
        Self::without_body(500, Vec::new())
    }

    pub fn without_body(status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self {
            status,
            content_type: None,
            headers,
            body: ReplyBody::empty(),
            is_written_for_request: false,
            code: None,
        }
    }

    /// Creates a reply from a body that has been written in its format. `code` is the error code, if the reply is an
    /// error.
    pub(super) fn new(
        plan: &Plan,
        encoded: FormattedBody,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        code: Option<ReplyCode>,
    ) -> Self {
        let FormattedBody { status, media_type, body } = encoded;
        // The response depends on `Accept` if the definition offers formats besides JSON. An error always depends on
        // `Accept`, because clients can request errors as problem documents (RFC 9457).
        if !plan.formats.is_empty() || code.is_some() {
            headers.push((header::VARY, HeaderValue::from_static("accept")));
        }
        let body = ReplyBody::Written(body.into());
        let content_type = Some(media_type);
        Self { content_type, body, is_written_for_request: true, code, ..Self::without_body(status, headers) }
    }
}

/// The maximum size in bytes of the memory that a worker keeps.
const MAX_KEPT_SIZE: usize = 64 << 10;

thread_local! {
    /// Memory that is not in use.
    static UNUSED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bytes of a reply's body. When this value is dropped, its memory is kept for the next reply of this thread.
#[derive(Debug, Default)]
pub struct ReusedBuffer(Vec<u8>);

impl ReusedBuffer {
    /// Returns empty memory. Its capacity is that of an earlier body, so that most bodies need no allocation.
    pub(super) fn empty_memory() -> Vec<u8> {
        // The thread may be ending, so that its memory has been released already.
        UNUSED.try_with(Cell::take).unwrap_or_default()
    }

    /// Returns the bytes without keeping their memory.
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<u8>> for ReusedBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for ReusedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for ReusedBuffer {
    fn drop(&mut self) {
        if (1..=MAX_KEPT_SIZE).contains(&self.0.capacity()) {
            self.0.clear();
            let _ = UNUSED.try_with(|unused| unused.set(std::mem::take(&mut self.0)));
        }
    }
}
