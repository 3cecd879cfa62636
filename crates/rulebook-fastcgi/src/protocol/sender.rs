//! Sends a request: its parameters, and its body from memory and from uploaded files.

use std::io;

use bytes::Bytes;
use futures_util::stream::{BoxStream, TryStreamExt};
use rulebook::Upload;
use rulebook::handler_kind::body_stream;
use rulebook::multipart::MultipartPiece;

use super::record::{push_stdin, set_request_id};

/// The number of bytes of the body that are prepared at once.
const CHUNK_LEN: usize = 32 << 10;

/// The records of a request that were not sent yet. At most a chunk of a file is in memory.
pub struct Sender {
    /// The id of the request.
    id: u16,
    /// The records that are prepared.
    records: Vec<u8>,
    /// The number of bytes in `records` that were sent.
    sent: usize,
    /// The number of bytes of the parameters that were not sent.
    head_left: usize,
    /// The part of the body that was not prepared; `None` if all records are.
    body: Option<BoxStream<'static, io::Result<Bytes>>>,
    /// `true` if the server reads no further.
    is_stopped: bool,
}

impl Sender {
    pub fn new(head: Vec<u8>, body: Vec<MultipartPiece<Upload>>) -> Self {
        let (head_left, body) = (head.len(), Some(body_stream(body)));
        Self { id: 0, records: head, sent: 0, head_left, body, is_stopped: false }
    }

    /// Sets the id of the request, before anything is sent.
    pub(super) fn set_request_id(&mut self, id: u16) {
        self.id = id;
        set_request_id(&mut self.records, id);
    }

    /// Prepares records if all earlier ones were sent.
    /// Fails if an uploaded file cannot be read, or is shorter than it was.
    pub(super) async fn prepare(&mut self) -> io::Result<()> {
        // A small body is prepared, and sent, together with the parameters.
        if self.is_stopped || (self.sent < self.records.len() && self.head_left != self.records.len()) {
            return Ok(());
        }
        if self.sent == self.records.len() {
            self.records.clear();
            self.sent = 0;
        }
        let end = self.records.len() + CHUNK_LEN;
        while self.records.len() < end
            && let Some(body) = &mut self.body
        {
            let part = body.try_next().await?;
            if part.is_none() {
                self.body = None;
            }
            // An empty record ends the body.
            push_stdin(&mut self.records, self.id, &part.unwrap_or_default());
        }
        Ok(())
    }

    /// Returns the prepared bytes that were not sent.
    pub(super) fn unsent(&self) -> &[u8] {
        if self.is_stopped { &[] } else { &self.records[self.sent..] }
    }

    /// Removes bytes that were sent.
    pub(super) fn advance(&mut self, sent: usize) {
        self.sent += sent;
        self.head_left = self.head_left.saturating_sub(sent);
    }

    /// Drops what was not sent, because the server reads no further.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Returns `true` if all parameters were passed to the system. Before that, the server cannot run anything.
    pub(super) fn has_sent_head(&self) -> bool {
        self.head_left == 0
    }

    /// Returns `true` if the whole request was passed to the system.
    pub(super) fn has_sent_all(&self) -> bool {
        !self.is_stopped && self.body.is_none() && self.unsent().is_empty()
    }
}
