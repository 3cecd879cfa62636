//! Responds with the documents that describe the API: OpenAPI documents, `/llms.txt`, and descriptions for OPTIONS.
//! This Rust module selects the documents for a request, and renders them if they do not exist yet.
//!
//! The *audience* of a document is either every client, or only the caller whose credential is in the request. With
//! `as=me` in the query, the audience is the caller; with the setting `"options": "own"` in the definition, the
//! audience is the caller for all requests. If the audience is the caller, the caller is identified, and the request
//! counts for the rate limit of the caller. For this audience, OPTIONS, `Allow` and the documents omit the API methods
//! that the caller may not call.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::model::{ApiDocument, Audience};

use super::document_reply::{link_to_openapi, reply_with_description, reply_with_document};
use super::identify::{authenticate, counts_for_identity};
use super::render::{find_caller_documents, render_if_needed, run_rendering};
use super::respond::{ErrorContext, respond_with_error, respond_with_error_without_suggestions};
use super::route::{OptionsTarget, find_parent_path_index};
use super::urlencoded::query_values;
use super::{Reply, ReplyBody, cors};
use crate::call::{
    AllowedMethods, ApiError, Head, HttpMethod, Identity, ParameterError, ParameterErrorKind, Source, shorten_text,
};
use crate::plan::{Document, Documents, LazyDocuments, OptionsDescription, Plan, PublishedDocuments, RenderedOnDemand};
use crate::rate_limit::CountedRequest;

/// The query field `as`, which selects the audience of documents.
const AUDIENCE_FIELD: &str = Audience::ASKED.0;
/// The only accepted value of the field [`AUDIENCE_FIELD`]: the audience is the caller.
const CALLER_AUDIENCE: &str = Audience::ASKED.1;

/// The documents for the audience of a request, and the state of the caller's rate limit.
pub struct AudienceDocuments<'p> {
    documents: Cow<'p, Arc<LazyDocuments>>,
    /// `true` if the audience is the caller; `false` if the audience is every client.
    is_for_caller: bool,
    counted: CountedRequest,
}

impl AudienceDocuments<'_> {
    pub fn documents(&self) -> &Documents {
        self.documents.get_or_render()
    }

    /// Returns a shared handle to the documents, for a thread that outlives this value.
    pub fn shared(&self) -> &Arc<LazyDocuments> {
        &self.documents
    }

    /// Adds the header fields that depend on the audience: the fields for HTTP caches, and the state of the caller's
    /// rate limit.
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

/// The header fields of a document whose audience is the caller: only a private cache may store the document, and the
/// cache must revalidate the document before each use.
const CALLER_DOCUMENT_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (header::VARY, HeaderValue::from_static("authorization, cookie")),
];

/// Returns the documents for the audience of a request. If the documents do not exist yet, they are rendered on another
/// thread. Fails if the query field `as` has another value than `me`, the credential is invalid, the caller's rate
/// limit is used up, or the documents for the caller do not exist and the time for rendering such documents is used up.
pub async fn find_audience_documents<'p>(plan: &'p Plan, head: &Head) -> Result<AudienceDocuments<'p>, ApiError> {
    // A browser sends a CORS preflight without credentials, so that the caller is unknown.
    if cors::is_preflight(head) || !requests_caller_documents(plan, head)? {
        let all = plan.documents.for_whole_api();
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

/// Returns `true` if the audience of the requested documents is the caller; `false` if the audience is every client.
fn requests_caller_documents(plan: &Plan, head: &Head) -> Result<bool, ApiError> {
    let requested = parse_query_value(head, AUDIENCE_FIELD, "as-me", |value| (value == CALLER_AUDIENCE).then_some(()))?;
    Ok(requested.is_some() || plan.documents.is_limited_to_caller)
}

/// Returns the value of the query field `name`, converted by `parse`; `None` if the query does not have this field.
/// Fails if `parse` returns `None` for the value, or the field occurs twice.
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

/// The query field whose value is the name of an API module. The response is the OpenAPI document of this module.
pub const MODULE_FIELD: &str = "module";
/// The query field whose value is the number of a part of a large API module; the first part has the number 1. The
/// response is the OpenAPI document of this part.
pub const PART_FIELD: &str = "part";

/// The query field that selects the OpenAPI document with less detail. It has no value.
pub const LEAN_FIELD: &str = "lean";

/// Responds to GET or HEAD at the path of a document.
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

/// Returns a document of the whole API, which is rendered on another thread when it is first requested.
async fn document_of_whole_api(documents: &AudienceDocuments<'_>, document: ApiDocument) -> Result<Document, ApiError> {
    if let Some(rendered) = documents.documents().published.rendered(document) {
        return Ok(rendered.clone());
    }
    let shared = Arc::clone(documents.shared());
    run_rendering(documents.shared(), move || shared.get_or_render().published.get_or_render(document).clone()).await
}

/// Returns the OpenAPI document that the query of a request selects. Fails if the API has no module with the name in
/// the query, or the module has no part with the number in the query.
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
    let (select, index): (fn(&PublishedDocuments) -> &RenderedOnDemand<Document>, usize) = match (part, &module) {
        (Some(part), _) => (|documents| &documents.parts, part),
        (None, Some((_, module))) => (|documents| &documents.modules, *module),
        (None, None) => return document_of_whole_api(documents, whole_api).await,
    };
    if let Some(cached) = select(published).cached_document(index) {
        return Ok(cached);
    }
    let shared = Arc::clone(documents.shared());
    let render = move || select(&shared.get_or_render().published).get_or_render(index);
    match run_rendering(documents.shared(), render).await? {
        Some(document) => Ok(document),
        // The index comes from the same documents, so that a document with this index exists.
        None => document_of_whole_api(documents, whole_api).await,
    }
}

/// Returns the HTTP methods with which the body of a request to the base path can name a service that the documents
/// describe.
fn methods_named_in_body(plan: &Plan, documents: &Documents) -> AllowedMethods {
    if documents.visible_methods.is_none() {
        return plan.named_in_body.http_methods.clone();
    }
    let named = plan.named_in_body.methods.iter().filter(|(_, method)| documents.is_method_visible(*method));
    AllowedMethods::sorted(named.map(|(http, _)| *http))
}

/// Responds to OPTIONS with a description of the requested URI, in JSON or Markdown. The description is sent without an
/// envelope (the JSON structure around outputs and errors).
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

/// Returns the description of the requested URI and its allowed HTTP methods; `None` if the documents describe nothing
/// at this URI. Fails if the description cannot be rendered now.
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
                Some(index) => description_on_demand(documents, |rendered| &rendered.services, index)
                    .await?
                    .map(|service| (service, allowed)),
                None => None,
            }
        }
        OptionsTarget::ParentPath { index } if !documents.is_for_caller => {
            let parent = description_on_demand(documents, |rendered| &rendered.parents, *index).await?;
            parent.map(|parent| (parent, no_methods.clone()))
        }
        OptionsTarget::ParentPath { .. } => None,
    };
    // The service at a URI may be hidden from the caller, while services below this URI are visible.
    let parent = if description.is_none() { find_parent_path_index(plan, rendered, head) } else { None };
    Ok(match parent {
        Some(index) => description_on_demand(documents, |rendered| &rendered.parents, index)
            .await?
            .map(|parent| (parent, no_methods)),
        None => description,
    })
}

/// Returns the description of the whole API for OPTIONS, and renders it if it has not been rendered.
async fn whole_api_description(documents: &AudienceDocuments<'_>) -> Result<OptionsDescription, ApiError> {
    if let Some(rendered) = documents.documents().whole_api.rendered() {
        return Ok(rendered.clone());
    }
    let shared = Arc::clone(documents.shared());
    run_rendering(documents.shared(), move || shared.get_or_render().whole_api.get_or_render().clone()).await
}

/// Returns a description for OPTIONS, and renders it if it is not in the cache. `select` selects the descriptions of
/// services or of parent paths.
async fn description_on_demand(
    documents: &AudienceDocuments<'_>,
    select: fn(&Documents) -> &RenderedOnDemand<OptionsDescription>,
    index: usize,
) -> Result<Option<OptionsDescription>, ApiError> {
    if let Some(cached) = select(documents.documents()).cached_document(index) {
        return Ok(Some(cached));
    }
    let shared = Arc::clone(documents.shared());
    run_rendering(documents.shared(), move || select(shared.get_or_render()).get_or_render(index)).await
}

/// Returns those of the `allowed` HTTP methods that the documents describe, so that `Allow` omits hidden API methods.
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
