//! The pages of the API for people: which one a path asks for, in which form, and the parts that all of them use.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::web;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::call::{Head, Refusal};
use crate::pipeline::reads_pages;
use crate::plan::{self, Document, Later};

/// Where what is searched for is found.
const SEARCH: &str = "search";

/// What ends the path of a page in markdown, and what stands in front of it where the page's own path is empty.
const MARKDOWN: &str = ".md";
const INDEX: &str = "index";

/// What is at a path.
pub(super) enum Found {
    /// A page, in the form that the client wants.
    Page(plan::Page),
    /// A page in markdown.
    Markdown(Document),
    /// There is none: the page that says so.
    Missing(plan::Page),
}

/// Which page is asked for.
enum Asked {
    /// That of this index.
    Page(usize),
    /// What is found for these words.
    Search(String),
    /// What is not there, at this path.
    Missing(String),
}

/// What is at a path below `/docs/`, as it was sent; none where there is nothing, and no page is wanted that says so.
///
/// # Errors
/// The page cannot be made.
pub(super) async fn find(documents: &Arc<Later>, path: &str, head: &Head) -> Result<Option<Found>, Refusal> {
    let Some(path) = decoded(path) else { return Ok(None) };
    let (path, is_markdown) = match path.strip_suffix(MARKDOWN) {
        Some(INDEX) => ("", true),
        // The page without a path has this one name.
        Some("") => return Ok(None),
        Some(path) => (path, true),
        None => (&*path, false),
    };
    let asked = match path {
        SEARCH => Asked::Search(words(head)),
        path => match documents.get().pages.find(path) {
            Some(index) => Asked::Page(index),
            None if reads_pages(head) => {
                let page = page(documents, Asked::Missing(path.to_owned())).await?;
                return Ok(page.map(Found::Missing));
            }
            None => return Ok(None),
        },
    };
    let page = page(documents, asked).await?;
    Ok(page.map(|page| if is_markdown { Found::Markdown(page.markdown) } else { Found::Page(page) }))
}

/// A path, its segments decoded: none where a segment would be taken for more than one, whose links would lead
/// elsewhere.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    (decoded.matches('/').count() == path.matches('/').count()).then_some(decoded)
}

async fn page(documents: &Arc<Later>, asked: Asked) -> Result<Option<plan::Page>, Refusal> {
    if let Asked::Page(index) = asked
        && let Some(page) = documents.get().pages.ready(index)
    {
        return Ok(Some(page.clone()));
    }
    let documents = Arc::clone(documents);
    // A page of a large API takes longer to make than a worker should let others wait.
    let made = web::block(move || match asked {
        Asked::Page(index) => documents.get().pages.get(index),
        Asked::Search(words) => documents.get().finder.as_ref().map(|finder| (finder.search)(&words)),
        Asked::Missing(path) => documents.get().finder.as_ref().map(|finder| (finder.missing)(&path)),
    });
    made.await.map_err(Refusal::internal)
}

/// What is searched for.
fn words(head: &Head) -> String {
    let query = head.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "q").map(|(_, words)| words.into_owned()).unwrap_or_default()
}
