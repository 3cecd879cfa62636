//! A file that a method returned, as a reply: opened, and as much of it as the request gets.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_rt::task::spawn_blocking;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::pieces::{FilePieces, read};
use crate::call::{Content, Download, ETag, Head, Pieces, Refusal};
use crate::pipeline::{self, Of, Reply, ReplyBody, Sendable};
use crate::plan::Plan;
use crate::transfer::{self, Decision, Facts, decide};

/// Up to how many bytes a file is one body.
const WHOLE: u64 = 64 << 10;
/// Within which time a file may change twice and look as if it had not.
const UNSETTLED: Duration = Duration::from_secs(2);
/// What a file may do in a browser: nothing (Content Security Policy Level 3 section 6.3.2).
const POLICY: &str = "sandbox";

/// The reply to a request for a method that returned a file.
pub(super) async fn reply(plan: &Plan, head: &Arc<Head>, sendable: Sendable) -> Reply {
    let Sendable { method, download, status, headers } = sendable;
    let Download { content, name, media_type, etag, modified, length, inline, headers: own, .. } = *download;
    let said = Facts { length, has_parts: false, etag, modified };
    let (decision, facts, body) = match open(head, content, said, status).await {
        Ok(opened) => opened,
        Err(error) => {
            let refusal = Refusal::internal(format_args!("the file cannot be sent: {error}"));
            return pipeline::refuse(plan, head, Of::Method(method), refusal);
        }
    };
    let mut fields = transfer::fields(&facts, decision);
    let content_type = media_type.unwrap_or_else(|| transfer::media_type(name.as_deref()));
    let (status, content_type) = match decision {
        Decision::Whole => (status, Some(content_type)),
        Decision::Part { .. } => (206, Some(content_type)),
        Decision::NotModified => (304, None),
        // Nobody but the client's own machinery asks in a way that these answer: they need no words.
        Decision::Failed => (412, None),
        Decision::OutOfRange => (416, None),
    };
    if content_type.is_some() {
        fields.push((header::CONTENT_DISPOSITION, transfer::disposition(name.as_deref(), inline)));
        fields.push((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)));
    }
    if !matches!(decision, Decision::Failed | Decision::OutOfRange) {
        fields = over(fields, own);
    }
    Reply { status, content_type, headers: over(headers, fields), body, code: None }
}

/// Fields, those of `upper` instead of those of the same names in `lower`.
fn over(
    mut lower: Vec<(HeaderName, HeaderValue)>,
    upper: Vec<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    lower.retain(|(name, _)| upper.iter().all(|(other, _)| other != name));
    lower.extend(upper);
    lower
}

/// What a request gets of a file, what is known of it, and the bytes.
type Opened = (Decision, Facts, ReplyBody);

/// Opens a file, of which `said` is what the method said of it. What may take long is done away from the worker.
async fn open(head: &Arc<Head>, content: Content, said: Facts, status: u16) -> io::Result<Opened> {
    let request = Request { head: Arc::clone(head), status };
    match content {
        Content::Stream(pieces) => Ok(request.stream(pieces, said)),
        Content::Bytes(bytes) if bytes.len() as u64 <= WHOLE => Ok(request.bytes(bytes, said)),
        Content::Bytes(bytes) => away(move || Ok(request.bytes(bytes, said))).await,
        Content::Path(path) => away(move || request.file(open_file(&path)?, said)).await,
        Content::File(file) => away(move || request.file(file, said)).await,
    }
}

async fn away<T: Send + 'static>(run: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(run).await.map_err(io::Error::other)?
}

/// Opens what is a file: opening what is none, such as a pipe, could wait for ever.
fn open_file(path: &Path) -> io::Result<File> {
    let opened = path.metadata().and_then(|kind| if kind.is_file() { File::open(path) } else { Err(no_file()) });
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no file")
}

/// A request for a file.
struct Request {
    head: Arc<Head>,
    /// The status if all of it is sent.
    status: u16,
}

impl Request {
    /// Decides what it gets. Where the method chose a status of its own, that is what it answers.
    fn decide(&self, facts: &Facts) -> Decision {
        if self.status == 200 { decide(&self.head, facts, SystemTime::now()) } else { Decision::Whole }
    }

    fn stream(&self, pieces: Pieces, facts: Facts) -> Opened {
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => ReplyBody::Pieces { pieces, length: facts.length },
            _ => ReplyBody::empty(),
        };
        (decision, facts, body)
    }

    fn bytes(&self, bytes: Bytes, said: Facts) -> Opened {
        let etag = said.etag.unwrap_or_else(|| ETag::strong(hex::encode(&Sha256::digest(&bytes)[..16])));
        let facts = Facts { length: Some(bytes.len() as u64), has_parts: true, etag: Some(etag), ..said };
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => bytes,
            // What was decided lies within the length.
            Decision::Part { from, length } => bytes.slice(from as usize..(from + length) as usize),
            _ => Bytes::new(),
        };
        (decision, facts, body.into())
    }

    /// Of the file nothing is read here but what is one body.
    fn file(&self, mut file: File, said: Facts) -> io::Result<Opened> {
        let kind = file.metadata()?;
        if !kind.is_file() {
            return Err(no_file());
        }
        let modified = said.modified.or_else(|| kind.modified().ok());
        let etag = said.etag.or_else(|| tag(&kind, SystemTime::now()));
        let all = kind.len();
        let facts = Facts { length: Some(all), has_parts: true, etag, modified };
        let decision = self.decide(&facts);
        let (from, length) = match decision {
            Decision::Whole => (0, all),
            Decision::Part { from, length } => (from, length),
            _ => return Ok((decision, facts, ReplyBody::empty())),
        };
        file.seek(SeekFrom::Start(from))?;
        let body = if length <= WHOLE {
            read(file, length)?.1.into()
        } else {
            ReplyBody::Pieces { pieces: Box::pin(FilePieces::new(file, length)), length: Some(length) }
        };
        Ok((decision, facts, body))
    }
}

/// The tag of a file by what its folder knows of it: another content has another one. As long as it may be changed
/// once more without looking so, that is only likely.
fn tag(kind: &std::fs::Metadata, now: SystemTime) -> Option<ETag> {
    let modified = kind.modified().ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!("{:x}-{:x}-{:x}", which(kind), kind.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// Which file it is among those of its disk: another one may take its place.
#[cfg(unix)]
fn which(kind: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(kind)
}

#[cfg(not(unix))]
fn which(_: &std::fs::Metadata) -> u64 {
    0
}
