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

pub struct Reply {
    /// From 200 to 599.
    pub status: u16,
    /// `None` if there is no body.
    pub content_type: Option<HeaderValue>,
    /// Except `Content-Type`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: ReplyBody,
    /// It may be compressed for this request, unlike files, streams and documents.
    pub is_written_for_request: bool,
    /// `None` if the reply is a success.
    pub code: Option<ReplyCode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyCode {
    /// [`ErrorCode::Failed`] for all errors that methods declare.
    pub code: ErrorCode,
    /// Its index in the errors that the method declares.
    pub declared_error: Option<usize>,
}

impl From<ErrorCode> for ReplyCode {
    fn from(code: ErrorCode) -> Self {
        Self { code, declared_error: None }
    }
}

pub enum ReplyBody {
    Whole(Bytes),
    /// In memory that is used again after the reply has been sent.
    Written(ReusedBuffer),
    /// Its compressed forms are cached with it.
    Document(Box<Document>),
    File(Box<FileRange>),
    Stream {
        pieces: ByteStream,
        /// In bytes; `None` if it is not known before the stream ends.
        length: Option<u64>,
    },
}

pub struct FileRange {
    /// Its read position is not used.
    pub file: File,
    pub offset: u64,
    pub length: u64,
    /// Of the server's open files; `None` if the file does not count.
    pub share: Option<Share>,
}

impl ReplyBody {
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// `None` for a file or a stream.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Document(document) => Some(&document.body),
            Self::Written(bytes) => Some(bytes),
            Self::File(_) | Self::Stream { .. } => None,
        }
    }

    /// Returns the length in bytes; 0 for documents and bytes that are shared with other replies.
    pub fn owned_len(&self) -> usize {
        match self {
            Self::Whole(bytes) if !bytes.is_unique() => 0,
            Self::Document(document) if !document.body.is_unique() => 0,
            body => body.bytes().map_or(0, <[u8]>::len),
        }
    }

    /// `None` if it is not known before the stream ends.
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
    /// The server has yet to open it.
    File(FileReply),
}

impl CallReply {
    /// Adds the header fields of the limits for which the request was counted. The reply must not contain them yet.
    pub fn with_limits(mut self, plan: &Plan, method_index: usize, counted: &CountedRequest) -> Self {
        let headers = match &mut self {
            Self::Reply(reply) => &mut reply.headers,
            Self::File(file) => &mut file.headers,
        };
        headers.extend(counted.headers(&plan.methods[method_index].rate_limits));
        self
    }
}

pub struct FileReply {
    pub method_index: usize,
    pub download: Box<Download>,
    /// If the whole file is sent. A part of it has the status 206.
    pub status: u16,
    /// In addition to those of the [`Download`].
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// Creates a reply that will be replaced.
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

    /// The body has been written in its format. `code` is `None` for a success.
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

/// The maximum size of the memory that a thread keeps, in bytes.
const MAX_KEPT_SIZE: usize = 64 << 10;

thread_local! {
    static UNUSED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// When it is dropped, its memory is kept for the next reply of this thread.
#[derive(Debug, Default)]
pub struct ReusedBuffer(Vec<u8>);

impl ReusedBuffer {
    /// Returns memory with the capacity of an earlier body, so that most bodies need no allocation.
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
