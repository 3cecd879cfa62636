//! Creates the replies that send documents: OpenAPI documents, documentation pages and descriptions for OPTIONS.
//! Documents are complete texts with an entity tag, which are kept in memory.

use std::fmt::Write;

use http::{HeaderName, HeaderValue, Method, header};
use rulebook_model::error::ErrorCode;

use super::accept::prefers_media_type;
use super::encode::varies_by_encoding;
use super::respond::{ErrorContext, respond_with_error};
use super::{Reply, ReplyBody, route};
use crate::call::{AllowedMethods, ApiError, ETag, ETagList, ErrorKind, Head};
use crate::plan::{Document, OptionsDescription, Plan, RenderedPage};

/// Creates the reply to GET or HEAD at the path of a document.
pub fn reply_with_document(plan: &Plan, head: &Head, document: &Document) -> Reply {
    conditional_reply(plan, head, document, Vec::with_capacity(2))
}

/// Creates the reply to GET or HEAD at the path of a documentation page.
pub fn reply_with_page(plan: &Plan, head: &Head, page: &RenderedPage) -> Reply {
    let mut headers = vec![(header::VARY, HeaderValue::from_static("accept"))];
    headers.extend(link_to_openapi(head));
    conditional_reply(plan, head, if prefers_markdown(head) { &page.markdown } else { &page.html }, headers)
}

/// Creates the reply with a documentation page that was rendered for this request: the results of a search, or the page
/// that says that a page does not exist. `is_markdown` is the form of the page. The page has no entity tag, and is not
/// compressed: both would cost more than sending it, and a client can request such pages without end.
pub fn reply_with_rendered_page(status: u16, is_markdown: bool, page: String) -> Reply {
    let headers = vec![
        (header::VARY, HeaderValue::from_static("accept")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Reply {
        content_type: Some(HeaderValue::from_static(if is_markdown { MARKDOWN_UTF8 } else { HTML_UTF8 })),
        body: ReplyBody::Whole(page.into()),
        code: (status == 404).then_some(ErrorCode::UnknownService.into()),
        ..Reply::without_body(status, headers)
    }
}

/// Returns `true` if the `Accept` field prefers Markdown to HTML.
pub fn prefers_markdown(head: &Head) -> bool {
    prefers_media_type(head, MARKDOWN, HTML)
}

/// Returns `true` if the `Accept` field prefers an HTML or Markdown page to JSON, so that an error should be sent as a
/// page.
pub fn prefers_pages(head: &Head) -> bool {
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    reads && [HTML, MARKDOWN].iter().any(|form| prefers_media_type(head, form, JSON))
}

/// Creates the reply to a request other than GET and HEAD at a path that supports only reading: the reply to OPTIONS
/// lists the allowed methods. A request with one of these methods whose body names no service is refused with 404, and
/// any other HTTP method with 405. Returns `None` for GET and HEAD.
pub fn reply_unless_read(plan: &Plan, head: &Head) -> Option<Reply> {
    if matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let allowed = route::allowed_methods_of_page(plan, head);
    match head.method {
        Method::OPTIONS => Some(Reply::without_body(204, vec![(header::ALLOW, allow_header(&allowed))])),
        _ => {
            let is_allowed = allowed.0.iter().any(|http| http.as_str() == head.method.as_str());
            let unknown_method = || ApiError::new(ErrorKind::UnknownMethod { allowed });
            let error = if is_allowed { ApiError::unknown_service() } else { unknown_method() };
            Some(respond_with_error(plan, head, ErrorContext::ServerPath, error))
        }
    }
}

/// Creates the reply to OPTIONS: a description in Markdown if the `Accept` field prefers Markdown, otherwise in JSON.
pub(super) fn reply_with_description(
    plan: &Plan,
    head: &Head,
    description: &OptionsDescription,
    allowed: &AllowedMethods,
) -> Reply {
    let OptionsDescription { json, markdown } = description;
    let mut headers = Vec::with_capacity(6);
    headers.extend(link_to_openapi(head));
    headers.push((header::ALLOW, allow_header(allowed)));
    headers.push((header::VARY, HeaderValue::from_static("accept")));
    let document = markdown.as_ref().filter(|_| prefers_media_type(head, MARKDOWN, JSON)).unwrap_or(json);
    conditional_reply(plan, head, document, headers)
}

const HTML: &str = "text/html";
const HTML_UTF8: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";
const MARKDOWN_UTF8: &str = "text/markdown; charset=utf-8";

/// Creates a reply with a document; with status 304 if `If-None-Match` shows that the client has the current document,
/// and with status 412 if `If-Match` lists only others. Clients must revalidate their copy before each use, because the
/// document may have changed when the server was restarted.
///
/// RFC 9110 section 13.2.1 excludes OPTIONS from conditional requests because a response to OPTIONS is not a
/// representation. The responses of this server to OPTIONS are representations and have entity tags, and a client that
/// sends such an entity tag in `If-None-Match` expects 304.
fn conditional_reply(
    plan: &Plan,
    head: &Head,
    document: &Document,
    mut headers: Vec<(HeaderName, HeaderValue)>,
) -> Reply {
    let is_other = || listed_etag(head, &header::IF_MATCH, document).is_none();
    if head.method != Method::OPTIONS && head.get_all(&header::IF_MATCH).next().is_some() && is_other() {
        return respond_with_error(plan, head, ErrorContext::ServerPath, ApiError::plain(ErrorCode::VersionMismatch));
    }
    headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if varies_by_encoding(plan, document) {
        headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    if let Some(etag) = listed_etag(head, &header::IF_NONE_MATCH, document) {
        headers.push((header::ETAG, etag));
        return Reply::without_body(304, headers);
    }
    headers.push((header::ETAG, document.etag.clone()));
    let content_type = Some(HeaderValue::from_static(document.media_type));
    Reply { content_type, body: ReplyBody::Document(Box::new(document.clone())), ..Reply::without_body(200, headers) }
}

/// Returns the header field with a link to the OpenAPI document (RFC 8631), which the pages, the documents and the
/// responses to OPTIONS have. The link is relative to the path of the request, so that it is correct behind every
/// reverse proxy. Returns `None` if the server has no OpenAPI document.
pub fn link_to_openapi(head: &Head) -> Option<(HeaderName, HeaderValue)> {
    if !cfg!(feature = "documents") {
        return None;
    }
    let depth = head.uri.path().matches('/').count().saturating_sub(1).min(MAX_LINK_DEPTH);
    let start = head.reference_start() + &"../".repeat(depth);
    let link = format!("<{start}openapi.json>; rel=\"service-desc\"; type=\"application/json\"");
    // The link consists of printable ASCII characters.
    Some((header::LINK, HeaderValue::try_from(link).ok()?))
}

/// The maximum number of path segments above which the link to the OpenAPI document leads. Paths of services and
/// documents have fewer.
const MAX_LINK_DEPTH: usize = 64;

/// Returns the document's entity tag that a field contains: the entity tag of the uncompressed document or of one of
/// its compressed forms. If the field is `*`, returns the entity tag of the uncompressed document (RFC 9110 sections
/// 8.8.3.2 and 13.1.2).
fn listed_etag(head: &Head, field: &HeaderName, document: &Document) -> Option<HeaderValue> {
    let list = ETagList::from_head(head, field)?;
    let is_listed = |etag: &HeaderValue| {
        let etag = etag.to_str().ok().and_then(ETag::parse);
        list.has_match(|tag| etag.as_ref().is_some_and(|etag| etag.weak_eq(tag)))
    };
    document.etags().find(is_listed)
}

/// Returns the value of the header field `Allow` for these HTTP methods.
fn allow_header(allowed: &AllowedMethods) -> HeaderValue {
    let mut names = String::with_capacity(MAX_ALLOW_LENGTH);
    // Writing to a `String` never fails, and names of HTTP methods are a valid header value.
    let _ = write!(names, "{allowed}");
    HeaderValue::try_from(names).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The maximum length of the header value `Allow`, in bytes.
const MAX_ALLOW_LENGTH: usize = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS".len();
