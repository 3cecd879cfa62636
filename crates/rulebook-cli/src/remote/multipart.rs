//! Multipart request bodies with files. The files are read from disk while the body is sent.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};
use rulebook::multipart::{MultipartForm, MultipartPiece};

use super::{OutgoingFile, Progress, TransferError};

/// A `multipart/form-data` body (RFC 7578) with files. Its bytes are read with the trait `Read`, and their number is
/// shown as progress.
pub(super) struct MultipartBody<'p> {
    pub(super) media_type: String,
    /// The length of the body in bytes.
    pub(super) length: u64,
    /// The pieces that have not been read completely.
    remaining: VecDeque<MultipartPiece<Box<FileContent>>>,
    /// The digest of each file that has been read completely, in the order of the files.
    pub(super) digests: Vec<Hash>,
    pub(super) has_sent: bool,
    /// The error of a file that interrupted reading.
    pub(super) error: Option<TransferError>,
    progress: &'p Progress,
}

/// A file whose content is being read.
struct FileContent {
    file: File,
    path: PathBuf,
    /// The length of the file in bytes when it was opened.
    length: u64,
    /// The number of bytes of the file that have not been read yet.
    unread: u64,
    hasher: Hasher,
}

impl<'p> MultipartBody<'p> {
    /// Creates a body with the names of the files in the fields `filename`, and the files in the fields `content`.
    pub(super) fn new(files: &[OutgoingFile], progress: &'p Progress) -> Result<Self, TransferError> {
        let mut form = MultipartForm::new();
        // The names are sent first, so that the server can reject a name before it receives any file.
        for file in files {
            form.field("filename", &file.name);
        }
        for file in files {
            let last_segment = file.name.rsplit('/').next().unwrap_or(&file.name);
            let content = Box::new(FileContent::open(&file.path)?);
            form.file("content", last_segment, Some("application/octet-stream"), content);
        }
        let media_type = form.media_type();
        let remaining = VecDeque::from(form.finish());
        let lengths = remaining.iter().map(|piece| match piece {
            MultipartPiece::Bytes(bytes) => bytes.len() as u64,
            MultipartPiece::File(content) => content.length,
        });
        let length = lengths.sum();
        progress.start(0, Some(length));
        Ok(Self { media_type, length, remaining, digests: Vec::new(), has_sent: false, error: None, progress })
    }
}

impl Read for MultipartBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.remaining.front_mut().filter(|_| !buffer.is_empty()) {
            let read = match piece {
                MultipartPiece::Bytes(bytes) => {
                    let next = bytes.split_to(buffer.len().min(bytes.len()));
                    buffer[..next.len()].copy_from_slice(&next);
                    next.len()
                }
                MultipartPiece::File(content) => content.read(buffer).map_err(|error| {
                    self.error = Some(error);
                    io::Error::from(io::ErrorKind::Other)
                })?,
            };
            if read > 0 {
                self.has_sent = true;
                self.progress.advance(read);
                return Ok(read);
            }
            if let Some(MultipartPiece::File(content)) = self.remaining.pop_front() {
                self.digests.push(content.hasher.finalize());
            }
        }
        Ok(0)
    }
}

impl FileContent {
    fn open(path: &Path) -> Result<Self, TransferError> {
        let file_error = TransferError::at_path(path);
        let file = File::open(path).map_err(&file_error)?;
        let metadata = file.metadata().map_err(&file_error)?;
        if !metadata.is_file() {
            return Err(file_error(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
        }
        let length = metadata.len();
        Ok(Self { file, path: path.to_owned(), length, unread: length, hasher: Hasher::new() })
    }

    /// Reads the next bytes of the file. Returns an error if the length of the file has changed since it was opened;
    /// the request then ends before the last boundary, so that the server discards the incomplete body.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TransferError> {
        let file_error = TransferError::at_path(&self.path);
        if self.unread == 0 {
            let length = self.file.metadata().map_err(&file_error)?.len();
            return if length == self.length { Ok(0) } else { Err(TransferError::FileChanged(self.path.clone())) };
        }
        let limit = usize::try_from(self.unread).map_or(buffer.len(), |unread| unread.min(buffer.len()));
        let read = loop {
            match self.file.read(&mut buffer[..limit]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(&file_error)?,
            }
        };
        if read == 0 {
            return Err(TransferError::FileChanged(self.path.clone()));
        }
        self.unread -= read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
