//! Sends a request: its parameters, and its body from memory and from uploaded files.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use rulebook::Upload;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::record::{push_stdin, set_request_id};

/// The number of bytes of the body that are prepared at once.
const CHUNK_LEN: usize = 32 << 10;

/// A part of the body of a request.
#[derive(Debug, Clone)]
pub enum BodyPart {
    /// Bytes in memory.
    Bytes(Bytes),
    /// The content of an uploaded file.
    File(Upload),
}

/// The records of a request that were not sent yet. At most a chunk of a file is in memory.
#[derive(Debug)]
pub struct Sender {
    /// The id of the request.
    id: u16,
    /// The records that are prepared.
    records: Vec<u8>,
    /// The number of bytes in `records` that were sent.
    sent: usize,
    /// The number of bytes of the parameters that were not sent.
    head_left: usize,
    parts: VecDeque<BodyPart>,
    /// The file that is being read, and the number of its bytes that were not read yet. The upload keeps the file.
    file: Option<(File, u64, Upload)>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Parts of the body were not prepared yet.
    Body,
    /// All records are prepared.
    Prepared,
    /// The server reads no further.
    Stopped,
}

impl Sender {
    /// Creates a sender of the records in `head`, and of a body.
    pub fn new(head: Vec<u8>, body: Vec<BodyPart>) -> Self {
        Self {
            id: 0,
            head_left: head.len(),
            records: head,
            sent: 0,
            parts: body.into(),
            file: None,
            state: State::Body,
        }
    }

    /// Sets the id of the request, before anything is sent.
    pub(super) fn set_request_id(&mut self, id: u16) {
        self.id = id;
        set_request_id(&mut self.records, id);
    }

    /// Prepares records if all earlier ones were sent.
    ///
    /// # Errors
    /// Fails if an uploaded file cannot be read, or is shorter than it was.
    pub(super) async fn prepare(&mut self) -> io::Result<()> {
        // A small body is prepared, and sent, together with the parameters.
        if self.state != State::Body || (self.sent < self.records.len() && self.head_left != self.records.len()) {
            return Ok(());
        }
        if self.sent == self.records.len() {
            self.records.clear();
            self.sent = 0;
        }
        let end = self.records.len() + CHUNK_LEN;
        while self.records.len() < end && self.state == State::Body {
            if self.file.is_some() {
                self.prepare_from_file().await?;
                continue;
            }
            match self.parts.pop_front() {
                Some(BodyPart::Bytes(mut bytes)) => {
                    let chunk = bytes.split_to(bytes.len().min(CHUNK_LEN));
                    // An empty record would end the body.
                    if !chunk.is_empty() {
                        push_stdin(&mut self.records, self.id, &chunk);
                    }
                    if !bytes.is_empty() {
                        self.parts.push_front(BodyPart::Bytes(bytes));
                    }
                }
                Some(BodyPart::File(upload)) => {
                    self.file = Some((File::open(upload.path()).await?, upload.size(), upload));
                }
                None => {
                    push_stdin(&mut self.records, self.id, &[]);
                    self.state = State::Prepared;
                }
            }
        }
        Ok(())
    }

    async fn prepare_from_file(&mut self) -> io::Result<()> {
        let Some((file, left, _)) = &mut self.file else { return Ok(()) };
        if *left == 0 {
            self.file = None;
            return Ok(());
        }
        let len = usize::try_from(*left).unwrap_or(usize::MAX).min(CHUNK_LEN);
        let mut chunk = vec![0; len];
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        push_stdin(&mut self.records, self.id, &chunk[..read]);
        *left -= read as u64;
        Ok(())
    }

    /// Returns the prepared bytes that were not sent.
    pub(super) fn unsent(&self) -> &[u8] {
        if self.state == State::Stopped { &[] } else { &self.records[self.sent..] }
    }

    /// Removes bytes that were sent.
    pub(super) fn advance(&mut self, sent: usize) {
        self.sent += sent;
        self.head_left = self.head_left.saturating_sub(sent);
    }

    /// Drops what was not sent, because the server reads no further.
    pub(super) fn stop(&mut self) {
        self.state = State::Stopped;
    }

    /// Returns `true` if all parameters were passed to the system. Before that, the server cannot run anything.
    pub(super) fn has_sent_head(&self) -> bool {
        self.head_left == 0
    }

    /// Returns `true` if the whole request was passed to the system.
    pub(super) fn has_sent_all(&self) -> bool {
        self.state == State::Prepared && self.unsent().is_empty()
    }
}
