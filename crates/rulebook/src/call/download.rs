//! Downloads: the files that methods with the option `download` return instead of outputs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{self, HeaderName, HeaderValue};

use super::{ETag, ResponseError, response_header};

/// A file that a method with the option `download` returns: its content, its name and its header fields.
///
/// Clients get the file without an envelope. They can request a part of it, ask whether it has changed, and save it
/// under its name.
///
/// ```
/// use rulebook::{Args, Context, Download, ApiError};
///
/// async fn figures(_: Args<()>, _: Context) -> Result<Download, ApiError> {
///     Ok(Download::bytes("year,sold\n2025,52\n").name("figures é.csv").header("Cache-Control", "max-age=60"))
/// }
/// ```
///
/// The builder methods do not fail. If one gets an invalid value, the call of the method fails with an internal error.
pub struct Download {
    /// The content.
    pub(crate) content: Content,
    /// The file name for clients.
    pub(crate) name: Option<String>,
    /// The media type, if the method sets it.
    pub(crate) media_type: Option<HeaderValue>,
    /// The entity tag: the one that the method has set, or that of the open file; `None` if it is not known yet.
    pub(crate) etag: Option<ETag>,
    /// The time of the last change of the content.
    pub(crate) modified: Option<SystemTime>,
    /// The length in bytes, if it is known before the content is read.
    pub(crate) length: Option<u64>,
    /// `true` if length, entity tag and modification time were read from the open file, so that they need not be read
    /// again.
    pub(crate) has_file_facts: bool,
    /// `true` if browsers should show the file instead of saving it.
    pub(crate) inline: bool,
    /// Further header fields.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The first error of a builder method.
    pub(crate) error: Option<ResponseError>,
}

/// The content of a download, chunk by chunk.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The content of a [`Download`].
pub enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A stream of chunks.
    Stream(ByteStream),
    /// The path of a file.
    Path(PathBuf),
    /// An open file.
    File(std::fs::File),
}

impl From<PathBuf> for Content {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&std::path::Path> for Content {
    fn from(path: &std::path::Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<&str> for Content {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

impl From<String> for Content {
    fn from(path: String) -> Self {
        Self::Path(path.into())
    }
}

impl From<std::fs::File> for Content {
    fn from(file: std::fs::File) -> Self {
        Self::File(file)
    }
}

impl Download {
    /// Creates a download of bytes in memory. Unless the program sets an entity tag, the download has a strong one that
    /// is derived from the bytes.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self::new(Content::Bytes(content.into()))
    }

    /// Creates a download of a stream. The stream is polled as fast as the client receives, so that only a few chunks
    /// are in memory at once, and is dropped when the client disconnects.
    ///
    /// Clients cannot request parts of it. An error of the stream is logged and closes the connection, so that the
    /// client does not mistake the received bytes for the complete file.
    pub fn stream(content: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::new(Content::Stream(Box::pin(content)))
    }

    /// Creates a download of a file on the disk, by its path or as an open file. Length, modification time and entity
    /// tag are those of the file, and the name is the last part of the path, unless the program sets them.
    ///
    /// A path must not contain anything that a client sent. A missing file is an internal error: if it may be missing,
    /// open it yourself and return another error. While the file is sent, do not change its content in place; replace it
    /// by a new file with the same name.
    pub fn file(file: impl Into<Content>) -> Self {
        let content = file.into();
        let name = match &content {
            Content::Path(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            _ => None,
        };
        Self { name, ..Self::new(content) }
    }

    /// Creates a download of header fields and a body, as programs for api 3.0 return them. The rules of
    /// [`Download::header`] apply to the fields.
    pub fn from_parts<N: AsRef<str>, V: TryInto<HeaderValue>>(
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Bytes>,
    ) -> Self {
        headers.into_iter().fold(Self::bytes(body), |download, (name, value)| download.header(name, value))
    }

    fn new(content: Content) -> Self {
        Self {
            content,
            name: None,
            media_type: None,
            etag: None,
            modified: None,
            length: None,
            has_file_facts: false,
            inline: false,
            headers: Vec::new(),
            error: None,
        }
    }

    /// Sets the file name for clients, in any script. Folders, quotes and control characters are removed from it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the media type. By default, the extension of the name determines it; without a known extension, it is
    /// `application/octet-stream`.
    #[must_use]
    pub fn media_type(self, media_type: impl TryInto<HeaderValue>) -> Self {
        self.header(header::CONTENT_TYPE, media_type)
    }

    /// Sets a header field, and replaces fields with the same name that were set before, here or with
    /// [`Context::set_header`](crate::Context::set_header).
    ///
    /// `Content-Type`, `ETag` and `Last-Modified` set the same as [`Download::media_type`], [`Download::etag`] and
    /// [`Download::last_modified`]; `Content-Disposition` replaces the name; `Content-Length` is ignored, because the
    /// engine counts it. Other fields that only the engine sets are errors.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Self {
        if let Err(error) = self.set_header(name.as_ref(), value) {
            self.error.get_or_insert(error);
        }
        self
    }

    fn set_header(&mut self, name: &str, value: impl TryInto<HeaderValue>) -> Result<(), ResponseError> {
        let special = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| {
            [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED].contains(name)
        });
        let Some(name) = special else {
            let (name, value) = response_header(name, value)?;
            self.headers.retain(|(other, _)| *other != name);
            self.headers.push((name, value));
            return Ok(());
        };
        let invalid = || ResponseError::InvalidValue { name: name.clone() };
        let value = value.try_into().map_err(|_| invalid())?;
        if name == header::CONTENT_TYPE {
            self.media_type = Some(value);
        } else if name == header::ETAG {
            self.etag = Some(value.to_str().ok().and_then(ETag::parse).ok_or_else(invalid)?);
        } else if name == header::LAST_MODIFIED {
            let time = value.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
            self.modified = Some(time.ok_or_else(invalid)?);
        }
        Ok(())
    }

    /// Sets the entity tag of the content. A client that already has content with this tag gets the status 304 without
    /// the content.
    #[must_use]
    pub fn etag(mut self, etag: ETag) -> Self {
        self.etag = Some(etag);
        self
    }

    /// Sets the time of the last change of the content, which is sent in whole seconds.
    #[must_use]
    pub fn last_modified(mut self, time: SystemTime) -> Self {
        self.modified = Some(time);
        self
    }

    /// Sets the length of a stream in bytes, so that clients can show their progress. If the stream yields fewer bytes,
    /// the connection ends early; further bytes are not sent. Bytes and files have their own length.
    #[must_use]
    pub fn length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Makes browsers show the file instead of saving it. In the browser, the file cannot run scripts and has no origin
    /// (`Content-Security-Policy: sandbox`).
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    /// Returns the content, for callers of the method from code.
    #[must_use]
    pub fn into_content(self) -> Content {
        self.content
    }

    /// Returns the file name for clients, as the method set it.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("a stream"),
            Self::Path(path) => path.fmt(f),
            Self::File(file) => file.fmt(f),
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("content", &self.content)
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}
