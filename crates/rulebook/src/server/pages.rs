//! Finds the built-in page or the static file at a path.

use std::fs::File;

use http::HeaderValue;

use super::browser_policy::{Keep, PageKind};
use super::docs::{self, DocsPage};
use super::static_files::{self, StaticFile, StaticFiles};
use super::swagger;
use crate::call::{ApiError, Head};
use crate::pipeline::{AudienceDocuments, find_audience_documents};
use crate::plan::{self, Document, Plan};

/// The only static file that may load JSONP from other servers. All other pages are limited to this server.
const JSONP: &str = "h5.html";

/// The path of Swagger UI.
const SWAGGER: &str = "/docs/swagger/";

/// Paths that redirect, with their targets. The targets are relative, so that they are correct behind any path prefix.
const REDIRECTS: &[(&str, &str)] = &[
    ("/docs", "docs/"),
    #[cfg(feature = "swagger-ui")]
    ("/docs/swagger", "swagger/"),
    ("/static", "static/"),
];

/// Redirects for the links of the page of the API to documents. The page is served at `/` and at `/static/`, with the same
/// relative links.
const STATIC_REDIRECTS: [(&str, &str); 3] = [
    ("/static/docs/", "../../docs/"),
    ("/static/openapi.json", "../openapi.json"),
    ("/static/llms.txt", "../llms.txt"),
];

/// A built-in page or a static file.
pub(super) enum Page<'p> {
    /// A built-in file.
    Ready(Document, PageKind, Keep),
    /// A documentation page, in HTML or markdown as the client prefers.
    Docs(plan::RenderedPage, AudienceDocuments<'p>),
    /// A documentation page in markdown.
    Markdown(Document, AudienceDocuments<'p>),
    /// The page that reports that the requested documentation page does not exist.
    Missing(plan::RenderedPage, AudienceDocuments<'p>),
    /// A file of the static folder.
    File {
        /// The open file.
        file: File,
        /// The media type.
        media_type: HeaderValue,
        /// The kind of page, which limits what the file may do in a browser.
        kind: PageKind,
    },
    /// A redirect to a relative reference (RFC 3986 section 4.2).
    Redirect(String),
}

/// Finds the page at the path of a request.
///
/// # Errors
/// Fails if a file exists but cannot be opened, a page cannot be rendered, or the caller may not see the page.
pub(super) async fn find<'p>(files: &StaticFiles, plan: &'p Plan, head: &Head) -> Result<Option<Page<'p>>, ApiError> {
    let path = head.uri.path();
    let documents = if cfg!(feature = "documents") { &STATIC_REDIRECTS[..] } else { &[] };
    if let Some((_, target)) = REDIRECTS.iter().chain(documents).find(|(from, _)| *from == path) {
        return Ok(Some(Page::Redirect((*target).to_owned())));
    }
    if let Some(name) = path.strip_prefix(SWAGGER)
        && let Some((document, keep)) = swagger::find(name, plan, head).await?
    {
        return Ok(Some(Page::Ready(document, PageKind::Swagger, keep)));
    }
    if let Some(path) = path.strip_prefix("/docs/") {
        if let Some(document) = static_files::docs_file(path) {
            return Ok(Some(Page::Ready(document.clone(), PageKind::Default, Keep::Revalidate)));
        }
        let documents = find_audience_documents(plan, head).await?;
        let page = docs::find(documents.shared(), path, head).await?;
        return Ok(page.map(|page| match page {
            DocsPage::Page(page) => Page::Docs(page, documents),
            DocsPage::Markdown(document) => Page::Markdown(document, documents),
            DocsPage::Missing(page) => Page::Missing(page, documents),
        }));
    }
    // If a service of the API has the path of a script of the page, the page works only at `/static/`.
    if path == "/" && plan.base_path.is_empty() && plan.routes.find("/index.js", 1).is_some() {
        return Ok(Some(Page::Redirect("static/".to_owned())));
    }
    let Some(below) = path.strip_prefix("/static/").or_else(|| path.strip_prefix('/')) else { return Ok(None) };
    Ok(files.find(below).await?.map(|file| match file {
        StaticFile::BuiltIn(document) => Page::Ready(document.clone(), PageKind::Default, Keep::Revalidate),
        StaticFile::File { file, media_type } => {
            Page::File { file, media_type, kind: if below == JSONP { PageKind::Jsonp } else { PageKind::Default } }
        }
        // Without `./`, a colon in the name could be parsed as the end of a URI scheme.
        StaticFile::Folder => Page::Redirect(format!("./{}/", below.rsplit('/').next().unwrap_or_default())),
    }))
}
