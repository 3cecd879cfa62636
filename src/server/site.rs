//! What stands at the paths of the server's own pages.

use actix_files::NamedFile;

use super::docs::{self, Found};
use super::files::{self, File, Files};
use super::policy::{Keep, Of};
use super::swagger;
use crate::call::{Head, Refusal};
use crate::pipeline::{Told, told};
use crate::plan::{self, Document, Plan};

/// The file that asks other servers by JSONP, of which there is one so that all others keep to this server.
const JSONP: &str = "h5.html";

/// Where Swagger UI is.
const SWAGGER: &str = "/docs/swagger/";

/// Paths that lead elsewhere, each with its target. Targets are relative, so that they hold behind any prefix.
///
/// The page of the API is at `/` and at `/static/`, and its links are the same at both.
const ELSEWHERE: [(&str, &str); 6] = [
    ("/docs", "docs/"),
    ("/docs/swagger", "swagger/"),
    ("/static", "static/"),
    ("/static/docs/", "../../docs/"),
    ("/static/openapi.json", "../openapi.json"),
    ("/static/llms.txt", "../llms.txt"),
];

/// Whether a path is the server's own, so that no capture and no position takes it.
pub(super) fn is_own(path: &str) -> bool {
    ["/docs", "/static"]
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A page of the server's own.
pub(super) enum Page<'p> {
    /// One that is ready.
    Ready(Document, Of, Keep),
    /// One of the pages for people, in the form that the client wants, and from whose documents it is.
    Docs(plan::Page, Told<'p>),
    /// One of them in markdown.
    Markdown(Document, Told<'p>),
    /// One that says that there is none.
    Missing(plan::Page, Told<'p>),
    /// An open file.
    File(Box<NamedFile>, Of),
    /// It is elsewhere: a relative reference (RFC 3986 section 4.2).
    Elsewhere(String),
}

/// The page that a request is for; none where there is none.
///
/// # Errors
/// A file is there but cannot be read, a page cannot be made, or who asks is nobody to be told.
pub(super) async fn find<'p>(files: &Files, plan: &'p Plan, head: &Head) -> Result<Option<Page<'p>>, Refusal> {
    let path = head.uri.path();
    if let Some((_, to)) = ELSEWHERE.iter().find(|(from, _)| *from == path) {
        return Ok(Some(Page::Elsewhere((*to).to_owned())));
    }
    if let Some(name) = path.strip_prefix(SWAGGER) {
        let found = swagger::find(name, plan, head).await?;
        return Ok(found.map(|(document, keep)| Page::Ready(document, Of::Swagger, keep)));
    }
    if let Some(path) = path.strip_prefix("/docs/") {
        if let Some(document) = files::of_docs(path) {
            return Ok(Some(Page::Ready(document.clone(), Of::Own, Keep::Asking)));
        }
        let told = told(plan, head).await?;
        let found = docs::find(told.later(), path, head).await?;
        return Ok(found.map(|found| match found {
            Found::Page(page) => Page::Docs(page, told),
            Found::Markdown(document) => Page::Markdown(document, told),
            Found::Missing(page) => Page::Missing(page, told),
        }));
    }
    // Where the API takes the names of the page's parts, the page can only be whole at `/static/`.
    if path == "/" && plan.base.is_empty() && plan.routes.find("/index.js", 1).is_some() {
        return Ok(Some(Page::Elsewhere("static/".to_owned())));
    }
    let Some(below) = path.strip_prefix("/static/").or_else(|| path.strip_prefix('/')) else { return Ok(None) };
    Ok(files.find(below).await?.map(|file| match file {
        File::BuiltIn(document) => Page::Ready(document.clone(), Of::Own, Keep::Asking),
        File::Open(file) => Page::File(file, if below == JSONP { Of::Jsonp } else { Of::Own }),
        // `./` keeps a colon in the name from making a scheme of it.
        File::Folder => Page::Elsewhere(format!("./{}/", below.rsplit('/').next().unwrap_or_default())),
    }))
}
