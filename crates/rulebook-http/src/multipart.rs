//! Forms with files (`multipart/form-data`, RFC 7578), whose files are read from the disk while they are sent.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream::try_unfold;
use rulebook::{RequestId, Upload};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// The size of the pieces in which files are read.
const PIECE_SIZE: usize = 64 << 10;

/// A form with files.
#[derive(Debug)]
pub struct Multipart {
    boundary: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Bytes(Bytes),
    File(Upload),
}

/// Creates a [`Multipart`].
pub struct MultipartBuilder {
    boundary: String,
    pieces: Vec<Piece>,
    /// The bytes after the last file.
    written: Vec<u8>,
}

impl MultipartBuilder {
    /// Creates a form without fields.
    pub fn new() -> Self {
        // No field can contain the boundary, because no client knows it before the form is complete.
        let boundary = format!("rulebook-{}{}", RequestId::random(), RequestId::random());
        Self { boundary, pieces: Vec::new(), written: Vec::new() }
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.begin(name, "");
        self.written.extend_from_slice(b"\r\n");
        self.written.extend_from_slice(value.as_bytes());
        self.written.extend_from_slice(b"\r\n");
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, upload: &Upload) {
        self.begin(name, &format!("; filename=\"{}\"", escape(upload.filename())));
        self.written.extend_from_slice(b"Content-Type: ");
        // The media type was detected by the server.
        self.written.extend_from_slice(upload.media_type().as_bytes());
        self.written.extend_from_slice(b"\r\n\r\n");
        let before = std::mem::replace(&mut self.written, b"\r\n".to_vec());
        self.pieces.push(Piece::Bytes(before.into()));
        self.pieces.push(Piece::File(upload.clone()));
    }

    /// Returns the form.
    pub fn finish(mut self) -> Multipart {
        self.written.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.pieces.push(Piece::Bytes(self.written.into()));
        Multipart { boundary: self.boundary, pieces: self.pieces }
    }

    fn begin(&mut self, name: &str, filename: &str) {
        let name = escape(name);
        let head = format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n", self.boundary);
        self.written.extend_from_slice(head.as_bytes());
    }
}

/// Encodes the characters that end a quoted name, as browsers do.
fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl Multipart {
    /// Returns the value of `Content-Type`.
    pub fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        let len = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(upload) => upload.size(),
        };
        self.pieces.iter().map(len).sum()
    }

    /// Returns the bytes of the form. Files are read as they are sent.
    pub fn stream(self: &Arc<Self>) -> Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>> {
        let reading = Reading { left: self.pieces.iter().cloned().collect(), open: None };
        Box::pin(try_unfold(reading, |mut reading| async move {
            let piece = reading.next_piece().await?;
            Ok(piece.map(|piece| (piece, reading)))
        }))
    }
}

/// A form while it is read.
struct Reading {
    left: VecDeque<Piece>,
    open: Option<OpenUpload>,
}

struct OpenUpload {
    file: File,
    /// The number of bytes that have not been read.
    left: u64,
    /// Keeps the temporary file.
    _upload: Upload,
}

impl Reading {
    async fn next_piece(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(open) = self.open.as_mut().filter(|open| open.left > 0) {
                let size = usize::try_from(open.left).unwrap_or(PIECE_SIZE).min(PIECE_SIZE);
                let mut buffer = BytesMut::with_capacity(size);
                let read = (&mut open.file).take(size as u64).read_buf(&mut buffer).await?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                open.left -= read as u64;
                return Ok(Some(buffer.freeze()));
            }
            self.open = None;
            match self.left.pop_front() {
                None => return Ok(None),
                Some(Piece::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(Piece::File(upload)) => {
                    let file = File::open(upload.path()).await?;
                    self.open = Some(OpenUpload { file, left: upload.size(), _upload: upload });
                }
            }
        }
    }
}
