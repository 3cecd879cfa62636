//! The pages of the API for people: which one a path asks for, in which form, and the parts that all of them use.

use std::borrow::Cow;

use actix_web::web;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::files;
use crate::call::{Head, Refusal};
use crate::pipeline::{Told, told};
use crate::plan::{self, Document, Plan};

/// Where what is searched for is found.
const SEARCH: &str = "search";

/// What ends the path of a page in markdown, and what stands in front of it where the page's own path is empty.
const MARKDOWN: &str = ".md";
const INDEX: &str = "index";

/// What is at a path.
pub(super) enum Found<'p> {
    /// A part of all pages.
    Part(&'static Document),
    /// A page, in the form that the client wants, and for whom it is.
    Page(plan::Page, Told<'p>),
    /// A page in markdown, and for whom it is.
    Markdown(Document, Told<'p>),
}

/// Which page is asked for.
enum Asked {
    /// That of this index.
    Page(usize),
    /// What is found for these words.
    Search(String),
}

/// What is at a path below `/docs/`, as it was sent; none where there is nothing.
///
/// # Errors
/// The page cannot be made, or who asks is nobody to be told.
pub(super) async fn find<'p>(plan: &'p Plan, path: &str, head: &Head) -> Result<Option<Found<'p>>, Refusal> {
    if let Some(document) = files::of_docs(path) {
        return Ok(Some(Found::Part(document)));
    }
    let Some(path) = decoded(path) else { return Ok(None) };
    let (path, is_markdown) = match path.strip_suffix(MARKDOWN) {
        Some(INDEX) => ("", true),
        // The page without a path has this one name.
        Some("") => return Ok(None),
        Some(path) => (path, true),
        None => (&*path, false),
    };
    let told = told(plan, head).await?;
    let asked = match path {
        SEARCH => Asked::Search(words(head)),
        path => match told.documents().pages.find(path) {
            Some(index) => Asked::Page(index),
            None => return Ok(None),
        },
    };
    let page = page(&told, asked).await?;
    Ok(page.map(|page| if is_markdown { Found::Markdown(page.markdown, told) } else { Found::Page(page, told) }))
}

/// A path, its segments decoded: none where a segment would be taken for more than one, whose links would lead
/// elsewhere.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    (decoded.matches('/').count() == path.matches('/').count()).then_some(decoded)
}

async fn page(told: &Told<'_>, asked: Asked) -> Result<Option<plan::Page>, Refusal> {
    if let Asked::Page(index) = asked
        && let Some(page) = told.documents().pages.ready(index)
    {
        return Ok(Some(page.clone()));
    }
    let later = told.shared();
    // A page of a large API takes longer to make than a worker should let others wait.
    let made = web::block(move || match asked {
        Asked::Page(index) => later.get().pages.page(index),
        Asked::Search(words) => later.get().pages.search(&words),
    });
    made.await.map_err(Refusal::internal)
}

/// What is searched for.
fn words(head: &Head) -> String {
    let query = head.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "q").map(|(_, words)| words.into_owned()).unwrap_or_default()
}
