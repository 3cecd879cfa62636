//! Replies with pages of the server and static files.

use std::sync::Arc;

use http::{HeaderValue, header};

use super::browser_policy::{self, Keep, PageKind};
use super::download::FileHeaders;
use super::open_file::FileRequest;
use super::pages::{self, Page};
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::pipeline::{self, ErrorContext, Reply, reply_unless_read, respond_with_error};
use crate::plan::Plan;
use crate::transfer::FileInfo;

/// Replies with the page or static file at the path of a request. If the path has neither, replies with an error in
/// this context.
pub(super) async fn respond_with_page(worker: &Worker, plan: &Plan, head: &Arc<Head>, context: ErrorContext) -> Reply {
    let page = match pages::find(&worker.state().files, plan, head).await {
        Ok(Some(page)) => page,
        Ok(None) => return respond_with_error(plan, head, context, ApiError::unknown_service()),
        Err(error) => return respond_with_error(plan, head, context, error),
    };
    if let Some(reply) = reply_unless_read(plan, head) {
        return reply;
    }
    match page {
        Page::Ready(document, kind, keep) => {
            with_policy(pipeline::reply_with_document(plan, head, &document), kind, keep)
        }
        Page::Docs(page, documents) => documents.add_headers(docs_page(pipeline::reply_with_page(plan, head, &page))),
        Page::Markdown(page, documents) => {
            documents.add_headers(docs_page(pipeline::reply_with_document(plan, head, &page)))
        }
        Page::Missing(page, documents) => {
            documents.add_headers(docs_page(pipeline::reply_with_missing_page(head, &page)))
        }
        Page::Redirect(target) => {
            let location = HeaderValue::try_from(target).ok().map(|target| (header::LOCATION, target));
            Reply::without_body(307, location.into_iter().collect())
        }
        Page::File { file, media_type, kind } => {
            let request = FileRequest { head: Arc::clone(head), status: 200 };
            let fields = browser_policy::fields(kind, Keep::Revalidate).to_vec();
            let headers = FileHeaders { content_type: media_type, fields, facts: FileInfo::default() };
            match request.file(file, FileInfo::default()).await {
                Ok(opened) => headers.reply(opened, 200, Vec::new()),
                Err(error) => respond_with_error(plan, head, context, ApiError::internal(error)),
            }
        }
    }
}

/// Adds the browser policy of documentation pages to a reply.
fn docs_page(reply: Reply) -> Reply {
    with_policy(reply, PageKind::Docs, Keep::Revalidate)
}

/// Adds the header fields that limit what a page may do in a browser.
fn with_policy(mut reply: Reply, kind: PageKind, keep: Keep) -> Reply {
    for (name, value) in browser_policy::fields(kind, keep) {
        reply.headers.retain(|(present, _)| *present != name);
        reply.headers.push((name, value));
    }
    reply
}
