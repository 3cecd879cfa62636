//! Finds the page or the static file at the path of a request.

use super::static_files::{StaticExchange, StaticFiles, StaticResponse, built_in_file};
use crate::call::{ApiError, Head};
use crate::pages::browser_policy::{BrowserCaching, PageKind};
use crate::pages::docs::{self, DocsPage};
use crate::pages::swagger;
use crate::pipeline::{AudienceDocuments, find_audience_documents};
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

/// The paths of the index file of a static folder, each with the target of the redirect if there is no such file: the
/// documentation.
const INDEX_REDIRECTS: [(&str, &str); 4] =
    [("/", "docs/"), ("/index.html", "docs/"), ("/static/", "../docs/"), ("/static/index.html", "../docs/")];

/// The page or static file that was found for a path.
pub(super) enum Page<'p> {
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
    File(StaticResponse, PageKind),
    /// A redirect to this relative reference (RFC 3986 section 4.2).
    Redirect(String),
}

/// Finds the page or static file at the path of a request; `None` if the path has neither.
///
/// # Errors
/// Fails if the file exists but cannot be opened, if the page cannot be rendered, or if the caller may not see the
/// page.
pub(super) async fn find_page<'p>(
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
            return Ok(Some(Page::BuiltIn(document.clone(), PageKind::Default, BrowserCaching::Revalidate)));
        }
        let documents = find_audience_documents(plan, head).await?;
        let page = docs::find_docs_page(documents.shared(), path, head).await?;
        return Ok(page.map(|page| match page {
            DocsPage::Page(page) => Page::Docs(page, documents),
            DocsPage::Markdown(document) => Page::Document(document, documents),
            DocsPage::Rendered { status, is_markdown, text } => Page::Rendered { status, is_markdown, text, documents },
        }));
    }
    let Some(below) = path.strip_prefix("/static/").or_else(|| path.strip_prefix('/')) else { return Ok(None) };
    if let Some(file) = exchange.find_file().await? {
        let kind = if below == JSONP_PAGE { PageKind::Jsonp } else { PageKind::Default };
        return Ok(Some(Page::File(file, kind)));
    }
    if let Some(document) = files.built_in_file(below) {
        return Ok(Some(Page::BuiltIn(document.clone(), PageKind::Default, BrowserCaching::Revalidate)));
    }
    let index = INDEX_REDIRECTS.iter().find(|(from, _)| *from == path).filter(|_| cfg!(feature = "documents"));
    Ok(index.map(|(_, target)| Page::Redirect((*target).to_owned())))
}
