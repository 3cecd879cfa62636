//! Replies to a call that returns a file: with the file, or with a link to it.

use std::num::NonZeroU32;
use std::sync::Arc;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};

use super::links::Links;
use super::open_file::{FilePart, FileRequest, OpenFiles, open_content};
use crate::call::{Content, Download, Head};
use crate::pipeline::{ErrorContext, FileReply, Reply, respond_with_error, respond_with_link};
use crate::plan::Plan;
use crate::transfer::{self, FileInfo, TransferDecision};

/// The Content Security Policy of a file. In a browser, the file must not run scripts or use the origin of the server
/// (Content Security Policy Level 3 section 6.3.2).
const FILE_POLICY: &str = "sandbox";
/// The header field with which a script in a browser requests a link to the file instead of the file itself.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Replies with the file that a method returned or, if the client requests this, with a link to the file.
pub(crate) async fn respond_with_file(
    plan: &Plan,
    head: &Head,
    links: &Arc<Links>,
    open_files: &OpenFiles,
    file: FileReply,
) -> Reply {
    let FileReply { method_index: method, download, status, mut headers } = file;
    let uses = download.link_uses;
    let (mut file_headers, content) = FileHeaders::split_download(*download);
    // Without `Vary`, a cache could send the file to a client that requests a link, or the link instead of the file.
    headers.push((header::VARY, HeaderValue::from_static("X-Requested-With")));
    let reply = if requests_link(head) {
        // Cookies are sent to the client that made the call, not to every client that uses the link.
        headers.extend(file_headers.fields.extract_if(.., |(name, _)| *name == header::SET_COOKIE));
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        let file = LinkedFile { headers: file_headers, content, uses };
        let link = links.create_link(&plan.limits, file).await;
        link.map(|link| respond_with_link(plan, head, method, status, headers, &link))
    } else {
        // If the method has set a status other than 200, the response always contains the whole file.
        let request = FileRequest { head, selects_part: status == 200, open_files };
        let opened = open_content(request, content, file_headers.info.clone()).await;
        opened.map(|opened| file_headers.into_reply(opened, status, headers))
    };
    reply.unwrap_or_else(|error| respond_with_error(plan, head, ErrorContext::Method(method), error))
}

/// Returns `true` if the client requests a link to the file. HEAD never creates a link; it gets the header fields that
/// GET would get for the file itself.
fn requests_link(head: &Head) -> bool {
    let by_script = |value: &str| value.trim().eq_ignore_ascii_case("XMLHttpRequest");
    head.method != Method::HEAD && head.get(&REQUESTED_WITH).is_some_and(by_script)
}

pub(crate) struct LinkedFile {
    pub(crate) headers: FileHeaders,
    pub(crate) content: Content,
    /// The maximum number of downloads; `None` if it is not limited.
    pub(crate) uses: Option<NonZeroU32>,
}

pub(crate) struct FileHeaders {
    pub(crate) content_type: HeaderValue,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    /// The length, entity tag and modification time of the file. The values that the method has not set are `None`.
    pub(crate) info: FileInfo,
}

impl FileHeaders {
    /// Splits a download into its header fields and its content.
    fn split_download(download: Download) -> (Self, Content) {
        let Download { content, name, media_type, etag, modified, length, inline, headers, .. } = download;
        let content_type = media_type.unwrap_or_else(|| transfer::media_type_by_name(name.as_deref()));
        let is_inline = inline.shows(&content_type);
        let file_fields = vec![
            (header::CONTENT_DISPOSITION, transfer::content_disposition(name.as_deref(), is_inline)),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY)),
        ];
        // For bytes and files, the actual length is used instead of a length that the method has set.
        let length = length.filter(|_| download.has_file_metadata || matches!(content, Content::Stream(_)));
        let info = FileInfo { length, accepts_ranges: false, etag, modified };
        (Self { content_type, fields: merge_fields(file_fields, headers), info }, content)
    }

    /// Returns the reply that contains the selected part of the file. `status` is the HTTP status if this is the whole
    /// file. `headers` are further header fields of the reply.
    pub(crate) fn into_reply(self, opened: FilePart, status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
        let FilePart { decision, info, body } = opened;
        let (status, mut fields) = match decision {
            TransferDecision::Whole => (status, self.fields),
            TransferDecision::Part { .. } => (206, self.fields),
            TransferDecision::NotModified => (304, self.fields),
            // Only client libraries send such conditions, so that no person reads a text in the body.
            TransferDecision::PreconditionFailed => (412, Vec::new()),
            TransferDecision::OutOfRange => (416, Vec::new()),
        };
        let has_content = matches!(decision, TransferDecision::Whole | TransferDecision::Part { .. });
        if !has_content {
            fields.retain(|(name, _)| ![header::CONTENT_DISPOSITION, header::CONTENT_SECURITY_POLICY].contains(name));
        }
        let fields = merge_fields(fields, transfer::response_fields(&info, decision));
        let content_type = has_content.then_some(self.content_type);
        Reply {
            status,
            content_type,
            headers: merge_fields(headers, fields),
            body,
            is_written_for_request: false,
            code: None,
        }
    }
}

/// Merges two lists of header fields. A field in `over` replaces the fields in `base` with the same name, except
/// `Vary`, whose values are all kept.
fn merge_fields(
    mut base: Vec<(HeaderName, HeaderValue)>,
    over: Vec<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    base.retain(|(name, _)| *name == header::VARY || over.iter().all(|(other, _)| other != name));
    base.extend(over);
    base
}
