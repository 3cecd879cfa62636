//! Finds the documentation page at a path below `/docs/`.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::web;
use percent_encoding::percent_decode_str;

use crate::call::{ApiError, Head};
use crate::pipeline::{prefers_pages, query_values};
use crate::plan::{self, Document, LazyDocuments};

/// The path of the search page, below `/docs/`.
const SEARCH: &str = "search";
/// The query field with the words to search for.
const WORDS: &str = "q";

/// The suffix of the path of a page in markdown.
const MARKDOWN: &str = ".md";
/// The path of the contents page in markdown, without [`MARKDOWN`]. In HTML, the contents page has an empty path.
const INDEX: &str = "index";

/// The documentation page at a path.
pub(super) enum DocsPage {
    /// A page, in HTML or markdown as the client prefers.
    Page(plan::RenderedPage),
    /// A page in markdown.
    Markdown(Document),
    /// The page that reports that the requested page does not exist.
    Missing(plan::RenderedPage),
}

/// The page that a request is for.
enum Requested {
    /// The page with this index.
    Page(usize),
    /// The result of a search for these words.
    Search(String),
    /// The page for a path that does not exist.
    Missing(String),
}

/// Finds the page at a raw path below `/docs/`. If the page does not exist, returns the page that reports this, or
/// `None` if the client does not prefer pages.
///
/// # Errors
/// Fails if the page cannot be rendered.
pub(super) async fn find(
    documents: &Arc<LazyDocuments>,
    path: &str,
    head: &Head,
) -> Result<Option<DocsPage>, ApiError> {
    let Some(path) = decoded(path) else { return Ok(None) };
    let (path, is_markdown) = match path.strip_suffix(MARKDOWN) {
        Some(INDEX) => ("", true),
        // The contents page in markdown has the name `index`, not an empty one.
        Some("") => return Ok(None),
        Some(path) => (path, true),
        None => (&*path, false),
    };
    let requested = match path {
        SEARCH => {
            let words = query_values(head, WORDS).next().flatten();
            Requested::Search(words.map(Cow::into_owned).unwrap_or_default())
        }
        path => match documents.get_or_render().published.pages.find_index(path) {
            Some(index) => Requested::Page(index),
            None if prefers_pages(head) => {
                let page = render(documents, Requested::Missing(path.to_owned())).await?;
                return Ok(page.map(DocsPage::Missing));
            }
            None => return Ok(None),
        },
    };
    let page = render(documents, requested).await?;
    Ok(page.map(|page| if is_markdown { DocsPage::Markdown(page.markdown) } else { DocsPage::Page(page) }))
}

/// Decodes a path. Returns `None` if decoding changes the number of segments, because the relative links of the page
/// would be wrong then.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    (decoded.matches('/').count() == path.matches('/').count()).then_some(decoded)
}

/// Returns a page. If it is not cached, it is rendered on another thread, which takes long for a large API.
async fn render(documents: &Arc<LazyDocuments>, requested: Requested) -> Result<Option<plan::RenderedPage>, ApiError> {
    if let Requested::Page(index) = requested
        && let Some(page) = documents.get_or_render().published.pages.cached_document(index)
    {
        return Ok(Some(page));
    }
    let documents = Arc::clone(documents);
    let rendered = web::block(move || match requested {
        Requested::Page(index) => documents.get_or_render().published.pages.get_or_render(index),
        Requested::Search(words) => {
            documents.get_or_render().published.page_renderer.as_ref().map(|finder| (finder.search)(&words))
        }
        Requested::Missing(path) => {
            documents.get_or_render().published.page_renderer.as_ref().map(|finder| (finder.missing)(&path))
        }
    });
    rendered.await.map_err(ApiError::internal)
}
