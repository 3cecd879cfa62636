//! Finds the documentation page for a path below `/docs/`.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::web;
use rulebook_model::uri::percent_decode;

use crate::call::{ApiError, Head};
use crate::pipeline::{prefers_pages, query_values};
use crate::plan::{self, Document, LazyDocuments};

/// The path of the search page, relative to `/docs/`.
const SEARCH_PATH: &str = "search";
/// The name of the query parameter that contains the words to search for.
const WORDS_PARAMETER: &str = "q";

/// The suffix in the path of a page that is requested in markdown.
const MARKDOWN_SUFFIX: &str = ".md";
/// The path of the contents page in markdown, without [`MARKDOWN_SUFFIX`]. In HTML, the path of the contents page is
/// empty.
const CONTENTS_PATH: &str = "index";

/// The documentation page that was found for a path.
pub(super) enum DocsPage {
    /// A page that is sent in HTML or in markdown, depending on the field `Accept` of the request.
    Page(plan::RenderedPage),
    /// A page that is always sent in markdown.
    Markdown(Document),
    /// The page that says that the requested page does not exist.
    Missing(plan::RenderedPage),
}

/// The page that a client requests.
enum RequestedPage {
    /// The page with this index in the list of all documentation pages.
    Page(usize),
    /// The page with the results of a search for these words.
    Search(String),
    /// The page that says that this path does not exist.
    Missing(String),
}

/// Finds the page at a percent-encoded path below `/docs/`. If no page has this path, returns the page that says so for
/// a client that prefers HTML pages, and `None` for other clients.
///
/// # Errors
/// Fails if the page cannot be rendered.
pub(super) async fn find_docs_page(
    documents: &Arc<LazyDocuments>,
    path: &str,
    head: &Head,
) -> Result<Option<DocsPage>, ApiError> {
    let Some(path) = decode_path(path) else { return Ok(None) };
    let (path, is_markdown) = match path.strip_suffix(MARKDOWN_SUFFIX) {
        Some(CONTENTS_PATH) => ("", true),
        // In markdown, the path of the contents page is `index.md`, not `.md`.
        Some("") => return Ok(None),
        Some(path) => (path, true),
        None => (&*path, false),
    };
    let requested = match path {
        SEARCH_PATH => {
            let words = query_values(head, WORDS_PARAMETER).next().flatten();
            RequestedPage::Search(words.map(Cow::into_owned).unwrap_or_default())
        }
        path => match documents.get_or_render().published.pages.find_index(path) {
            Some(index) => RequestedPage::Page(index),
            None if prefers_pages(head) => {
                let page = render_page(documents, RequestedPage::Missing(path.to_owned())).await?;
                return Ok(page.map(DocsPage::Missing));
            }
            None => return Ok(None),
        },
    };
    let page = render_page(documents, requested).await?;
    Ok(page.map(|page| if is_markdown { DocsPage::Markdown(page.markdown) } else { DocsPage::Page(page) }))
}

/// Decodes a percent-encoded path. Returns `None` if an encoded slash changes the number of segments, because the
/// relative links of a page at such a path would be wrong.
fn decode_path(path: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode(path).ok()?;
    (decoded.matches('/').count() == path.matches('/').count()).then_some(decoded)
}

/// Returns a page from the cache, or renders it on another thread, because rendering takes long for a large API.
async fn render_page(
    documents: &Arc<LazyDocuments>,
    requested: RequestedPage,
) -> Result<Option<plan::RenderedPage>, ApiError> {
    if let RequestedPage::Page(index) = requested
        && let Some(page) = documents.get_or_render().published.pages.cached_document(index)
    {
        return Ok(Some(page));
    }
    let documents = Arc::clone(documents);
    let rendered = web::block(move || match requested {
        RequestedPage::Page(index) => documents.get_or_render().published.pages.get_or_render(index),
        RequestedPage::Search(words) => {
            documents.get_or_render().published.page_renderer.as_ref().map(|finder| (finder.search)(&words))
        }
        RequestedPage::Missing(path) => {
            documents.get_or_render().published.page_renderer.as_ref().map(|finder| (finder.missing)(&path))
        }
    });
    rendered.await.map_err(ApiError::internal)
}
