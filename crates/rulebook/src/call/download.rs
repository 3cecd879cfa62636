//! Downloads: the files that API methods with the option `download` return instead of outputs.

use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{self, HeaderName, HeaderValue};

use super::{ETag, ResponseError, check_response_header};

/// A file that an API method with the option `download` returns: its content, its name and its header fields.
///
/// Clients get the file without an envelope. Clients can request a part of the file, ask whether the file has changed,
/// and save the file under its name.
///
/// ```
/// use rulebook::{Args, Context, Download, ApiError};
///
/// async fn figures(_: Args<()>, _: Context) -> Result<Download, ApiError> {
///     Ok(Download::bytes("year,sold\n2025,52\n").name("figures é.csv").header("Cache-Control", "max-age=60"))
/// }
/// ```
///
/// The builder functions of this type do not fail. If a builder function gets an invalid value, the call of the API
/// method fails with an internal error.
pub struct Download {
    pub(crate) content: Content,
    /// Clients save the file under it.
    pub(crate) name: Option<String>,
    /// `None` if the handler has not set it.
    pub(crate) media_type: Option<HeaderValue>,
    /// Of the handler or the opened file; `None` if it has not been opened yet.
    pub(crate) etag: Option<ETag>,
    /// Of the last change of the content.
    pub(crate) modified: Option<SystemTime>,
    /// In bytes; `None` if it is not known before the content has been read.
    pub(crate) length: Option<u64>,
    /// Length, entity tag and modification time come from the opened file, and need not be read from the disk.
    pub(crate) has_file_metadata: bool,
    pub(crate) inline: Inline,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// `None` if the number is not limited.
    pub(crate) link_uses: Option<NonZeroU32>,
    /// The first one that a builder function has found.
    pub(crate) error: Option<ResponseError>,
}

/// Whether browsers should show a file instead of saving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inline {
    Never,
    Always,
    /// If files of its media type contain no scripts.
    IfPassive,
}

impl Inline {
    pub(crate) fn shows(self, media_type: &HeaderValue) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::IfPassive => media_type.to_str().is_ok_and(is_passive),
        }
    }
}

/// Returns `true` if files of this media type contain no scripts.
fn is_passive(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.split_once('/') {
        // SVG (`svg+xml`) and other images in XML can contain scripts.
        Some(("image", subtype)) => !subtype.ends_with("xml") && !subtype.starts_with("svg"),
        Some(("audio" | "video", _)) => true,
        _ => name == "text/plain",
    }
}

/// A stream that yields the content of a download in chunks.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The content of a [`Download`].
pub enum Content {
    /// The content is these bytes, which are in memory.
    Bytes(Bytes),
    /// The content is the chunks of this stream.
    Stream(ByteStream),
    /// The content is in the file with this path.
    Path(PathBuf),
    /// The content is in this open file.
    File(std::fs::File),
    /// The content is in another storage, which can be read from any offset.
    Ranged(RangedContent),
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
    /// Creates a download of bytes in memory. Unless the program sets an entity tag, the download has a strong entity
    /// tag, which is a hash of the bytes.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self::new(Content::Bytes(content.into()))
    }

    /// Creates a download of a stream. The stream is polled as fast as the client receives the content, so that only a
    /// few chunks are in memory at the same time. When the client disconnects, the stream is dropped.
    ///
    /// Clients cannot request parts of a stream. If the stream fails, the error is logged and the connection is closed,
    /// so that the client does not mistake the received bytes for the complete file.
    pub fn stream(content: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::new(Content::Stream(Box::pin(content)))
    }

    /// Creates a download of a file on the disk, by its path or as an open file. The length, the modification time and
    /// the entity tag are taken from the file, and the name is the last segment of the path, unless the program sets
    /// them.
    ///
    /// The path must not contain text that a client has sent. If the file does not exist, the call fails with an
    /// internal error: if the file may be missing, open it in the handler and return another error. While the file is
    /// sent, do not change its content in place; replace the file by a new file with the same name.
    pub fn file(file: impl Into<Content>) -> Self {
        let content = file.into();
        let name = match &content {
            Content::Path(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            _ => None,
        };
        Self { name, ..Self::new(content) }
    }

    /// Creates a download from header fields and a body, in the form in which programs for api 3.0 return files. The
    /// header fields are set with [`Download::header`].
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
            has_file_metadata: false,
            inline: Inline::Never,
            headers: Vec::new(),
            link_uses: None,
            error: None,
        }
    }

    /// Sets the file name under which clients save the file. The name may contain any letters; folders, quotes and
    /// control characters are removed from the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the media type of the file. By default, the extension of the file name determines the media type; without a
    /// known extension, the media type is `application/octet-stream`.
    #[must_use]
    pub fn media_type(self, media_type: impl TryInto<HeaderValue>) -> Self {
        self.header(header::CONTENT_TYPE, media_type)
    }

    /// Sets a header field, and replaces header fields with the same name that were set before, with this function or
    /// with [`Context::set_header`](crate::Context::set_header).
    ///
    /// Setting `Content-Type`, `ETag` or `Last-Modified` has the same effect as [`Download::media_type`],
    /// [`Download::etag`] or [`Download::last_modified`]. `Content-Disposition` replaces the file name.
    /// `Content-Length` is ignored, because the engine computes the length. Setting any other header field that only
    /// the engine may set is an error.
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
            let (name, value) = check_response_header(name, value)?;
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

    /// Sets the entity tag of the content. A client that already has content with this entity tag gets the status 304
    /// without the content.
    #[must_use]
    pub fn etag(mut self, etag: ETag) -> Self {
        self.etag = Some(etag);
        self
    }

    /// Sets the time at which the content was changed last. Clients get this time in whole seconds.
    #[must_use]
    pub fn last_modified(mut self, time: SystemTime) -> Self {
        self.modified = Some(time);
        self
    }

    /// Sets the length of a stream in bytes, so that clients can show their progress. If the stream yields fewer bytes,
    /// the connection is closed; if the stream yields more bytes, the additional bytes are not sent. For bytes in
    /// memory and for files, the engine knows the length.
    #[must_use]
    pub fn length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Makes browsers show the file instead of saving it. The browser runs no scripts of the file, and gives the file
    /// no access to the data of the website (`Content-Security-Policy: sandbox`).
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = Inline::Always;
        self
    }

    /// Makes browsers show the file instead of saving it if files of its media type contain no scripts: images except
    /// SVG, audio, video and plain text. For a file that a client has uploaded.
    #[must_use]
    pub fn inline_if_passive(mut self) -> Self {
        self.inline = Inline::IfPassive;
        self
    }

    /// Limits how often a link to the file can be used: after this number of downloads, the response is 410 (Gone).
    /// With 1, the link is good for one download. This number is exact even if several clients use the link at the same
    /// time, at several servers that share the files of links. A response that has begun counts, even if the client
    /// does not receive all of it; clients cannot request parts of such a file. A response without a link is not
    /// affected.
    ///
    /// If clients are redirected to the storage of the files (the setting `link_target` is `presigned`), the server
    /// counts redirects instead: until the URL of a redirect expires, a client can use it several times, and request
    /// parts of the file.
    #[must_use]
    pub fn link_uses(mut self, uses: NonZeroU32) -> Self {
        self.link_uses = Some(uses);
        self
    }

    /// Returns the content of the file, for code that has called the API method.
    #[must_use]
    pub fn into_content(self) -> Content {
        self.content
    }

    /// Returns the file name that the handler has set; `None` if the file has no name.
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
            Self::Ranged(content) => content.fmt(f),
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

/// The content of a file that is not on the disk, such as an object in an object storage. Any part of it can be read
/// without reading the bytes before the part, so that clients can request parts of the file.
#[derive(Clone)]
pub struct RangedContent {
    length: u64,
    open: Arc<dyn Fn(Range<u64>) -> ByteStream + Send + Sync>,
}

impl RangedContent {
    /// Creates the content from its length in bytes and a function that returns the stream of a part. The stream should
    /// request the part when it is first polled, and keep only a few chunks in memory.
    pub fn new(length: u64, open: impl Fn(Range<u64>) -> ByteStream + Send + Sync + 'static) -> Self {
        Self { length, open: Arc::new(open) }
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns a stream of the bytes in a range of offsets, which must not exceed the length.
    #[must_use]
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        (self.open)(range)
    }
}

impl fmt::Debug for RangedContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in another storage", self.length)
    }
}
