//! Responds with the documents that describe the API: OpenAPI documents, `/llms.txt`, and descriptions for OPTIONS.
//! This Rust module selects the documents for a request, and renders them if they do not exist yet, on
//! another thread and within the limits of the documents for callers. Documents are complete texts with an entity tag,
//! which are kept in memory.
//!
//! The *audience* of a document is either every client, or only the caller whose credential is in the request. With
//! `as=me` in the query, the audience is the caller; with the setting `"options": "own"` in the definition, the
//! audience is the caller for all requests. If the audience is the caller, the caller is identified, and the request
//! counts for the rate limit of the caller. For this audience, OPTIONS, `Allow` and the documents omit the API methods
//! that the caller may not call.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::error::ErrorCode;
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::model::{ApiDocument, Audience};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::encode::varies_by_encoding;
use super::identify::{authenticate, counts_for_identity};
use super::read::query_values;
use super::representation::prefers_media_type;
use super::respond::{ErrorContext, respond_with_error, respond_with_error_without_suggestions};
use super::route::{self, OptionsTarget, find_parent_path_index};
use super::{Reply, ReplyBody, cors};
use crate::call::{
    AllowedMethods, ApiError, ETag, ETagList, ErrorKind, Head, HttpMethod, Identity, ParameterError,
    ParameterErrorKind, Source, shorten_text,
};
use crate::plan::{
    CallerDocuments, Document, Documents, LazyDocuments, OptionsDescription, Plan, RenderedOnDemand, RenderedPage,
};
use crate::rate_limit::CountedRequest;

/// The query parameter that selects the audience.
const AUDIENCE_FIELD: &str = Audience::ASKED.0;
const CALLER_AUDIENCE: &str = Audience::ASKED.1;

pub struct AudienceDocuments<'p> {
    documents: Cow<'p, Arc<LazyDocuments>>,
    /// Otherwise the audience is every client.
    is_for_caller: bool,
    counted: CountedRequest,
}

impl AudienceDocuments<'_> {
    pub fn documents(&self) -> &Documents {
        self.documents.get_or_render()
    }

    /// Returns the documents for a thread that outlives this value.
    pub fn shared(&self) -> &Arc<LazyDocuments> {
        &self.documents
    }

    /// Adds the header fields for HTTP caches, and those with the state of the caller's rate limit.
    pub fn add_headers(&self, mut reply: Reply) -> Reply {
        if self.is_for_caller {
            reply.headers.retain(|(name, _)| *name != header::CACHE_CONTROL);
            reply.headers.extend(CALLER_DOCUMENT_HEADERS);
            if let ReplyBody::Document(document) = &mut reply.body {
                document.limit_compression(&self.documents);
            }
        }
        reply.headers.extend(self.counted.headers(&[]));
        reply
    }
}

/// Only a private cache may store the document, and it must revalidate it before each use.
const CALLER_DOCUMENT_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (header::VARY, HeaderValue::from_static("authorization, cookie")),
];

/// Documents that do not exist yet are rendered on another thread. Fails for another `as` than `me`, an invalid
/// credential, or if the rate limit of the caller or the time for rendering is used up.
pub async fn find_audience_documents<'p>(plan: &'p Plan, head: &Head) -> Result<AudienceDocuments<'p>, ApiError> {
    // A browser sends a CORS preflight without credentials, so that the caller is unknown.
    if cors::is_preflight(head) || !requests_caller_documents(plan, head)? {
        let all = &plan.documents.whole_api;
        render_if_needed(all).await?;
        return Ok(AudienceDocuments {
            documents: Cow::Borrowed(all),
            is_for_caller: false,
            counted: CountedRequest::default(),
        });
    }
    let identity = authenticate(plan, head).await?;
    let mut counted = CountedRequest::default();
    let result = counts_for_identity(plan, head, identity.as_ref()).count(&mut counted).await;
    result.map_err(|error| error.with_headers(counted.headers(&[])))?;
    let documents = find_caller_documents(plan, identity.as_ref().map_or(&[], Identity::permission_list)).await?;
    render_if_needed(&documents).await?;
    Ok(AudienceDocuments { documents: Cow::Owned(documents), is_for_caller: true, counted })
}

fn requests_caller_documents(plan: &Plan, head: &Head) -> Result<bool, ApiError> {
    let requested = parse_query_value(head, AUDIENCE_FIELD, "as-me", |value| (value == CALLER_AUDIENCE).then_some(()))?;
    Ok(requested.is_some() || plan.documents.is_limited_to_caller)
}

/// `None` without the field. Fails if `parse` returns `None`, or the field occurs twice.
fn parse_query_value<T>(
    head: &Head,
    name: &str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let mut values = query_values(head, name);
    let error = |kind, got: Option<&str>| {
        let error = ParameterError::new(kind, name, Source::Query, Catalogue::ENGLISH.text(expected));
        ApiError::parameters(vec![error.with_got(got.map(|got| format!("{:?}", shorten_text(got))))])
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(error(ParameterErrorKind::Repeated, None)),
        (Some(value), None) => match value.as_deref().and_then(parse) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(error(ParameterErrorKind::Invalid, value.as_deref())),
        },
    }
}

/// The query parameter that selects the OpenAPI document of an API module.
pub const MODULE_FIELD: &str = "module";
/// The query parameter that selects a part of the OpenAPI document of a large API module, numbered from 1.
pub const PART_FIELD: &str = "part";

/// The query parameter that selects the OpenAPI document with less detail. It has no value.
const LEAN_FIELD: &str = "lean";

pub async fn respond_with_document(plan: &Plan, head: &Head, document: ApiDocument) -> Reply {
    let respond_with_error = |error| respond_with_error(plan, head, ErrorContext::ServerPath, error);
    let documents = match find_audience_documents(plan, head).await {
        Ok(documents) => documents,
        Err(error) => return respond_with_error(error),
    };
    let document_result = match document {
        ApiDocument::OpenApi => requested_openapi_document(&documents, head).await,
        other => document_of_whole_api(&documents, other).await,
    };
    let mut reply = match document_result {
        Ok(document) => reply_with_document(plan, head, &document),
        Err(error) => return documents.add_headers(respond_with_error(error)),
    };
    reply.headers.extend(link_to_openapi(head));
    if document == ApiDocument::ApiCatalog {
        // RFC 9727 section 2 requires this link in responses to HEAD.
        reply.headers.push((header::LINK, HeaderValue::from_static("<api-catalog>; rel=\"api-catalog\"")));
    }
    documents.add_headers(reply)
}

async fn document_of_whole_api(documents: &AudienceDocuments<'_>, document: ApiDocument) -> Result<Document, ApiError> {
    let find = |all: &Documents| all.published.rendered(document).cloned();
    find_or_render(documents.shared(), find, move |all| all.published.get_or_render(document).clone()).await
}

/// Returns the OpenAPI document that the query selects.
async fn requested_openapi_document(documents: &AudienceDocuments<'_>, head: &Head) -> Result<Document, ApiError> {
    let published = &documents.documents().published;
    let is_lean = parse_query_value(head, LEAN_FIELD, "lean", |value| value.is_empty().then_some(()))?.is_some();
    let whole_api = if is_lean { ApiDocument::LeanOpenApi } else { ApiDocument::OpenApi };
    // The keys of parts and of lean documents contain spaces, which names of modules and numbers do not contain.
    let key = |name: String| if is_lean { Documents::lean_name(&name) } else { name };
    let is_plain = |text: &str| !text.contains(' ');
    let find_module = |name: &str| {
        let index = published.modules.find_index(&key(name.to_owned())).filter(|_| is_plain(name))?;
        Some((name.to_owned(), index))
    };
    let module = parse_query_value(head, MODULE_FIELD, "one-module", find_module)?;
    let find_part = |number: &str| {
        let name = Documents::module_part_name(&module.as_ref()?.0, number);
        published.parts.find_index(&key(name)).filter(|_| is_plain(number))
    };
    let part = parse_query_value(head, PART_FIELD, "one-part", find_part)?;
    let (select, index): (fn(&Documents) -> &RenderedOnDemand<Document>, usize) = match (part, &module) {
        (Some(part), _) => (|all| &all.published.parts, part),
        (None, Some((_, module))) => (|all| &all.published.modules, *module),
        (None, None) => return document_of_whole_api(documents, whole_api).await,
    };
    match render_on_demand(documents.shared(), select, index).await? {
        Some(document) => Ok(document),
        // The index comes from the same documents, so that a document with this index exists.
        None => document_of_whole_api(documents, whole_api).await,
    }
}

/// Returns the HTTP methods of the API methods that the body of a request to the base path can name.
fn methods_named_in_body(plan: &Plan, documents: &Documents) -> AllowedMethods {
    if documents.visible_methods.is_none() {
        return plan.named_in_body.http_methods.clone();
    }
    let named = plan.named_in_body.methods.iter().filter(|(_, method)| documents.is_method_visible(*method));
    AllowedMethods::sorted(named.map(|(http, _)| *http))
}

/// Responds in JSON or Markdown, without an envelope.
pub async fn respond_to_options(plan: &Plan, head: &Head, target: &OptionsTarget) -> Reply {
    let documents = match find_audience_documents(plan, head).await {
        Ok(documents) => documents,
        Err(error) => return respond_with_error(plan, head, target.error_context(plan), error),
    };
    documents.add_headers(match describe_target(plan, head, target, &documents).await {
        Ok(Some((description, allowed))) => {
            let mut reply = reply_with_description(plan, head, &description, &allowed);
            if matches!(target, OptionsTarget::WholeApi { .. }) {
                reply.headers.extend(links_to_versions(plan, head));
            }
            reply
        }
        Ok(None) => {
            let error = ApiError::unknown_service();
            respond_with_error_without_suggestions(plan, head, ErrorContext::Nothing, error)
        }
        Err(error) => respond_with_error(plan, head, target.error_context(plan), error),
    })
}

/// Returns a link to each version of the API (RFC 6573), with its name as the title, unless the request names a
/// version. The links are relative to the path of the request, as the one to the OpenAPI document is.
fn links_to_versions(plan: &Plan, head: &Head) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let path = Some(head.uri.path()).filter(|path| path.starts_with('/')).unwrap_or("/");
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    let names = plan.versions.iter().filter(|_| head.version.is_none()).flat_map(|versions| &versions.names);
    names.filter_map(move |name| {
        let link = format!("<{up}{name}{path}>; rel=\"item\"; title=\"{name}\"");
        Some((header::LINK, HeaderValue::try_from(link).ok()?))
    })
}

/// `None` if the documents describe nothing at the URI. Fails if the description cannot be rendered now.
async fn describe_target(
    plan: &Plan,
    head: &Head,
    target: &OptionsTarget,
    documents: &AudienceDocuments<'_>,
) -> Result<Option<(OptionsDescription, AllowedMethods)>, ApiError> {
    let rendered = documents.documents();
    let no_methods = AllowedMethods(Vec::new());
    let description = match target {
        OptionsTarget::WholeApi { service, allowed, body_may_name_service, has_page } => {
            let whole_api = whole_api_description(documents).await?;
            let allowed = visible_methods(plan, rendered, *service, allowed);
            let named = body_may_name_service.then(|| methods_named_in_body(plan, rendered).0);
            let page = has_page.then_some(HttpMethod::Get);
            let all = allowed.0.into_iter().chain(named.into_iter().flatten()).chain(page);
            let allowed = AllowedMethods::sorted(all);
            Some((whole_api, allowed))
        }
        OptionsTarget::Service { service, allowed, .. } => {
            let allowed = visible_methods(plan, rendered, Some(*service), allowed);
            match rendered.service_index(*service).filter(|_| !allowed.0.is_empty()) {
                Some(index) => render_on_demand(documents.shared(), |all| &all.services, index)
                    .await?
                    .map(|service| (service, allowed)),
                None => None,
            }
        }
        OptionsTarget::ParentPath { index } if !documents.is_for_caller => {
            let parent = render_on_demand(documents.shared(), |all| &all.parents, *index).await?;
            parent.map(|parent| (parent, no_methods.clone()))
        }
        OptionsTarget::ParentPath { .. } => None,
    };
    // The service at a URI may be hidden from the caller, while services below this URI are visible.
    let parent = if description.is_none() { find_parent_path_index(plan, rendered, head) } else { None };
    Ok(match parent {
        Some(index) => {
            render_on_demand(documents.shared(), |all| &all.parents, index).await?.map(|parent| (parent, no_methods))
        }
        None => description,
    })
}

async fn whole_api_description(documents: &AudienceDocuments<'_>) -> Result<OptionsDescription, ApiError> {
    let find = |all: &Documents| all.whole_api.rendered().cloned();
    find_or_render(documents.shared(), find, |all| all.whole_api.get_or_render().clone()).await
}

/// Returns the visible methods, so that `Allow` omits the hidden ones.
fn visible_methods(
    plan: &Plan,
    documents: &Documents,
    service: Option<usize>,
    allowed: &AllowedMethods,
) -> AllowedMethods {
    let methods = service.map_or(&[][..], |service| &plan.services[service].methods);
    let is_described = |http: HttpMethod| {
        methods.iter().any(|(accepted, method)| *accepted == http && documents.is_method_visible(*method))
    };
    AllowedMethods(allowed.0.iter().copied().filter(|http| is_described(*http)).collect())
}

pub fn reply_with_document(plan: &Plan, head: &Head, document: &Document) -> Reply {
    conditional_reply(plan, head, document, Vec::with_capacity(2))
}

pub fn reply_with_page(plan: &Plan, head: &Head, page: &RenderedPage) -> Reply {
    let mut headers = vec![(header::VARY, HeaderValue::from_static("accept"))];
    headers.extend(link_to_openapi(head));
    conditional_reply(plan, head, if prefers_markdown(head) { &page.markdown } else { &page.html }, headers)
}

/// Replies with the results of a search, or with the page for a path without a page. The page has no entity tag and is
/// not compressed: both would cost more than sending it, and a client can request such pages without end.
pub fn reply_with_rendered_page(status: u16, is_markdown: bool, page: String) -> Reply {
    let headers = vec![
        (header::VARY, HeaderValue::from_static("accept")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Reply {
        content_type: Some(HeaderValue::from_static(if is_markdown { MARKDOWN_UTF8 } else { HTML_UTF8 })),
        body: ReplyBody::Whole(page.into()),
        code: (status == 404).then_some(ErrorCode::UnknownService.into()),
        ..Reply::without_body(status, headers)
    }
}

pub fn prefers_markdown(head: &Head) -> bool {
    prefers_media_type(head, MARKDOWN, HTML)
}

/// Prefers a page to JSON, so that an error should be one.
pub fn prefers_pages(head: &Head) -> bool {
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    reads && [HTML, MARKDOWN].iter().any(|form| prefers_media_type(head, form, JSON))
}

/// `None` for GET and HEAD; OPTIONS gets the allowed methods, others 405, or 404 if the body may name a service but
/// does not.
pub fn reply_unless_read(plan: &Plan, head: &Head) -> Option<Reply> {
    if matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let allowed = route::allowed_methods_of_page(plan, head);
    match head.method {
        Method::OPTIONS => Some(Reply::without_body(204, vec![(header::ALLOW, allow_header(&allowed))])),
        _ => {
            let is_allowed = allowed.0.iter().any(|http| http.as_str() == head.method.as_str());
            let unknown_method = || ApiError::new(ErrorKind::UnknownMethod { allowed });
            let error = if is_allowed { ApiError::unknown_service() } else { unknown_method() };
            Some(respond_with_error(plan, head, ErrorContext::ServerPath, error))
        }
    }
}

fn reply_with_description(
    plan: &Plan,
    head: &Head,
    description: &OptionsDescription,
    allowed: &AllowedMethods,
) -> Reply {
    let OptionsDescription { json, markdown } = description;
    let mut headers = Vec::with_capacity(6);
    headers.extend(link_to_openapi(head));
    headers.push((header::ALLOW, allow_header(allowed)));
    headers.push((header::VARY, HeaderValue::from_static("accept")));
    let document = markdown.as_ref().filter(|_| prefers_media_type(head, MARKDOWN, JSON)).unwrap_or(json);
    conditional_reply(plan, head, document, headers)
}

const HTML: &str = "text/html";
const HTML_UTF8: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";
const MARKDOWN_UTF8: &str = "text/markdown; charset=utf-8";

/// Creates a reply with a document; with status 304 if `If-None-Match` shows that the client has the current document,
/// and with status 412 if `If-Match` lists only others. Clients must revalidate their copy before each use, because the
/// document may have changed when the server was restarted.
///
/// RFC 9110 section 13.2.1 excludes OPTIONS from conditional requests because a response to OPTIONS is not a
/// representation. The responses of this server to OPTIONS are representations and have entity tags, and a client that
/// sends such an entity tag in `If-None-Match` expects 304.
fn conditional_reply(
    plan: &Plan,
    head: &Head,
    document: &Document,
    mut headers: Vec<(HeaderName, HeaderValue)>,
) -> Reply {
    let is_other = || listed_etag(head, &header::IF_MATCH, document).is_none();
    if head.method != Method::OPTIONS && head.get_all(&header::IF_MATCH).next().is_some() && is_other() {
        return respond_with_error(plan, head, ErrorContext::ServerPath, ApiError::plain(ErrorCode::VersionMismatch));
    }
    headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if varies_by_encoding(plan, document) {
        headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    if let Some(etag) = listed_etag(head, &header::IF_NONE_MATCH, document) {
        headers.push((header::ETAG, etag));
        return Reply::without_body(304, headers);
    }
    headers.push((header::ETAG, document.etag.clone()));
    let content_type = Some(HeaderValue::from_static(document.media_type));
    Reply { content_type, body: ReplyBody::Document(Box::new(document.clone())), ..Reply::without_body(200, headers) }
}

/// Returns a link to the document by RFC 8631. It is relative to the path of the request, and so correct behind every
/// reverse proxy. `None` if the server has no OpenAPI document.
pub fn link_to_openapi(head: &Head) -> Option<(HeaderName, HeaderValue)> {
    if !cfg!(feature = "documents") {
        return None;
    }
    let depth = head.uri.path().matches('/').count().saturating_sub(1).min(MAX_LINK_DEPTH);
    let start = head.reference_start() + &"../".repeat(depth);
    let link = format!("<{start}openapi.json>; rel=\"service-desc\"; type=\"application/json\"");
    // The link consists of printable ASCII characters.
    Some((header::LINK, HeaderValue::try_from(link).ok()?))
}

/// The maximum number of path segments above which the link leads. Paths of services and documents have fewer.
const MAX_LINK_DEPTH: usize = 64;

/// Returns the entity tag of the uncompressed document or of a compressed form that a header field lists; for `*`, that
/// of the uncompressed document (RFC 9110 sections 8.8.3.2 and 13.1.2).
fn listed_etag(head: &Head, field: &HeaderName, document: &Document) -> Option<HeaderValue> {
    let list = ETagList::from_head(head, field)?;
    let is_listed = |etag: &HeaderValue| {
        let etag = etag.to_str().ok().and_then(ETag::parse);
        list.has_match(|tag| etag.as_ref().is_some_and(|etag| etag.weak_eq(tag)))
    };
    document.etags().find(is_listed)
}

fn allow_header(allowed: &AllowedMethods) -> HeaderValue {
    let mut names = String::with_capacity(MAX_ALLOW_LENGTH);
    // Writing to a `String` never fails, and names of HTTP methods are a valid header value.
    let _ = write!(names, "{allowed}");
    HeaderValue::try_from(names).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// In bytes.
const MAX_ALLOW_LENGTH: usize = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS".len();

/// Rendering occupies a processor and needs much memory.
static RENDER_PERMITS: Semaphore = Semaphore::const_new(2);
/// Only one thread renders them, so that the other processors are free for calls.
static CALLER_PERMIT: Semaphore = Semaphore::const_new(1);

/// For a larger API, a worker does not find the methods of a caller itself.
const MAX_METHODS_IN_WORKER: usize = 1_000;

/// The returned documents may not be rendered yet. Fails if the time for documents for callers is used up.
async fn find_caller_documents(plan: &Plan, permissions: &[Box<str>]) -> Result<Arc<LazyDocuments>, ApiError> {
    let cache = &plan.documents.for_callers;
    if let Some(documents) = cache.find(permissions) {
        return Ok(documents);
    }
    if plan.methods.len() <= MAX_METHODS_IN_WORKER {
        return Ok(cache.find_or_add(permissions));
    }
    let (searched, permissions) = (Arc::clone(cache), permissions.to_vec());
    run_for_callers(cache, move || searched.run(|| searched.find_or_add(&permissions))).await
}

/// Concurrent requests wait for the first one, whose rendering continues even if its client disconnects. Fails if the
/// time for documents for callers is used up.
async fn render_if_needed(documents: &Arc<LazyDocuments>) -> Result<(), ApiError> {
    if documents.is_rendered() {
        return Ok(());
    }
    let render_lock = Arc::clone(&documents.render_lock).lock_owned().await;
    if documents.is_rendered() {
        return Ok(());
    }
    let permit = match documents.limited_by() {
        None => Some(RENDER_PERMITS.acquire().await.map_err(ApiError::internal)?),
        Some(_) => None,
    };
    let unrendered = Arc::clone(documents);
    run_rendering(documents, move || {
        unrendered.get_or_render();
        // The lock and the permit are released only when rendering has ended. If the future of the request held the
        // lock and the client disconnected, the next request would start to render a second time.
        drop((render_lock, permit));
    })
    .await
}

/// Returns what `find` finds, or else what `render` returns on another thread. Fails if the time for documents for
/// callers is used up.
async fn find_or_render<T: Send + 'static>(
    documents: &Arc<LazyDocuments>,
    find: impl FnOnce(&Documents) -> Option<T>,
    render: impl FnOnce(&Documents) -> T + Send + 'static,
) -> Result<T, ApiError> {
    if let Some(found) = find(documents.get_or_render()) {
        return Ok(found);
    }
    let shared = Arc::clone(documents);
    run_rendering(documents, move || render(shared.get_or_render())).await
}

/// `None` if there is no document with this index.
pub async fn render_on_demand<T: Clone + Send + 'static>(
    documents: &Arc<LazyDocuments>,
    select: fn(&Documents) -> &RenderedOnDemand<T>,
    index: usize,
) -> Result<Option<T>, ApiError> {
    let find = |all: &Documents| select(all).cached_document(index).map(Some);
    find_or_render(documents, find, move |all| select(all).get_or_render(index)).await
}

async fn run_rendering<T: Send + 'static>(
    documents: &Arc<LazyDocuments>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let Some(cache) = documents.limited_by() else {
        return spawn_blocking(work).await.map_err(ApiError::internal);
    };
    let documents = Arc::clone(documents);
    run_for_callers(&cache, move || documents.run(work)).await
}

/// Runs work for callers, one after the other.
async fn run_for_callers<T: Send + 'static>(
    cache: &CallerDocuments,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let check_time = || if cache.has_time() { Ok(()) } else { Err(ApiError::plain(ErrorCode::Unavailable)) };
    check_time()?;
    let permit = CALLER_PERMIT.acquire().await.map_err(ApiError::internal)?;
    // Other work may have used up the time while this request waited.
    check_time()?;
    let work = move || {
        let _permit = permit;
        work()
    };
    spawn_blocking(work).await.map_err(ApiError::internal)
}
