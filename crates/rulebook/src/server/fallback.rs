//! Replies to requests for which the API has no method: with a page of the server or a static file.

use std::sync::Arc;

use http::{HeaderValue, header};
use rulebook_model::error::ErrorCode;

use super::pages::{self, Page};
use super::response_body::FileBody;
use super::static_files::{StaticExchange, StaticResponse};
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::file_reply::MAX_LEN_IN_MEMORY;
use crate::pages::browser_policy::{self, BrowserCaching, PageKind};
use crate::pipeline::{self, ErrorContext, Reply, reply_unless_read, respond_with_error};
use crate::plan::Plan;

/// Replies with the page or static file at the path of a request. If there is neither a page nor a file at this path,
/// replies with an error. `context` decides in which form an error is written.
pub(super) async fn respond_with_page(
    worker: &Worker,
    plan: &Plan,
    head: &Arc<Head>,
    context: ErrorContext,
    files: &mut StaticExchange,
) -> Reply {
    let page = match pages::find_page(&worker.state().static_files, files, plan, head).await {
        Ok(Some(page)) => page,
        Ok(None) => return respond_with_error(plan, head, context, ApiError::unknown_service()),
        Err(error) => return respond_with_error(plan, head, context, error),
    };
    if let Some(reply) = reply_unless_read(plan, head) {
        return reply;
    }
    match page {
        Page::BuiltIn(document, kind, caching) => {
            with_browser_policy(pipeline::reply_with_document(plan, head, &document), kind, caching)
        }
        Page::Docs(page, documents) => {
            documents.add_headers(with_docs_policy(pipeline::reply_with_page(plan, head, &page)))
        }
        Page::Document(page, documents) => {
            documents.add_headers(with_docs_policy(pipeline::reply_with_document(plan, head, &page)))
        }
        Page::Rendered { status, is_markdown, text, documents } => {
            let reply = pipeline::reply_with_rendered_page(status, is_markdown, text);
            documents.add_headers(with_docs_policy(reply))
        }
        Page::Redirect(target) => {
            let location = HeaderValue::try_from(target).ok().map(|target| (header::LOCATION, target));
            Reply::without_body(307, location.into_iter().collect())
        }
        Page::File(StaticResponse { reply, body }, kind) => {
            let is_long = reply.body.len().is_none_or(|length| length > MAX_LEN_IN_MEMORY);
            let share = is_long.then(|| worker.state().open_files.count(head.client, head.peer)).transpose();
            let Ok(share) = share else {
                return respond_with_error(plan, head, context, ApiError::plain(ErrorCode::Unavailable));
            };
            files.body = Some(Box::new(FileBody { body, _guard: share }));
            with_browser_policy(reply, kind, BrowserCaching::Revalidate)
        }
    }
}

/// Adds the header fields that restrict a documentation page in a browser.
fn with_docs_policy(reply: Reply) -> Reply {
    with_browser_policy(reply, PageKind::Docs, BrowserCaching::Revalidate)
}

/// Adds the header fields that restrict a page in a browser, in place of fields with the same names.
fn with_browser_policy(mut reply: Reply, kind: PageKind, caching: BrowserCaching) -> Reply {
    for (name, value) in browser_policy::policy_fields(kind, caching) {
        reply.headers.retain(|(present, _)| *present != name);
        reply.headers.push((name, value));
    }
    reply
}
