//! The pages that the server itself has: the documentation pages and Swagger UI, and what they may do in a browser.
//!
//! This Rust module finds and renders pages. It must not depend on the server, which sends them.

#[cfg(feature = "swagger-ui")]
pub(crate) mod swagger;

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::web;
use http::{HeaderName, HeaderValue, header};
use rulebook_model::uri::percent_decode;

use crate::call::{ApiError, Head};
use crate::pipeline::{prefers_markdown, prefers_pages, query_values, render_on_demand};
use crate::plan::{self, Document, LazyDocuments, PageRenderer};

/// The path of the search page, relative to `/docs/`.
const SEARCH_PATH: &str = "search";
/// The path of the first results of a search in HTML, without the rest of the page. The dialog of the search shows
/// them.
const SEARCH_RESULTS_PATH: &str = "search/results";
const WORDS_PARAMETER: &str = "q";

const MAX_SEARCH_CHARS: usize = 200;

const MARKDOWN_SUFFIX: &str = ".md";
/// The path of the contents page in markdown, without [`MARKDOWN_SUFFIX`]. In HTML, the path of the contents page is
/// empty.
const CONTENTS_PATH: &str = "index";

pub(crate) enum DocsPage {
    /// A page that is sent in HTML or in markdown, depending on the field `Accept` of the request.
    Page(plan::RenderedPage),
    /// A page that is always sent in markdown.
    Markdown(Document),
    Rendered {
        status: u16,
        is_markdown: bool,
        text: String,
    },
}

/// Returns the page with this path. If no page has it, a client that prefers HTML pages gets an error page, and other
/// clients get `None`. Fails if the page cannot be rendered.
pub(crate) async fn find_docs_page(
    documents: &Arc<LazyDocuments>,
    path: &str,
    head: &Head,
) -> Result<Option<DocsPage>, ApiError> {
    let Some(path) = decode_path(path) else { return Ok(None) };
    let (path, is_always_markdown) = match path.strip_suffix(MARKDOWN_SUFFIX) {
        Some(CONTENTS_PATH) => ("", true),
        // In markdown, the path of the contents page is `index.md`, not `.md`.
        Some("") => return Ok(None),
        Some(path) => (path, true),
        None => (&*path, false),
    };
    let is_markdown = is_always_markdown || prefers_markdown(head);
    if path == SEARCH_PATH {
        let words = search_words(head);
        let text = render(documents, move |renderer| (renderer.search)(&words, is_markdown)).await?;
        return Ok(text.map(|text| DocsPage::Rendered { status: 200, is_markdown, text }));
    }
    if path == SEARCH_RESULTS_PATH && !is_always_markdown {
        let words = search_words(head);
        let text = render(documents, move |renderer| (renderer.results)(SEARCH_RESULTS_PATH, &words)).await?;
        return Ok(text.map(|text| DocsPage::Rendered { status: 200, is_markdown: false, text }));
    }
    let Some(index) = documents.get_or_render().published.pages.find_index(path) else {
        if !prefers_pages(head) {
            return Ok(None);
        }
        let (path, is_markdown) = (path.to_owned(), prefers_markdown(head));
        let text = render(documents, move |renderer| (renderer.missing)(&path, is_markdown)).await?;
        return Ok(text.map(|text| DocsPage::Rendered { status: 404, is_markdown, text }));
    };
    let page = render_on_demand(documents, |all| &all.published.pages, index).await?;
    Ok(page.map(|page| if is_always_markdown { DocsPage::Markdown(page.markdown) } else { DocsPage::Page(page) }))
}

fn search_words(head: &Head) -> String {
    let words = query_values(head, WORDS_PARAMETER).next().flatten().unwrap_or_default();
    words.chars().take(MAX_SEARCH_CHARS).collect()
}

/// Decodes a percent-encoded path. Returns `None` if an encoded slash changes the number of segments, because the
/// relative links of a page at such a path would be wrong.
fn decode_path(path: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode(path).ok()?;
    (decoded.matches('/').count() == path.matches('/').count()).then_some(decoded)
}

/// Renders on another thread if this takes long. Returns `None` if there are no pages.
async fn render(
    documents: &Arc<LazyDocuments>,
    render: impl Fn(&PageRenderer) -> String + Send + 'static,
) -> Result<Option<String>, ApiError> {
    let Some(renderer) = &documents.get_or_render().published.page_renderer else { return Ok(None) };
    if renderer.is_quick {
        return Ok(Some(render(renderer)));
    }
    let documents = Arc::clone(documents);
    let rendered = web::block(move || documents.get_or_render().published.page_renderer.as_ref().map(render));
    rendered.await.map_err(ApiError::internal)
}

// The header fields that restrict what pages and static files of the server may do in a browser.
//
// With one exception, a page uses only this server: it loads no code from other servers, sends no data to them, and
// cannot be shown in a frame of another site. Inline scripts do not run, so that text which gets into a page by
// mistake is not executed as a script.

/// The Content Security Policy (Level 3) of all files of the static folder except one.
const DEFAULT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; manifest-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the page that loads JSONP scripts from other servers. Its directive `sandbox` gives the page an origin
/// of its own, so that these scripts have no access to this server.
const JSONP_POLICY: &str = "default-src 'none'; script-src 'self' http: https:; style-src 'self'; img-src 'self' data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// The policy of Swagger UI. It allows a single inline style, that of Swagger UI's logo, by the hash of the style.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the documentation pages. It allows forms, because the search is a form.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// A file of the static folder.
    Default,
    /// A script or a style sheet that is built into the program. Browsers ignore a policy of such a file.
    BuiltIn,
    /// The single file of the static folder that may load JSONP scripts from other servers.
    Jsonp,
    Docs,
    Swagger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserCaching {
    /// The browser asks the server before each use whether the page has changed; if not, the server responds with 304.
    Revalidate,
    /// The browser may use the file for one hour without asking. This is for files that change only with the program.
    #[cfg_attr(not(feature = "swagger-ui"), expect(dead_code, reason = "only Swagger UI has such files"))]
    Hour,
}

pub(crate) fn policy_fields(
    kind: PageKind,
    caching: BrowserCaching,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let policy = match kind {
        PageKind::Default => Some(DEFAULT_POLICY),
        PageKind::BuiltIn => None,
        PageKind::Jsonp => Some(JSONP_POLICY),
        PageKind::Docs => Some(DOCS_POLICY),
        PageKind::Swagger => Some(SWAGGER_POLICY),
    };
    let cache = match caching {
        BrowserCaching::Revalidate => "no-cache",
        BrowserCaching::Hour => "max-age=3600",
    };
    let of_pages =
        policy.map(|policy| [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")]);
    let fields = of_pages.into_iter().flatten().chain([(header::CACHE_CONTROL, cache)]);
    fields.map(|(name, value)| (name, HeaderValue::from_static(value)))
}

/// Replaces the file `swagger.rs` if the feature `swagger-ui` is disabled. No file is found.
#[cfg(not(feature = "swagger-ui"))]
pub(crate) mod swagger {
    use super::BrowserCaching;
    use crate::call::{ApiError, Head};
    use crate::plan::{Document, Plan};

    pub(crate) async fn find_file(_: &str, _: &Plan, _: &Head) -> Result<Option<(Document, BrowserCaching)>, ApiError> {
        Ok(None)
    }
}
