//! Replies with a file that a method returned, or with a link to it.

use std::sync::Arc;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};

use super::links::Links;
use super::open_file::{FileRequest, Opened, open};
use crate::call::{ApiError, Content, Download, Head};
use crate::pipeline::{ErrorContext, FileReply, Reply, respond_with_error, respond_with_link};
use crate::plan::Plan;
use crate::transfer::{self, Decision, FileInfo};

/// The policy for a file: in a browser, it must not run scripts or use the origin of the server (Content Security
/// Policy Level 3 section 6.3.2).
const POLICY: &str = "sandbox";
/// The header field with which a script in a browser requests a link instead of the file.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Replies with the file that a method returned, or with a link to it.
pub(super) async fn respond_with_file(plan: &Plan, head: &Arc<Head>, links: &Arc<Links>, file: FileReply) -> Reply {
    let FileReply { method_index: method, download, status, mut headers } = file;
    let (mut file_headers, content) = FileHeaders::of(*download);
    // Without this field, a cache could return the file for the link, or the link for the file.
    headers.push((header::VARY, HeaderValue::from_static("X-Requested-With")));
    let reply = if requests_link(head) {
        // Cookies are sent with the link to this client, not with the file to every client that has the link.
        headers.extend(file_headers.fields.extract_if(.., |(name, _)| *name == header::SET_COOKIE));
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        let link = links.create(&plan.limits, file_headers, content).await;
        link.map(|link| respond_with_link(plan, head, method, status, headers, &link))
    } else {
        let request = FileRequest { head: Arc::clone(head), status };
        let opened = open(request, content, file_headers.facts.clone()).await;
        opened.map(|opened| file_headers.reply(opened, status, headers)).map_err(|error| {
            let id = &plan.methods[method].id;
            ApiError::internal(format_args!("{id}: the file cannot be sent: {error}"))
        })
    };
    reply.unwrap_or_else(|error| respond_with_error(plan, head, ErrorContext::Method(method), error))
}

/// Returns `true` if the client requests a link. HEAD requests get the header fields of the file itself, so that HEAD
/// does not create a link.
fn requests_link(head: &Head) -> bool {
    let by_script = |value: &str| value.trim().eq_ignore_ascii_case("XMLHttpRequest");
    head.method != Method::HEAD && head.get(&REQUESTED_WITH).is_some_and(by_script)
}

/// The header fields of a file.
pub(super) struct FileHeaders {
    /// The media type.
    pub(super) content_type: HeaderValue,
    /// The other header fields.
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    /// The length, entity tag and modification time, as far as the method has set them.
    pub(super) facts: FileInfo,
}

impl FileHeaders {
    /// Splits a download into header fields and content.
    fn of(download: Download) -> (Self, Content) {
        let Download {
            content,
            name,
            media_type,
            etag,
            modified,
            length,
            has_file_metadata: known,
            inline,
            headers,
            error: _,
        } = download;
        let file_fields = vec![
            (header::CONTENT_DISPOSITION, transfer::disposition(name.as_deref(), inline)),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        ];
        // For bytes and files, the actual length is used instead of the length that the method has set.
        let length = length.filter(|_| known || matches!(content, Content::Stream(_)));
        let content_type = media_type.unwrap_or_else(|| transfer::media_type(name.as_deref()));
        let facts = FileInfo { length, accepts_ranges: false, etag, modified };
        (Self { content_type, fields: merge(file_fields, headers), facts }, content)
    }

    /// Returns the reply with the requested part of the file. `status` is the HTTP status for the whole file, and
    /// `headers` are additional header fields.
    pub(super) fn reply(self, opened: Opened, status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
        let Opened { decision, facts, body } = opened;
        let (status, mut fields) = match decision {
            Decision::Whole => (status, self.fields),
            Decision::Part { .. } => (206, self.fields),
            Decision::NotModified => (304, self.fields),
            // Only client libraries send such conditions, so that the response needs no text for people.
            Decision::PreconditionFailed => (412, Vec::new()),
            Decision::OutOfRange => (416, Vec::new()),
        };
        let has_content = matches!(decision, Decision::Whole | Decision::Part { .. });
        if !has_content {
            fields.retain(|(name, _)| ![header::CONTENT_DISPOSITION, header::CONTENT_SECURITY_POLICY].contains(name));
        }
        let fields = merge(fields, transfer::fields(&facts, decision));
        let content_type = has_content.then_some(self.content_type);
        Reply { status, content_type, headers: merge(headers, fields), body, is_written_for_request: false, code: None }
    }
}

/// Merges header fields. A field of `over` replaces the fields of `base` with the same name, but `Vary` keeps both.
fn merge(
    mut base: Vec<(HeaderName, HeaderValue)>,
    over: Vec<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    base.retain(|(name, _)| *name == header::VARY || over.iter().all(|(other, _)| other != name));
    base.extend(over);
    base
}
