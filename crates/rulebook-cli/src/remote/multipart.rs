//! Multipart request bodies with files. The files are read from disk while the body is sent.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use blake3::Hasher;
use rulebook::multipart::{MultipartForm, MultipartPiece};

use super::{Digest, TransferError};

/// A `multipart/form-data` body (RFC 7578). Its bytes are read with the trait `Read`.
pub(super) struct MultipartBody {
    media_type: String,
    length: u64,
    /// The pieces that have not been read completely.
    remaining: VecDeque<MultipartPiece<Box<FileContent>>>,
    digests: Vec<Digest>,
    bytes_read: u64,
    error: Option<TransferError>,
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

impl MultipartBody {
    /// Creates a body of text fields (field name, value) and then files (field name, file name, path).
    ///
    /// # Errors
    /// Fails if a path cannot be opened, or is not a file.
    pub(super) fn new(fields: &[(&str, &str)], files: &[(&str, &str, &Path)]) -> Result<Self, TransferError> {
        let mut form = MultipartForm::new();
        for (name, value) in fields {
            form.field(name, value);
        }
        for (name, filename, path) in files {
            let content = Box::new(FileContent::open(path)?);
            form.file(name, filename, Some("application/octet-stream"), content);
        }
        let media_type = form.media_type();
        let remaining = VecDeque::from(form.finish());
        let length = remaining.iter().map(|piece| match piece {
            MultipartPiece::Bytes(bytes) => bytes.len() as u64,
            MultipartPiece::File(content) => content.length,
        });
        let length = length.sum();
        Ok(Self { media_type, length, remaining, digests: Vec::new(), bytes_read: 0, error: None })
    }

    /// Returns the value of `Content-Type`.
    pub(super) fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the length of the body in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the number of bytes of the body that have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns the digest of each file that has been read completely, in the order of the files in the body.
    pub(super) fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Returns the error that interrupted reading; `None` if no file has caused an error.
    pub(super) fn into_error(self) -> Option<TransferError> {
        self.error
    }
}

impl Read for MultipartBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            let read = match self.remaining.front_mut() {
                None => break,
                Some(MultipartPiece::Bytes(bytes)) => {
                    let next = bytes.split_to(buffer.len().min(bytes.len()));
                    buffer[..next.len()].copy_from_slice(&next);
                    next.len()
                }
                Some(MultipartPiece::File(content)) => content.read(buffer).map_err(|error| {
                    self.error = Some(error);
                    io::Error::from(io::ErrorKind::Other)
                })?,
            };
            if read > 0 {
                self.bytes_read += read as u64;
                return Ok(read);
            }
            if let Some(MultipartPiece::File(content)) = self.remaining.pop_front() {
                self.digests.push(Digest::from_hasher(&content.hasher));
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
