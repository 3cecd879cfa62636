//! The documents that describe the API: choosing them by audience, making them, and replying to requests for them.
//!
//! The audience of a document is every client, or only the caller whose credential is in the request: with `as=me` in
//! the query, or always if the definition says `"options": "own"`. Such a request is identified and counted like a
//! call. A method that the caller may not call does not exist for that caller: OPTIONS, `Allow` and the documents omit
//! it.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use rulebook_model::error::texts::MessageId;
use rulebook_model::model::Audience;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::document_reply::{document, options_document};
use super::identify::{authenticate, count};
use super::respond::{ErrorContext, refuse, refuse_without_suggestion};
use super::route::{OptionsTarget, above};
use super::urlencoded::query_values;
use super::{Reply, cors, english};
use crate::call::{
    AllowedMethods, ApiError, Head, HttpMethod, ParameterError, ParameterErrorKind, Quota, Source, shortened,
};
use crate::plan::{Document, Documents, LazyDocuments, Plan, PublishedDocuments, RenderedOnDemand};

/// The query field that selects the audience of documents, and its only value.
const AS: &str = Audience::ASKED.0;
const ME: &str = Audience::ASKED.1;

/// The maximum number of audiences whose documents are made at once: each needs a processor, and memory for all
/// documents.
static MAKING: Semaphore = Semaphore::const_new(2);

/// The documents for the audience of a request.
pub struct DocumentsFor<'p> {
    documents: Cow<'p, Arc<LazyDocuments>>,
    /// `true` if the audience is the caller alone.
    for_caller: bool,
    quota: Option<Quota>,
}

impl DocumentsFor<'_> {
    /// Returns the documents.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        self.documents.get()
    }

    /// Returns the documents as a shared handle.
    #[must_use]
    pub fn shared(&self) -> &Arc<LazyDocuments> {
        &self.documents
    }

    /// Adds the header fields that depend on the audience: how caches may keep the reply, and the caller's rate limit.
    #[must_use]
    pub fn add_headers(&self, mut reply: Reply) -> Reply {
        if self.for_caller {
            reply.headers.retain(|(name, _)| *name != header::CACHE_CONTROL);
            reply.headers.extend(FOR_CALLER);
        }
        reply.headers.extend(self.quota.into_iter().flat_map(Quota::headers));
        reply
    }
}

/// The header fields of a document for the caller alone: only the caller's own cache may keep it, and has to ask again.
const FOR_CALLER: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (header::VARY, HeaderValue::from_static("authorization, cookie")),
];

/// Returns the documents for the audience of a request. If they have not been made yet, they are made on another
/// thread.
///
/// # Errors
/// Fails if the value of `as` is not `me`, the credential is invalid, or the caller's rate limit is used up.
pub async fn documents_for<'p>(plan: &'p Plan, head: &Head) -> Result<DocumentsFor<'p>, ApiError> {
    // Browsers send preflights without credentials.
    if cors::is_preflight(head) || !is_for_caller(plan, head)? {
        let all = plan.documents.all();
        make(all).await?;
        return Ok(DocumentsFor { documents: Cow::Borrowed(all), for_caller: false, quota: None });
    }
    let identity = authenticate(plan, head).await?;
    let mut quota = None;
    count(identity.as_ref(), &mut quota)
        .map_err(|error| error.with_headers(quota.into_iter().flat_map(Quota::headers).collect()))?;
    let documents = plan.documents.for_permissions(identity.as_ref().map_or(&[], |identity| &identity.permissions));
    make(&documents).await?;
    Ok(DocumentsFor { documents: Cow::Owned(documents), for_caller: true, quota })
}

/// Returns `true` if the audience of documents is the caller alone.
fn is_for_caller(plan: &Plan, head: &Head) -> Result<bool, ApiError> {
    let asked = query_value(head, AS, MessageId::ExpectedAs, |value| (value == ME).then_some(()))?;
    Ok(asked.is_some() || plan.documents.per_caller)
}

/// Returns the value of a query field as `parse` reads it; `None` if the query does not have the field.
///
/// # Errors
/// Fails if `parse` returns `None`, or the field occurs twice.
fn query_value<T>(
    head: &Head,
    name: &str,
    expected: MessageId,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let mut values = query_values(head, name);
    let error = |kind, got: Option<&str>| {
        let error = ParameterError::new(kind, name, Source::Query, english(expected));
        ApiError::parameters(vec![error.with_got(got.map(|got| format!("{:?}", shortened(got))))])
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

/// Makes documents that have not been made yet. One request makes them, however many need them, even if that request is
/// dropped.
async fn make(documents: &Arc<LazyDocuments>) -> Result<(), ApiError> {
    if documents.is_rendered() {
        return Ok(());
    }
    let turn = Arc::clone(&documents.render_lock).lock_owned().await;
    if documents.is_rendered() {
        return Ok(());
    }
    let permit = MAKING.acquire().await.map_err(ApiError::internal)?;
    let making = Arc::clone(documents);
    let made = spawn_blocking(move || {
        making.get();
        // Not earlier: if they were dropped with this request, the next request would start a second time.
        drop((turn, permit));
    });
    made.await.map_err(ApiError::internal)
}

/// A document with a path of its own.
#[derive(Debug, Clone, Copy)]
pub enum DocumentKind {
    /// The OpenAPI document of the whole API, of the module that the query names, or of a part of that module.
    OpenApi,
    /// The API as plain text.
    LlmsTxt,
}

/// The query field that selects the module of an OpenAPI document.
pub const MODULE: &str = "module";
/// The query field that selects a part of that module, by its number from 1.
pub const PART: &str = "part";

/// Replies to GET or HEAD at the path of a document.
pub async fn respond_with_document(plan: &Plan, head: &Head, kind: DocumentKind) -> Reply {
    let refuse = |error| refuse(plan, head, ErrorContext::Page, error);
    let documents = match documents_for(plan, head).await {
        Ok(documents) => documents,
        Err(error) => return refuse(error),
    };
    let found = match kind {
        DocumentKind::OpenApi => openapi(&documents, head).await,
        DocumentKind::LlmsTxt => Ok(documents.documents().published.llms.clone()),
    };
    documents.add_headers(found.map_or_else(refuse, |found| document(plan, head, &found)))
}

/// Returns the OpenAPI document that the query selects.
///
/// # Errors
/// Fails if there is no such module or part.
async fn openapi(documents: &DocumentsFor<'_>, head: &Head) -> Result<Document, ApiError> {
    let made = &documents.documents().published;
    let find_module = |name: &str| made.modules.find(name).map(|index| (name.to_owned(), index));
    let module = query_value(head, MODULE, MessageId::ExpectedModule, find_module)?;
    let find_part = |number: &str| made.parts.find(&Documents::part_name(&module.as_ref()?.0, number));
    let part = query_value(head, PART, MessageId::ExpectedPart, find_part)?;
    let (of, index): (fn(&PublishedDocuments) -> &RenderedOnDemand<Document>, usize) = match (part, &module) {
        (Some(part), _) => (|documents| &documents.parts, part),
        (None, Some((_, module))) => (|documents| &documents.modules, *module),
        (None, None) => return Ok(made.openapi.clone()),
    };
    if let Some(cached) = of(made).cached(index) {
        return Ok(cached);
    }
    let shared = Arc::clone(documents.shared());
    let rendered = spawn_blocking(move || of(&shared.get().published).get(index)).await.map_err(ApiError::internal)?;
    // The index was found in the same documents, so there is a document.
    Ok(rendered.unwrap_or_else(|| made.openapi.clone()))
}

/// Replies to OPTIONS with the definition of the target, never in an envelope, in the form that the client prefers.
pub async fn options(plan: &Plan, head: &Head, target: &OptionsTarget) -> Reply {
    let documents = match documents_for(plan, head).await {
        Ok(documents) => documents,
        Err(error) => return refuse(plan, head, target.context(plan), error),
    };
    let made = documents.documents();
    let none = AllowedMethods(Vec::new());
    let found = match target {
        OptionsTarget::All { allowed, service, by_body } => {
            Some((&made.all, visible(plan, made, *service, *by_body, allowed)))
        }
        OptionsTarget::Service { service, allowed, .. } => {
            let allowed = visible(plan, made, Some(*service), false, allowed);
            made.services[*service].as_ref().filter(|_| !allowed.0.is_empty()).map(|found| (found, allowed))
        }
        OptionsTarget::Above { above } if !documents.for_caller => {
            made.parent_descriptions.get(*above).map(|found| (found, none.clone()))
        }
        OptionsTarget::Above { .. } => None,
    };
    // A service that is hidden from the caller may be a URI above services that the caller sees.
    let above = || Some((made.parent_descriptions.get(above(plan, made, head)?)?, none));
    documents.add_headers(match found.or_else(above) {
        Some((description, allowed)) => options_document(plan, head, description, &allowed),
        None => refuse_without_suggestion(plan, head, ErrorContext::Nothing, ApiError::unknown_service()),
    })
}

/// Returns those of the allowed HTTP methods that the documents describe.
fn visible(
    plan: &Plan,
    documents: &Documents,
    service: Option<usize>,
    by_body: bool,
    allowed: &AllowedMethods,
) -> AllowedMethods {
    let methods = service.map_or(&[][..], |service| &plan.services[service].methods);
    let is_described =
        |http: HttpMethod| methods.iter().any(|(own, method)| *own == http && documents.is_visible(*method));
    let kept = allowed.0.iter().copied().filter(|http| is_described(*http) || by_body && *http == HttpMethod::Post);
    AllowedMethods(kept.collect())
}
