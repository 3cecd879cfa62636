//! A form with files, made while it is sent: never more of it is in memory than a piece.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use blake3::Hasher;

use super::{Digest, Failure};

/// A body of `multipart/form-data` (RFC 7578), read piece by piece.
pub(super) struct Form {
    boundary: String,
    length: u64,
    current: Option<Piece>,
    rest: IntoIter<Piece>,
    digests: Vec<Digest>,
    done: u64,
    failure: Option<Failure>,
}

/// What a form is made of.
enum Piece {
    Text(Cursor<Vec<u8>>),
    File(Box<Content>),
}

/// A file on its way.
struct Content {
    file: File,
    path: PathBuf,
    size: u64,
    left: u64,
    hasher: Hasher,
}

impl Form {
    /// A form of fields, each a name and a value, and behind them files, each a name, a file's name and a path.
    ///
    /// # Errors
    /// A file cannot be opened, or is none.
    pub(super) fn new(fields: &[(&str, &str)], files: &[(&str, &str, &Path)]) -> Result<Self, Failure> {
        let boundary = boundary()?;
        let mut pieces = Vec::new();
        for (name, value) in fields {
            let name = quoted(name);
            let text = format!("--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
            pieces.push(Piece::Text(Cursor::new(text.into_bytes())));
        }
        for (name, filename, path) in files {
            let (name, filename) = (quoted(name), quoted(filename));
            let text = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name={name}; filename={filename}\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            pieces.push(Piece::Text(Cursor::new(text.into_bytes())));
            pieces.push(Piece::File(Box::new(Content::open(path)?)));
            pieces.push(Piece::Text(Cursor::new(b"\r\n".to_vec())));
        }
        pieces.push(Piece::Text(Cursor::new(format!("--{boundary}--\r\n").into_bytes())));
        let length = pieces.iter().map(Piece::length).sum();
        let rest = pieces.into_iter();
        Ok(Self { boundary, length, current: None, rest, digests: Vec::new(), done: 0, failure: None })
    }

    /// The media type, which says where parts end.
    pub(super) fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// How long it is, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes of it have been read.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// The digests of the files that have been read to their ends, in their order.
    pub(super) fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Why it could not be read on.
    pub(super) fn failure(self) -> Option<Failure> {
        self.failure
    }
}

impl Read for Form {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.current.is_none() {
                self.current = self.rest.next();
            }
            let read = match &mut self.current {
                None => break,
                Some(Piece::Text(text)) => text.read(buffer)?,
                Some(Piece::File(content)) => match content.read(buffer) {
                    Ok(read) => read,
                    Err(failure) => {
                        self.failure = Some(failure);
                        return Err(io::ErrorKind::Other.into());
                    }
                },
            };
            if read > 0 {
                self.done += read as u64;
                return Ok(read);
            }
            if let Some(Piece::File(content)) = self.current.take() {
                self.digests.push(Digest::of(&content.hasher));
            }
        }
        Ok(0)
    }
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.get_ref().len() as u64,
            Self::File(content) => content.size,
        }
    }
}

impl Content {
    fn open(path: &Path) -> Result<Self, Failure> {
        let told = Failure::of(path);
        let file = File::open(path).map_err(&told)?;
        let kind = file.metadata().map_err(&told)?;
        if !kind.is_file() {
            return Err(told(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
        }
        let size = kind.len();
        Ok(Self { file, path: path.to_owned(), size, left: size, hasher: Hasher::new() })
    }

    /// Reads on. A file that has become shorter or longer meanwhile ends the request before its last line, so that
    /// the server keeps nothing.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let told = Failure::of(&self.path);
        if self.left == 0 {
            let size = self.file.metadata().map_err(&told)?.len();
            return if size == self.size { Ok(0) } else { Err(Failure::Changed(self.path.clone())) };
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = loop {
            match self.file.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(&told)?,
            }
        };
        if read == 0 {
            return Err(Failure::Changed(self.path.clone()));
        }
        self.left -= read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// A line that no file holds but by an accident that does not happen.
fn boundary() -> Result<String, Failure> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::File { path: "random numbers".into(), error: io::Error::other(error) })?;
    Ok(format!("rulebook-{}", hex::encode(random)))
}

/// A name as a form has it: quotes and line ends are escaped as browsers do (RFC 7578 section 2).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
}
