//! Last stage: an outcome in its envelope and format.
//!
//! Every answer is written here, also those of requests that no service has.

use bytes::Bytes;

use super::form::{Form, Written};
use super::route;
use crate::call::{Download, Head, Outcome, Pieces, Reason, Refusal, Returned, Success};
use crate::envelope::Envelope;
use crate::error::Code;
use crate::plan::{Method, Plan};
use http::{HeaderName, HeaderValue};

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body's media type; none where there is no body.
    pub content_type: Option<HeaderValue>,
    /// Other header fields.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: ReplyBody,
    /// Why the request was refused, if it was.
    pub code: Option<Code>,
}

/// The body of an answer.
pub enum ReplyBody {
    /// It is here.
    Whole(Bytes),
    /// It comes piece by piece.
    Pieces {
        /// As it comes.
        pieces: Pieces,
        /// Its length in bytes; none where only its end will tell.
        length: Option<u64>,
    },
}

impl ReplyBody {
    /// That of an answer without one.
    #[must_use]
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl<B: Into<Bytes>> From<B> for ReplyBody {
    fn from(bytes: B) -> Self {
        Self::Whole(bytes.into())
    }
}

impl std::fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Pieces { length: Some(length), .. } => write!(f, "{length} bytes in pieces"),
            Self::Pieces { length: None, .. } => f.write_str("pieces"),
        }
    }
}

/// What a call is answered with.
#[derive(Debug)]
pub enum Answered {
    /// An answer, ready to be sent.
    Reply(Reply),
    /// A file that has yet to be opened.
    Download(Sendable),
}

/// A file that is the answer of a method.
#[derive(Debug)]
pub struct Sendable {
    /// The method's index.
    pub method: usize,
    /// The file.
    pub download: Box<Download>,
    /// HTTP status, from 200 to 299, if all of it is sent.
    pub status: u16,
    /// Header fields that the handler set beside those of the file.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { status, content_type: None, headers, body: ReplyBody::empty(), code: None }
    }

    fn new(written: Written, headers: Vec<(HeaderName, HeaderValue)>, code: Option<Code>) -> Self {
        let Written { status, media_type, body } = written;
        Self { status, content_type: Some(media_type), headers, body: body.into(), code }
    }
}

/// Writes what a call of the method of this index ended in.
pub(super) fn respond(plan: &Plan, head: &Head, index: usize, outcome: Outcome) -> Answered {
    let method = &plan.methods[index];
    let envelope = &*plan.modules[method.module].envelope;
    let refused = |refusal| Answered::Reply(write_refusal(envelope, head, Some(method), refusal));
    let Success { returned, status, whole, headers } = match outcome {
        Ok(success) => success,
        Err(refusal) => return refused(refusal),
    };
    let outputs = match returned {
        Returned::Outputs(outputs) => outputs,
        Returned::Download(mut download) => {
            return match download.fault.take() {
                Some(fault) => refused(fault.into()),
                None if is_empty(status) => Answered::Reply(Reply::empty(status, headers)),
                None => Answered::Download(Sendable { method: index, download, status, headers }),
            };
        }
    };
    if is_empty(envelope.status(status)) {
        return Answered::Reply(Reply::empty(envelope.status(status), headers));
    }
    match Form::of(head).success(envelope, &*outputs, whole, status) {
        Ok(written) => Answered::Reply(Reply::new(written, headers, None)),
        Err(error) => refused(Refusal::internal(error)),
    }
}

/// Whether answers of this status have no content (RFC 9110 sections 15.3.5 and 15.3.6).
fn is_empty(status: u16) -> bool {
    matches!(status, 204 | 205)
}

/// Of what a request was found to be before it was refused, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Of nothing that there is.
    Nothing,
    /// Of a module's service.
    Module(usize),
    /// Of a method.
    Method(usize),
}

impl Of {
    /// The module.
    pub(super) fn module(self, plan: &Plan) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::Module(index) => Some(index),
            Self::Method(index) => Some(plan.methods[index].module),
        }
    }
}

/// Writes a refusal that came to be outside of [`super::answer`]: in the module's envelope, or in that of the
/// API where no module is known.
#[must_use]
pub fn refuse(plan: &Plan, head: &Head, of: Of, refusal: Refusal) -> Reply {
    let method = match of {
        Of::Method(index) => Some(&plan.methods[index]),
        Of::Nothing | Of::Module(_) => None,
    };
    let envelope = of.module(plan).map_or(&plan.envelope, |index| &plan.modules[index].envelope);
    // Not before: what no service has may still be a file, or a page of the server's own.
    let unknown = matches!(refusal.reason(), Reason::UnknownService { similar } if similar.is_empty());
    let refusal = if unknown { refusal.with_similar(route::similar(plan, head)) } else { refusal };
    write_refusal(&**envelope, head, method, refusal)
}

fn write_refusal(envelope: &dyn Envelope, head: &Head, method: Option<&Method>, refusal: Refusal) -> Reply {
    let refusal = noted(head, method, refusal);
    let written = Form::of(head).refusal(envelope, &refusal);
    Reply::new(written, refusal.headers().to_vec(), Some(refusal.code()))
}

/// Logs what only the log may know, under an id that the client is told.
fn noted(head: &Head, method: Option<&Method>, refusal: Refusal) -> Refusal {
    let id = method.map_or("-", |method| &method.id);
    match (refusal.reason(), refusal.log()) {
        (Reason::Internal { .. }, why) => {
            let request_id = head.id.to_string();
            log::error!(id, request_id; "{id}: {request_id}: {}", why.unwrap_or("no reason given"));
            refusal.with_request_id(&request_id)
        }
        (_, Some(why)) => {
            log::warn!(id, request_id:% = head.id; "{id}: {}: {}: {why}", head.id, refusal.code());
            refusal
        }
        _ => refusal,
    }
}
