//! What a download method returns: a file instead of outputs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{self, HeaderName, HeaderValue};

use super::{AnswerError, ETag, field};

/// A file, as a method with the option `download` returns it: its content, and what clients are told of it.
///
/// Clients get it as it is, without an envelope. They can ask for a part of it or whether it has changed, and save it
/// under its name.
///
/// ```
/// use rulebook::{Args, Context, Download, Refusal};
///
/// async fn figures(_: Args<()>, _: Context) -> Result<Download, Refusal> {
///     Ok(Download::bytes("year,sold\n2025,52\n").name("figures é.csv").header("Cache-Control", "max-age=60"))
/// }
/// ```
///
/// What is wrong with what the builder was told is an internal error when the download is returned.
pub struct Download {
    /// What is in it.
    pub(crate) content: Content,
    /// What it is to be saved as.
    pub(crate) name: Option<String>,
    /// Its media type.
    pub(crate) media_type: Option<HeaderValue>,
    /// The tag of its content.
    pub(crate) etag: Option<ETag>,
    /// When its content last changed.
    pub(crate) modified: Option<SystemTime>,
    /// How many bytes a stream gives.
    pub(crate) length: Option<u64>,
    /// Whether length, tag and time are those of the open file itself, so that nobody has to look again.
    pub(crate) known: bool,
    /// Whether it is to be shown instead of saved.
    pub(crate) inline: bool,
    /// Other header fields.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The first thing that was wrong.
    pub(crate) fault: Option<AnswerError>,
}

/// Bytes as they come.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Where the bytes of a download are.
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// They come one after another.
    Stream(Pieces),
    /// In the file of this path.
    Path(PathBuf),
    /// In an open file.
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
    /// The content in memory. It has a tag made from its bytes, unless it is given another one.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(content.into()))
    }

    /// Content that comes piece by piece; no more of it is in memory at once than a few pieces. It is asked for only as
    /// fast as the client reads, and dropped when the client goes away.
    ///
    /// Parts of it cannot be asked for. An error ends the connection, so that the client does not take what it has for
    /// the whole; the log is told.
    pub fn stream(content: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::of(Content::Stream(Box::pin(content)))
    }

    /// A file: its path, or the open file. It has its own length and time of change, and a tag made from these and from
    /// which file it is, unless it is given others. A path's last part is its name, unless it is given another one.
    ///
    /// A path must not be made of what a client sent. A file that is not there is an internal error; where it may be
    /// missing, open it yourself and refuse. While it is sent it must not be changed in its place: replace it by another
    /// one of the same name.
    pub fn file(file: impl Into<Content>) -> Self {
        let content = file.into();
        let name = match &content {
            Content::Path(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            _ => None,
        };
        Self { name, ..Self::of(content) }
    }

    /// Header fields and body, as programs for api 3.0 return them: what [`Download::header`] says of fields counts.
    pub fn from_parts<N: AsRef<str>, V: TryInto<HeaderValue>>(
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Bytes>,
    ) -> Self {
        headers.into_iter().fold(Self::bytes(body), |download, (name, value)| download.header(name, value))
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            name: None,
            media_type: None,
            etag: None,
            modified: None,
            length: None,
            known: false,
            inline: false,
            headers: Vec::new(),
            fault: None,
        }
    }

    /// What it is to be saved as, in any language. Folders, quotes and control characters are left out of it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its media type; without one, what is usual for its name, else `application/octet-stream`.
    #[must_use]
    pub fn media_type(self, media_type: impl TryInto<HeaderValue>) -> Self {
        self.header(header::CONTENT_TYPE, media_type)
    }

    /// Sets a header field, instead of those of this name that were set before, here or with
    /// [`Context::set_header`](crate::Context::set_header).
    ///
    /// `Content-Type` is the media type, `ETag` and `Last-Modified` are what [`Download::etag`] and
    /// [`Download::last_modified`] say, `Content-Disposition` replaces what the name says. `Content-Length` is counted
    /// by the engine, whatever it is here. All others that are the engine's are refused.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Self {
        if let Err(fault) = self.set(name.as_ref(), value) {
            self.fault.get_or_insert(fault);
        }
        self
    }

    fn set(&mut self, name: &str, value: impl TryInto<HeaderValue>) -> Result<(), AnswerError> {
        let known = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| {
            [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED].contains(name)
        });
        let Some(name) = known else {
            let (name, value) = field(name, value)?;
            self.headers.retain(|(own, _)| *own != name);
            self.headers.push((name, value));
            return Ok(());
        };
        let bad = || AnswerError::BadValue { name: name.clone() };
        let value = value.try_into().map_err(|_| bad())?;
        if name == header::CONTENT_TYPE {
            self.media_type = Some(value);
        } else if name == header::ETAG {
            self.etag = Some(value.to_str().ok().and_then(ETag::parse).ok_or_else(bad)?);
        } else if name == header::LAST_MODIFIED {
            let time = value.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
            self.modified = Some(time.ok_or_else(bad)?);
        }
        Ok(())
    }

    /// The tag of its content: clients that have content of this tag are not sent it again.
    #[must_use]
    pub fn etag(mut self, etag: ETag) -> Self {
        self.etag = Some(etag);
        self
    }

    /// When its content last changed, told in whole seconds.
    #[must_use]
    pub fn last_modified(mut self, time: SystemTime) -> Self {
        self.modified = Some(time);
        self
    }

    /// How many bytes a stream gives, so that clients can show how far they are. Where it gives fewer
    /// the connection ends early; more are not sent. Bytes and files know it themselves.
    #[must_use]
    pub fn length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Has browsers show it instead of saving it. What it may do there is nothing: it is told to run no scripts, and to
    /// be of no origin (`Content-Security-Policy: sandbox`).
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    /// What is in it, for whoever calls the method from code.
    #[must_use]
    pub fn into_content(self) -> Content {
        self.content
    }

    /// The name that it is to be saved as, as the method said it.
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
