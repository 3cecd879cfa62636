//! Documents, and for whom they are: everybody, or who asks.
//!
//! Where a request asks `as=me`, or the definition has it so for all, it is told what it could call: it is identified
//! and counted as one for a method is. What is not told of is not there.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::document::{ready_options, unread};
use super::pairs::query_values;
use super::respond::{Of, refuse, refuse_plainly};
use super::route::{OptionsOn, above, unknown_service};
use super::{Reply, cors, document, identify};
use crate::call::{Allowed, Fault, FaultKind, Head, Http, Quota, Reason, Refusal, Source};
use crate::error::texts::{Catalogue, Text};
use crate::model::Audience;
use crate::plan::{Document, Documents, Later, OnDemand, Plan};

/// The field of a query that says for whom documents are to be, and its one value.
const AS: &str = Audience::ASKED.0;
const ME: &str = Audience::ASKED.1;

/// For how many at once documents are made: each takes a processor, and room for all of them.
static MAKING: Semaphore = Semaphore::const_new(2);

/// The documents that a request is answered from.
pub struct Told<'p> {
    later: Cow<'p, Arc<Later>>,
    /// Whether they are for who asks.
    own: bool,
    quota: Option<Quota>,
}

impl Told<'_> {
    /// The documents.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        self.later.get()
    }

    /// The same, to be kept.
    #[must_use]
    pub fn later(&self) -> &Arc<Later> {
        &self.later
    }

    /// The reply with what is to be said of whom it is for.
    #[must_use]
    pub fn mark(&self, mut reply: Reply) -> Reply {
        if self.own {
            reply.headers.retain(|(name, _)| *name != header::CACHE_CONTROL);
            reply.headers.extend(OWN);
        }
        reply.headers.extend(self.quota.into_iter().flat_map(Quota::fields));
        reply
    }
}

/// No cache but that of who asked may keep it, and none may give it out unasked.
const OWN: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (header::VARY, HeaderValue::from_static("authorization, cookie")),
];

/// The documents for a request. They are made away from the worker where they are not yet.
///
/// # Errors
/// `as` says something else than `me`, the credential is not valid, or the request is one too many.
pub async fn told<'p>(plan: &'p Plan, head: &Head) -> Result<Told<'p>, Refusal> {
    // Browsers ask about calls without what identifies who will make them.
    if cors::is_preflight(head) || !for_who_asks(plan, head)? {
        let all = plan.documents.all();
        made(all).await?;
        return Ok(Told { later: Cow::Borrowed(all), own: false, quota: None });
    }
    let identity = identify::identify(plan, head).await?;
    let mut quota = None;
    identify::count(identity.as_ref(), &mut quota)
        .map_err(|refusal| refusal.with_headers(quota.into_iter().flat_map(Quota::fields).collect()))?;
    let later = plan.documents.of(identity.as_ref().map_or(&[], |identity| &identity.scope));
    made(&later).await?;
    Ok(Told { later: Cow::Owned(later), own: true, quota })
}

/// Whether documents are to be for who asks.
fn for_who_asks(plan: &Plan, head: &Head) -> Result<bool, Refusal> {
    let asked = value(head, AS, Text::AsMe, |value| (value == ME).then_some(()))?;
    Ok(asked.is_some() || plan.documents.own)
}

/// What the query says in the field of a name, as it is `read`; none without the field.
///
/// # Errors
/// It is read as nothing, or is there twice.
fn value<T>(
    head: &Head,
    name: &str,
    expected: Text,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let mut values = query_values(head, name);
    let fault = |kind, got: Option<&str>| {
        let fault = Fault {
            kind,
            parameter: name.to_owned(),
            source: Source::Query,
            expected: Catalogue::english().plain(expected).to_string().into(),
            got: got.map(|got| format!("{:?}", got.chars().take(MOST_SHOWN).collect::<String>())),
            message: None,
            broken: None,
        };
        Refusal::new(Reason::Parameters { faults: vec![fault], truncated: false })
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(fault(FaultKind::Repeated, None)),
        (Some(value), None) => match value.as_deref().and_then(read) {
            Some(read) => Ok(Some(read)),
            None => Err(fault(FaultKind::Invalid, value.as_deref())),
        },
    }
}

/// The most characters that are told back of a value that is not taken.
const MOST_SHOWN: usize = 100;

/// Makes documents that have not been made yet: one makes them, however many ask, and whether or not they stay.
async fn made(later: &Arc<Later>) -> Result<(), Refusal> {
    if later.is_made() {
        return Ok(());
    }
    let turn = Arc::clone(&later.turn).lock_owned().await;
    if later.is_made() {
        return Ok(());
    }
    let permit = MAKING.acquire().await.map_err(Refusal::internal)?;
    let making = Arc::clone(later);
    let made = spawn_blocking(move || {
        making.get();
        // Not before: were these dropped with the request, the next one would begin anew beside this.
        drop((turn, permit));
    });
    made.await.map_err(Refusal::internal)
}

/// A document of the API that has a path of its own.
#[derive(Debug, Clone, Copy)]
pub enum Described {
    /// The OpenAPI document: of the whole API, or of the module that the query names, or of a part of it.
    OpenApi,
    /// The API for readers of plain text.
    Llms,
}

/// The field of a query that says of which module alone the OpenAPI document is to be.
pub const MODULE: &str = "module";
/// The field that says of which part of it, by its number from 1.
pub const PART: &str = "part";

/// Answers a request at the path of a document of the API.
pub async fn described(plan: &Plan, head: &Head, what: Described) -> Reply {
    if let Some(reply) = unread(plan, head) {
        return reply;
    }
    let refused = |refusal| refuse(plan, head, Of::Page, refusal);
    let told = match told(plan, head).await {
        Ok(told) => told,
        Err(refusal) => return refused(refusal),
    };
    let found = match what {
        Described::OpenApi => openapi(&told, head).await,
        Described::Llms => Ok(told.documents().llms.clone()),
    };
    told.mark(found.map_or_else(refused, |found| document(plan, head, &found)))
}

/// The OpenAPI document that is asked for.
async fn openapi(told: &Told<'_>, head: &Head) -> Result<Document, Refusal> {
    let documents = told.documents();
    let named = |name: &str| documents.modules.find(name).map(|index| (name.to_owned(), index));
    let module = value(head, MODULE, Text::OneModule, named)?;
    let numbered = |number: &str| documents.parts.find(&Documents::part_name(&module.as_ref()?.0, number));
    let (of, index): (fn(&Documents) -> &OnDemand<Document>, usize) =
        match (value(head, PART, Text::OnePart, numbered)?, &module) {
            (Some(part), _) => (|documents| &documents.parts, part),
            (None, Some((_, module))) => (|documents| &documents.modules, *module),
            (None, None) => return Ok(documents.openapi.clone()),
        };
    if let Some(ready) = of(documents).ready(index) {
        return Ok(ready.clone());
    }
    let later = Arc::clone(told.later());
    let made = spawn_blocking(move || of(later.get()).get(index)).await.map_err(Refusal::internal)?;
    // An index that was found is there.
    Ok(made.unwrap_or_else(|| documents.openapi.clone()))
}

/// Answers OPTIONS: a definition, never in an envelope, in the form that the client wants most.
pub async fn options(plan: &Plan, head: &Head, on: OptionsOn) -> Reply {
    let told = match told(plan, head).await {
        Ok(told) => told,
        Err(refusal) => return refuse(plan, head, on.of(plan), refusal),
    };
    let documents = told.documents();
    let none = Allowed(Vec::new());
    let found = match &on {
        OptionsOn::All { allowed, service, by_body } => {
            Some((&documents.all, told_of(plan, documents, *service, *by_body, allowed)))
        }
        OptionsOn::Service { service, allowed } => {
            let allowed = told_of(plan, documents, Some(*service), false, allowed);
            documents.services[*service].as_ref().filter(|_| !allowed.0.is_empty()).map(|own| (own, allowed))
        }
        OptionsOn::Above { above } if !told.own => documents.described_above.get(*above).map(|own| (own, none.clone())),
        OptionsOn::Above { .. } => None,
    };
    // What was a service to others may be a URI above services to who asks.
    let above = || Some((documents.described_above.get(above(plan, documents, head)?)?, none));
    told.mark(match found.or_else(above) {
        Some((description, allowed)) => ready_options(plan, head, description, &allowed),
        None => refuse_plainly(plan, head, Of::Nothing, unknown_service()),
    })
}

/// Those of the allowed methods that are told of.
fn told_of(plan: &Plan, documents: &Documents, service: Option<usize>, by_body: bool, allowed: &Allowed) -> Allowed {
    let own = service.map_or(&[][..], |service| &plan.services[service].methods);
    let is_told = |http: Http| own.iter().any(|(own, method)| *own == http && documents.tells(*method));
    let kept = allowed.0.iter().copied().filter(|http| is_told(*http) || by_body && *http == Http::Post);
    Allowed(kept.collect())
}
