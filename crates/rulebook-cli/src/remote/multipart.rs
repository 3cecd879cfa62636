//! Multipart request bodies with files, which are read from disk while they are sent.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use blake3::Hasher;

use super::{Digest, TransferError};

/// A `multipart/form-data` body (RFC 7578), implemented as a reader.
pub(super) struct MultipartBody {
    boundary: String,
    length: u64,
    current: Option<Section>,
    remaining: IntoIter<Section>,
    digests: Vec<Digest>,
    bytes_read: u64,
    error: Option<TransferError>,
}

/// A section of the body: fixed text, or the content of a file.
enum Section {
    Text(Cursor<Vec<u8>>),
    File(Box<FileContent>),
}

/// A file whose content is being read.
struct FileContent {
    file: File,
    path: PathBuf,
    /// The length in bytes when the file was opened.
    length: u64,
    /// The number of bytes that have not been read.
    unread: u64,
    hasher: Hasher,
}

impl MultipartBody {
    /// Creates a body of fields (name, value) followed by files (name, file name, path).
    ///
    /// # Errors
    /// Fails if a path cannot be opened, or is not a file.
    pub(super) fn new(fields: &[(&str, &str)], files: &[(&str, &str, &Path)]) -> Result<Self, TransferError> {
        let boundary = boundary()?;
        let mut sections = Vec::new();
        for (name, value) in fields {
            let name = quoted(name);
            let text = format!("--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
            sections.push(Section::Text(Cursor::new(text.into_bytes())));
        }
        for (name, filename, path) in files {
            let (name, filename) = (quoted(name), quoted(filename));
            let text = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name={name}; filename={filename}\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            sections.push(Section::Text(Cursor::new(text.into_bytes())));
            sections.push(Section::File(Box::new(FileContent::open(path)?)));
            sections.push(Section::Text(Cursor::new(b"\r\n".to_vec())));
        }
        sections.push(Section::Text(Cursor::new(format!("--{boundary}--\r\n").into_bytes())));
        let length = sections.iter().map(Section::length).sum();
        let remaining = sections.into_iter();
        Ok(Self { boundary, length, current: None, remaining, digests: Vec::new(), bytes_read: 0, error: None })
    }

    /// Returns the media type, with the boundary between the parts.
    pub(super) fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Returns the length of the body in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the number of bytes that have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns the digests of the files that have been read completely, in their order.
    pub(super) fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Returns the error that ended reading, if there was one.
    pub(super) fn into_error(self) -> Option<TransferError> {
        self.error
    }
}

impl Read for MultipartBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.current.is_none() {
                self.current = self.remaining.next();
            }
            let read = match &mut self.current {
                None => break,
                Some(Section::Text(text)) => text.read(buffer)?,
                Some(Section::File(content)) => match content.read(buffer) {
                    Ok(read) => read,
                    Err(error) => {
                        self.error = Some(error);
                        return Err(io::ErrorKind::Other.into());
                    }
                },
            };
            if read > 0 {
                self.bytes_read += read as u64;
                return Ok(read);
            }
            if let Some(Section::File(content)) = self.current.take() {
                self.digests.push(Digest::of(&content.hasher));
            }
        }
        Ok(0)
    }
}

impl Section {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.get_ref().len() as u64,
            Self::File(content) => content.length,
        }
    }
}

impl FileContent {
    fn open(path: &Path) -> Result<Self, TransferError> {
        let file_error = TransferError::file(path);
        let file = File::open(path).map_err(&file_error)?;
        let metadata = file.metadata().map_err(&file_error)?;
        if !metadata.is_file() {
            return Err(file_error(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
        }
        let length = metadata.len();
        Ok(Self { file, path: path.to_owned(), length, unread: length, hasher: Hasher::new() })
    }

    /// Reads the next bytes. If the length of the file has changed meanwhile, this returns an error, and the request
    /// ends before the last boundary. The server then discards the incomplete body.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TransferError> {
        let file_error = TransferError::file(&self.path);
        if self.unread == 0 {
            let length = self.file.metadata().map_err(&file_error)?.len();
            return if length == self.length { Ok(0) } else { Err(TransferError::Changed(self.path.clone())) };
        }
        let limit = usize::try_from(self.unread).map_or(buffer.len(), |unread| unread.min(buffer.len()));
        let read = loop {
            match self.file.read(&mut buffer[..limit]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(&file_error)?,
            }
        };
        if read == 0 {
            return Err(TransferError::Changed(self.path.clone()));
        }
        self.unread -= read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// Creates a boundary from 192 random bits, so that it does not occur in any file.
fn boundary() -> Result<String, TransferError> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|error| TransferError::File { path: "random numbers".into(), error: io::Error::other(error) })?;
    Ok(format!("rulebook-{}", hex::encode(random)))
}

/// Quotes a name; quotes and line breaks in it are escaped as browsers do (RFC 7578 section 2).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
}
