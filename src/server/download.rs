//! A file that a method returned, as a reply: the file itself, or a link to it.

use std::sync::Arc;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};

use super::links::Links;
use super::opened::{Asking, Opened, open};
use crate::call::{Content, Download, Head, Refusal};
use crate::pipeline::{self, Of, Reply, Sendable};
use crate::plan::Plan;
use crate::transfer::{self, Decision, Facts};

/// What a file may do in a browser: nothing (Content Security Policy Level 3 section 6.3.2).
const POLICY: &str = "sandbox";
/// The header field with which scripts say that they are scripts, and so ask for a link.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// The reply to a request for a method that returned a file.
pub(super) async fn reply(plan: &Plan, head: &Arc<Head>, links: &Arc<Links>, sendable: Sendable) -> Reply {
    let Sendable { method, download, status, mut headers } = sendable;
    let (mut told, content) = Told::of(*download);
    // Caches would give the one for the other.
    headers.push((header::VARY, HeaderValue::from_static("X-Requested-With")));
    let ended = if wants_link(head) {
        // They are for who asks, not for whoever has the link.
        headers.extend(told.fields.extract_if(.., |(name, _)| *name == header::SET_COOKIE));
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        let made = links.make(&plan.limits, told, content).await;
        made.map(|link| pipeline::linked(plan, head, method, status, headers, &link))
    } else {
        let opened = open(Asking { head: Arc::clone(head), status }, content, told.facts.clone()).await;
        opened.map(|opened| told.reply(opened, status, headers)).map_err(|error| {
            let id = &plan.methods[method].id;
            Refusal::internal(format_args!("{id}: the file cannot be sent: {error}"))
        })
    };
    ended.unwrap_or_else(|refusal| pipeline::refuse(plan, head, Of::Method(method), refusal))
}

/// Whether a request is for a link. HEAD is for what the file's answer would be: it leaves nothing behind.
fn wants_link(head: &Head) -> bool {
    let by_script = |value: &str| value.trim().eq_ignore_ascii_case("XMLHttpRequest");
    head.method != Method::HEAD && head.header(&REQUESTED_WITH).is_some_and(by_script)
}

/// What is told of a file beside its bytes.
pub(super) struct Told {
    /// Its media type.
    pub(super) content_type: HeaderValue,
    /// Other header fields.
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    /// What the method said of it.
    pub(super) facts: Facts,
}

impl Told {
    /// What a method told of a file, and what is in it.
    fn of(download: Download) -> (Self, Content) {
        let Download { content, name, media_type, etag, modified, length, known, inline, headers, fault: _ } = download;
        let made = vec![
            (header::CONTENT_DISPOSITION, transfer::disposition(name.as_deref(), inline)),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        ];
        // Bytes and files know theirs.
        let length = length.filter(|_| known || matches!(content, Content::Stream(_)));
        let content_type = media_type.unwrap_or_else(|| transfer::media_type(name.as_deref()));
        let facts = Facts { length, has_parts: false, etag, modified };
        (Self { content_type, fields: over(made, headers), facts }, content)
    }

    /// The reply with what a request gets of the file: all of it with `status`. `headers` are beside those of the file.
    pub(super) fn reply(self, opened: Opened, status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
        let Opened { decision, facts, body } = opened;
        let (status, mut fields) = match decision {
            Decision::Whole => (status, self.fields),
            Decision::Part { .. } => (206, self.fields),
            Decision::NotModified => (304, self.fields),
            // Nobody but the client's own machinery asks in a way that these answer: they need no words.
            Decision::Failed => (412, Vec::new()),
            Decision::OutOfRange => (416, Vec::new()),
        };
        let has_content = matches!(decision, Decision::Whole | Decision::Part { .. });
        if !has_content {
            fields.retain(|(name, _)| ![header::CONTENT_DISPOSITION, header::CONTENT_SECURITY_POLICY].contains(name));
        }
        let fields = over(fields, transfer::fields(&facts, decision));
        let content_type = has_content.then_some(self.content_type);
        Reply { status, content_type, headers: over(headers, fields), body, written: false, code: None }
    }
}

/// Fields, those of `upper` instead of those of the same names in `lower`; of `Vary` both count.
fn over(
    mut lower: Vec<(HeaderName, HeaderValue)>,
    upper: Vec<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    lower.retain(|(name, _)| *name == header::VARY || upper.iter().all(|(other, _)| other != name));
    lower.extend(upper);
    lower
}
