//! Replies to requests for which the API has no method: with a page of the server or a static file.
//!
//! Static files are the files of a folder that the settings name, and the files that are built into the program. The
//! crate `actix-files` serves the folder. It follows symbolic links and would wait for a named pipe, so that a filter
//! lets only regular, visible files through that are inside the folder after symbolic links have been resolved. The
//! content of a folder is not listed. Users that can write to the folder are trusted: a file that is replaced between
//! this check and its opening is not checked again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use actix_files::{Files, FilesService};
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_service::{Service, ServiceFactory};
use actix_web::dev::ServiceRequest;
use actix_web::{HttpRequest, guard};
use futures_util::stream;
use http::StatusCode;
use http::header::{self, HeaderValue};
use rulebook_model::error::ErrorCode;
use rulebook_model::uri::percent_decode;

use super::response::FileBody;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::file_reply::MAX_LEN_IN_MEMORY;
use crate::pages::{self, BrowserCaching, DocsPage, PageKind, swagger};
use crate::pipeline::{
    self, AudienceDocuments, ErrorContext, Reply, ReplyBody, find_audience_documents, reply_unless_read,
    respond_with_error,
};
use crate::plan::{Document, Plan};

/// The only static file that may load JSONP scripts from other servers. Other pages can only use this server.
const JSONP_PAGE: &str = "h5.html";

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

enum Page<'p> {
    BuiltIn(Document, PageKind, BrowserCaching),
    /// A documentation page, which is sent in HTML or in markdown, depending on the field `Accept` of the request.
    Docs(DocsPage, AudienceDocuments<'p>),
    /// A file of the static folder, with the kind of page by which the restrictions in a browser are chosen.
    File(Reply, BoxBody, PageKind),
    /// A redirect to this relative reference (RFC 3986 section 4.2).
    Redirect(String),
}

/// `None` if the path has neither. Fails also if the caller may not see the page.
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
        return Ok(page.map(|page| Page::Docs(page, documents)));
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

/// `context` decides in which form an error is written, such as that there is nothing at the path.
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
            let reply = match page {
                DocsPage::Page(page) => pipeline::reply_with_page(plan, head, &page),
                DocsPage::Markdown(document) => pipeline::reply_with_document(plan, head, &document),
                DocsPage::Rendered { status, is_markdown, text } => {
                    pipeline::reply_with_rendered_page(status, is_markdown, text)
                }
            };
            documents.add_headers(with_browser_policy(reply, PageKind::Docs, BrowserCaching::Revalidate))
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

/// Replaces header fields with the same names.
fn with_browser_policy(mut reply: Reply, kind: PageKind, caching: BrowserCaching) -> Reply {
    for (name, value) in pages::policy_fields(kind, caching) {
        reply.headers.retain(|(present, _)| *present != name);
        reply.headers.push((name, value));
    }
    reply
}

/// The file that is served for the path of a folder.
const INDEX_FILE: &str = "index.html";

const CSS_MEDIA_TYPE: &str = "text/css; charset=utf-8";
const SCRIPT_MEDIA_TYPE: &str = "text/javascript; charset=utf-8";

/// The built-in files, each with its media type: the JavaScript client of APIs, and the files that the documentation
/// pages load.
const BUILT_IN_FILES: [(&str, &str, &str); 26] = [
    ("rulebook.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/rulebook.js")),
    ("rulebook.d.ts", "text/plain; charset=utf-8", include_str!("../../static/rulebook.d.ts")),
    ("theme.css", CSS_MEDIA_TYPE, include_str!("../../static/theme.css")),
    ("theme.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/theme.js")),
    ("docs.css", CSS_MEDIA_TYPE, include_str!("../../static/docs.css")),
    ("docs.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/docs.js")),
    ("find.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/find.js")),
    ("tree.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/tree.js")),
    ("body.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/body.js")),
    ("changes.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/changes.js")),
    ("console.css", CSS_MEDIA_TYPE, include_str!("../../static/console.css")),
    ("console.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/console.js")),
    ("credential.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/credential.js")),
    ("editors.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/editors.js")),
    ("element.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/element.js")),
    ("highlight.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/highlight.js")),
    ("form.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/form.js")),
    ("kinds.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/kinds.js")),
    ("nested.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/nested.js")),
    ("pretty.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/pretty.js")),
    ("problems.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/problems.js")),
    ("snippets-javascript.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/snippets-javascript.js")),
    ("snippets.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/snippets.js")),
    ("response.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/response.js")),
    ("swagger.css", CSS_MEDIA_TYPE, include_str!("../../static/swagger.css")),
    ("swagger.js", SCRIPT_MEDIA_TYPE, include_str!("../../static/swagger.js")),
];

/// The documents are created when the first of them is requested.
static BUILT_IN_DOCUMENTS: LazyLock<[(&str, Document); 26]> = LazyLock::new(|| {
    BUILT_IN_FILES.map(|(name, media_type, text)| {
        let is_script = media_type == SCRIPT_MEDIA_TYPE;
        let text = if is_script { without_comments(text) } else { text.to_owned() };
        (name, Document::new(media_type, text))
    })
});

/// Returns a script without the lines of its comments, empty lines and indentation, so that browsers load less. No
/// other line of a built-in script begins like a comment. A script with template strings of several lines, which have
/// an odd number of backticks in a line, keeps its empty lines and its indentation.
fn without_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut is_inside = false;
    let is_indented = script.lines().any(|line| line.matches('`').count() % 2 == 1);
    for line in script.lines() {
        let text = line.trim();
        let is_start = text.starts_with("/**");
        let is_comment = is_inside || is_start || text.starts_with("//");
        is_inside = (is_inside || is_start) && !text.ends_with("*/");
        if !is_comment && (is_indented || !text.is_empty()) {
            kept.push_str(if is_indented { line } else { text });
            kept.push('\n');
        }
    }
    kept
}

/// Returns the built-in file with this name, which the documentation pages load from `/docs/` even if a static folder
/// exists; `None` if there is no such file, or if the feature `documents` of the crate is disabled.
fn built_in_file(name: &str) -> Option<&'static Document> {
    let files = if cfg!(feature = "documents") { &BUILT_IN_DOCUMENTS[..] } else { &[] };
    files.iter().find(|(file, _)| *file == name).map(|(_, document)| document)
}

#[derive(Debug, Default)]
pub(super) enum StaticFiles {
    #[default]
    BuiltIn,
    /// The files in this folder are served. Symbolic links in the path of the folder have been resolved.
    Folder(PathBuf),
}

impl StaticFiles {
    /// The built-in files if there is no folder at this path.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.and_then(|folder| folder.canonicalize().ok()).filter(|folder| folder.is_dir());
        folder.map_or(Self::BuiltIn, Self::Folder)
    }

    pub(super) async fn service(&self) -> Option<FilesService> {
        let Self::Folder(folder) = self else { return None };
        let served = folder.clone();
        let files = Files::new("", folder)
            .index_file(INDEX_FILE)
            .redirect_to_slash_directory()
            .disable_content_disposition()
            // Other methods get their error from the stages of a request.
            .method_guard(guard::fn_guard(|_| true))
            .path_filter(move |path, request| is_served(&served, path, request.uri.path()));
        files.new_service(()).await.ok()
    }

    /// Removes the range of a request for an empty file, for which `actix-files` panics, and one that is not ASCII,
    /// which it refuses. A server may ignore a range (RFC 9110 section 14.2).
    pub(super) fn ignore_range(&self, request: &mut ServiceRequest) {
        let (Self::Folder(folder), Some(range)) = (self, request.headers().get(header::RANGE)) else { return };
        let path = percent_decode(request.match_info().unprocessed()).unwrap_or_default();
        let path = folder.join(path.trim_start_matches('/'));
        let file = if path.is_dir() { path.join(INDEX_FILE) } else { path }.metadata();
        if range.to_str().is_err() || file.is_ok_and(|file| file.len() == 0) {
            request.headers_mut().remove(header::RANGE);
        }
    }

    /// Returns the built-in file that is served at a path. A folder with a file `index.html` replaces all built-in
    /// files.
    fn built_in_file(&self, path: &str) -> Option<&'static Document> {
        match self {
            Self::Folder(folder) if folder.join(INDEX_FILE).is_file() => None,
            _ => built_in_file(path),
        }
    }
}

/// Returns `true` if a path in the static folder leads to a visible folder or regular file inside it. `target` is the
/// path of the request, from which `actix-files` has removed empty segments and those that consist of dots.
fn is_served(folder: &Path, path: &Path, target: &str) -> bool {
    let is_inside = |path: &Path| {
        let Ok(resolved) = path.canonicalize() else { return false };
        let is_visible = |path: &Path| !path.iter().any(|name| name.as_encoded_bytes().starts_with(b"."));
        resolved.strip_prefix(folder).is_ok_and(is_visible) && (resolved.is_dir() || resolved.is_file())
    };
    let (path, index) = (folder.join(path), folder.join(path).join(INDEX_FILE));
    let is_file_as_folder = || target.ends_with('/') && path.is_file();
    // Most paths do not exist, which costs less to find out than whether all segments are plain.
    is_inside(&path) && has_plain_segments(target) && !is_file_as_folder() && (!index.exists() || is_inside(&index))
}

fn has_plain_segments(path: &str) -> bool {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let is_plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    inner.is_empty() || inner.split('/').all(|segment| percent_decode(segment).is_ok_and(|name| is_plain(&name)))
}

/// The reply to a request, and what a static file as the reply needs.
pub(super) struct StaticExchange {
    pub(super) reply: Reply,
    /// `None` if the service of the request has no static files.
    pub(super) files: Option<FilesService>,
    pub(super) request: HttpRequest,
    /// With the part of the open files that it uses.
    pub(super) body: Option<Box<FileBody>>,
}

impl StaticExchange {
    /// Finds the file at the path of a request. Returns the reply, whose body is only as long as that of the response,
    /// and the body of the response; `None` if the folder has no such file.
    pub(super) async fn find_file(&self) -> Result<Option<(Reply, BoxBody)>, ApiError> {
        let Some(files) = &self.files else { return Ok(None) };
        let responded = files.call(ServiceRequest::from_request(self.request.clone())).await;
        let (head, body) = responded.map_err(ApiError::internal)?.into_parts().1.into_parts();
        let status = head.status();
        let mut headers: Vec<_> = head.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let content_type =
            headers.extract_if(.., |(name, _)| *name == header::CONTENT_TYPE).next().map(|(_, value)| value);
        if status.is_server_error() {
            return Err(ApiError::internal(format_args!("the static file {} cannot be read", self.request.path())));
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            // The target is relative, so that it is correct behind a proxy that adds a prefix to all paths. Without
            // `./`, a browser would read a colon in the name as the end of a URI scheme.
            let name = self.request.path().rsplit('/').next().unwrap_or_default();
            headers = header::HeaderValue::try_from(format!("./{name}/"))
                .map(|to| (header::LOCATION, to))
                .into_iter()
                .collect();
        }
        let is_found = !status.is_client_error()
            || matches!(status, StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE);
        let length = match body.size() {
            BodySize::Sized(length) => Some(length),
            BodySize::None => Some(0),
            BodySize::Stream => None,
        };
        let reply = Reply {
            status: status.as_u16(),
            content_type,
            headers,
            body: ReplyBody::Stream { pieces: Box::pin(stream::empty()), length },
            is_written_for_request: false,
            code: None,
        };
        Ok(is_found.then_some((reply, body)))
    }
}
