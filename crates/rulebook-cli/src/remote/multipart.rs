//! Multipart request bodies with files. The files are read from disk while the body is sent.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use blake3::Hasher;

use super::{Digest, TransferError};

/// A `multipart/form-data` body (RFC 7578). Its bytes are read with the trait `Read`.
pub(super) struct MultipartBody {
    boundary: String,
    length: u64,
    current_section: Option<Section>,
    remaining_sections: IntoIter<Section>,
    digests: Vec<Digest>,
    bytes_read: u64,
    error: Option<TransferError>,
}

/// A section of a multipart body: text in memory, or the content of a file.
enum Section {
    Text(Cursor<Vec<u8>>),
    File(Box<FileContent>),
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
        let boundary = random_boundary()?;
        let mut sections = Vec::new();
        for (name, value) in fields {
            let name = quote_name(name);
            let text = format!("--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
            sections.push(Section::Text(Cursor::new(text.into_bytes())));
        }
        for (name, filename, path) in files {
            let (name, filename) = (quote_name(name), quote_name(filename));
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
        let remaining_sections = sections.into_iter();
        Ok(Self {
            boundary,
            length,
            current_section: None,
            remaining_sections,
            digests: Vec::new(),
            bytes_read: 0,
            error: None,
        })
    }

    /// Returns the media type of the body, for the field `Content-Type`. It contains the boundary between the fields.
    pub(super) fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
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
            if self.current_section.is_none() {
                self.current_section = self.remaining_sections.next();
            }
            let read = match &mut self.current_section {
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
            if let Some(Section::File(content)) = self.current_section.take() {
                self.digests.push(Digest::from_hasher(&content.hasher));
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

/// Creates the boundary that separates the fields of the body. It has 192 random bits, so that no file contains it.
fn random_boundary() -> Result<String, TransferError> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|error| TransferError::FileAccess { path: "random numbers".into(), error: io::Error::other(error) })?;
    Ok(format!("rulebook-{}", hex::encode(random)))
}

/// Quotes a field name or a file name. Quotes and line breaks in the name are escaped as browsers do (RFC 7578 section
/// 2).
fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
}
