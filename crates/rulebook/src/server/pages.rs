//! Replies to requests for which the API has no method: with a page of the server or a static file.

use std::sync::Arc;

use actix_http::body::BoxBody;
use http::{HeaderValue, header};
use rulebook_model::error::ErrorCode;

use super::response::FileBody;
use super::static_files::{StaticExchange, StaticFiles, built_in_file};
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::file_reply::MAX_LEN_IN_MEMORY;
use crate::pages::{self, BrowserCaching, DocsPage, PageKind, swagger};
use crate::pipeline::{
    self, AudienceDocuments, ErrorContext, Reply, find_audience_documents, reply_unless_read, respond_with_error,
};
use crate::plan::{self, Document, Plan};

/// The only static file that may load JSONP scripts from other servers. Other pages can only use this server.
const JSONP_PAGE: &str = "h5.html";

/// The path at which Swagger UI is served.
const SWAGGER_PATH: &str = "/docs/swagger/";

/// The paths that redirect, each with its target. The targets are relative, so that they are correct behind a proxy
/// that adds a prefix to all paths.
const REDIRECTS: &[(&str, &str)] = &[
    ("/docs", "docs/"),
    #[cfg(feature = "swagger-ui")]
    ("/docs/swagger", "swagger/"),
    ("/static", "static/"),
];

/// The paths that redirect if there is no file at them, each with its target: the index of a static folder to the
/// documentation, and the path at which other frameworks have Swagger UI.
const REDIRECTS_WITHOUT_FILE: &[(&str, &str)] = &[
    ("/", "docs/"),
    ("/index.html", "docs/"),
    ("/static/", "../docs/"),
    ("/static/index.html", "../docs/"),
    #[cfg(feature = "swagger-ui")]
    ("/swagger-ui", "docs/swagger/"),
    #[cfg(feature = "swagger-ui")]
    ("/swagger-ui/", "../docs/swagger/"),
    #[cfg(feature = "swagger-ui")]
    ("/swagger-ui/index.html", "../docs/swagger/"),
];

/// The page or static file that was found for a path.
enum Page<'p> {
    /// A file that is built into the program.
    BuiltIn(Document, PageKind, BrowserCaching),
    /// A documentation page, which is sent in HTML or in markdown, depending on the field `Accept` of the request.
    Docs(plan::RenderedPage, AudienceDocuments<'p>),
    /// A document that has a single form, such as a documentation page that was requested in markdown.
    Document(Document, AudienceDocuments<'p>),
    /// A documentation page that was rendered for this request.
    Rendered {
        /// The HTTP status.
        status: u16,
        /// `true` if the page is Markdown, `false` if it is HTML.
        is_markdown: bool,
        /// The page.
        text: String,
        /// The documents to which the page belongs.
        documents: AudienceDocuments<'p>,
    },
    /// A file of the static folder, with the kind of page by which the restrictions in a browser are chosen.
    File(Reply, BoxBody, PageKind),
    /// A redirect to this relative reference (RFC 3986 section 4.2).
    Redirect(String),
}

/// Finds the page or static file at the path of a request; `None` if the path has neither.
///
/// # Errors
/// Fails if the file exists but cannot be opened, if the page cannot be rendered, or if the caller may not see the
/// page.
async fn find_page<'p>(
    files: &StaticFiles,
    exchange: &StaticExchange,
    plan: &'p Plan,
    head: &Head,
) -> Result<Option<Page<'p>>, ApiError> {
    let path = head.uri.path();
    if let Some((_, target)) = REDIRECTS.iter().find(|(from, _)| *from == path) {
        return Ok(Some(Page::Redirect((*target).to_owned())));
    }
    if let Some(name) = path.strip_prefix(SWAGGER_PATH)
        && let Some((document, caching)) = swagger::find_file(name, plan, head).await?
    {
        return Ok(Some(Page::BuiltIn(document, PageKind::Swagger, caching)));
    }
    if let Some(path) = path.strip_prefix("/docs/") {
        if let Some(document) = built_in_file(path) {
            return Ok(Some(Page::BuiltIn(document.clone(), PageKind::BuiltIn, BrowserCaching::Revalidate)));
        }
        if plan.versions.is_some() && head.version.is_some() {
            return Ok(Some(Page::Redirect(without_version(path, head.uri.query()))));
        }
        let documents = find_audience_documents(plan, head).await?;
        let page = pages::find_docs_page(documents.shared(), path, head).await?;
        return Ok(page.map(|page| match page {
            DocsPage::Page(page) => Page::Docs(page, documents),
            DocsPage::Markdown(document) => Page::Document(document, documents),
            DocsPage::Rendered { status, is_markdown, text } => Page::Rendered { status, is_markdown, text, documents },
        }));
    }
    let Some(below) = path.strip_prefix("/static/").or_else(|| path.strip_prefix('/')) else { return Ok(None) };
    if let Some((reply, body)) = exchange.find_file().await? {
        let kind = if below == JSONP_PAGE { PageKind::Jsonp } else { PageKind::Default };
        return Ok(Some(Page::File(reply, body, kind)));
    }
    if let Some(document) = files.built_in_file(below) {
        return Ok(Some(Page::BuiltIn(document.clone(), PageKind::BuiltIn, BrowserCaching::Revalidate)));
    }
    let redirect =
        REDIRECTS_WITHOUT_FILE.iter().find(|(from, _)| *from == path).filter(|_| cfg!(feature = "documents"));
    Ok(redirect.map(|(_, target)| Page::Redirect((*target).to_owned())))
}

/// Returns a relative reference from a page below the name of the version for requests that name none, to the same page
/// without this name, where its links lead to the pages of other versions.
fn without_version(page: &str, query: Option<&str>) -> String {
    let up = "../".repeat(2 + page.matches('/').count());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{up}docs/{page}{query}")
}

/// Replies with the page or static file at the path of a request. If there is neither a page nor a file at this path,
/// replies with an error. `context` decides in which form an error is written.
pub(super) async fn respond_with_page(
    worker: &Worker,
    plan: &Plan,
    head: &Arc<Head>,
    context: ErrorContext,
    files: &mut StaticExchange,
) -> Reply {
    let page = match find_page(&worker.state().static_files, files, plan, head).await {
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
            let location =
                HeaderValue::try_from(head.reference_start() + &target).ok().map(|target| (header::LOCATION, target));
            let headers = location.into_iter().chain(pipeline::link_to_openapi(head));
            Reply::without_body(307, headers.collect())
        }
        Page::File(reply, body, kind) => {
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
    for (name, value) in pages::policy_fields(kind, caching) {
        reply.headers.retain(|(present, _)| *present != name);
        reply.headers.push((name, value));
    }
    reply
}
