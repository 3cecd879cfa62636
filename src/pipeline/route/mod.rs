//! First stage: which method a request is for.
//!
//! The raw path is split at `/`, one empty segment at its end dropped, each
//! segment decoded by itself; the longest service that the path begins with
//! takes the rest as positions. A longer service never gives way to a shorter one.
//!
//! Where the definition has it so, a name in the query of base or in a body
//! stands for a path. The body then has to be begun before it is known which
//! method is asked for: [`route`] says so, and [`decide`] goes on from there.

mod fields;
mod name;
mod path;

use std::borrow::Cow;

pub use fields::Beginning;
pub(super) use path::similar;

use super::body::{BodyKind, announced_kind};
use super::respond::Of;
use crate::call::{Allowed, Head, Http, Limit, Reason, Refusal};
use crate::plan::{Documents, Found, Naming, Plan};
use name::Wanted;

/// What a request is for.
#[derive(Debug)]
pub enum Routed<'h> {
    /// A method of a service.
    Method(Found<'h>),
    /// OPTIONS, whoever asks.
    Options(OptionsOn),
    /// What only the beginning of the body can tell.
    Undecided(Undecided),
}

/// What OPTIONS asks about.
#[derive(Debug)]
pub enum OptionsOn {
    /// A service.
    Service {
        /// Its index.
        service: usize,
        /// What can be asked of this very URI: methods whose positions cannot take its segments are not among them.
        allowed: Allowed,
    },
    /// A URI that has services below it, and none of its own.
    Above {
        /// Its index.
        above: usize,
    },
    /// Base, what is above it, or `*`.
    All {
        /// What can be asked of this very URI.
        allowed: Allowed,
        /// The service that has what can be asked.
        service: Option<usize>,
        /// Whether a body of POST may name any service.
        by_body: bool,
    },
}

impl OptionsOn {
    /// All, where nothing can be asked.
    fn all() -> Self {
        Self::All { allowed: Allowed(Vec::new()), service: None, by_body: false }
    }

    /// Of what a refusal is.
    pub(super) fn of(&self, plan: &Plan) -> Of {
        match self {
            Self::Service { service, .. } => Of::Module(plan.services[*service].module),
            Self::Above { .. } | Self::All { .. } => Of::Nothing,
        }
    }
}

/// A request that [`decide`] has to look into the body for.
#[derive(Debug)]
pub struct Undecided {
    /// As what the body is to be read.
    pub kind: BodyKind,
    /// The method, where only its positions are wanted.
    pub method: Option<usize>,
    /// The module of the service that it is for where the body names none.
    pub module: Option<usize>,
}

impl Undecided {
    /// How far the request has come.
    #[must_use]
    pub fn of(&self) -> Of {
        let module = || self.module.map_or(Of::Nothing, Of::Module);
        self.method.map_or_else(module, Of::Method)
    }

    /// The method, where who may call it does not depend on what the body says: permission comes before the body.
    #[must_use]
    pub fn foreseen(&self, plan: &Plan) -> Option<Found<'static>> {
        let found = Found { method: self.method?, segments: Vec::new(), by_name: None };
        let method = &plan.methods[found.method];
        let depends = method.segments.iter().any(|(_, slot)| method.permit.names(*slot));
        (!depends).then_some(found)
    }
}

/// A request that is for nothing.
#[derive(Debug)]
pub struct Unrouted {
    /// How far it came.
    pub of: Of,
    /// What is wrong with it.
    pub refusal: Refusal,
}

impl From<Refusal> for Unrouted {
    fn from(refusal: Refusal) -> Self {
        Self { of: Of::Nothing, refusal }
    }
}

/// Finds what the request is for.
///
/// # Errors
/// The target is too long or cannot be decoded, no service has this URI, or it has no such method.
pub fn route<'h>(plan: &Plan, head: &'h Head) -> Result<Routed<'h>, Unrouted> {
    let length = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
    if length as u64 > plan.limits.uri {
        return Err(too_large(Limit::uri(plan.limits.uri)).into());
    }
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if fields as u64 > plan.limits.head {
        return Err(too_large(Limit::head(plan.limits.head)).into());
    }
    let options = head.method == http::Method::OPTIONS;
    if options && head.uri.path() == "*" {
        return Ok(Routed::Options(OptionsOn::all()));
    }
    let Some(path) = path::below(&plan.base, head.uri.path()) else {
        if options && path::is_above(&plan.base, head.uri.path()) {
            return Ok(Routed::Options(OptionsOn::all()));
        }
        return Err(unknown_service().into());
    };
    let (mut segments, service) = path::find(plan, path)?;
    if segments.is_empty() {
        if options {
            return Ok(Routed::Options(options_at_base(plan, head, service)));
        }
        if let Some(routed) = at_base(plan, head, service)? {
            return Ok(routed);
        }
    }
    let routed = by_path(plan, head, &mut segments, service);
    match &routed {
        Err(unrouted) if plan.dispatch.is_some() && unrouted.refusal.is_of_unknown_service() => {
            body_that_names(plan, head)
                .map_or(routed, |kind| Ok(Routed::Undecided(Undecided { kind, method: None, module: None })))
        }
        _ => routed,
    }
}

/// What a request at base is for, where that is not for its path to say: it leads to the root, where there is one.
fn at_base<'h>(plan: &Plan, head: &'h Head, root: Option<usize>) -> Result<Option<Routed<'h>>, Unrouted> {
    if plan.named.is_none() && plan.dispatch.is_none() {
        return Ok(None);
    }
    let mut wanted = None;
    if let Some(named) = &plan.named {
        if let Some(given) = name::service(fields::query(head, &Naming::Service.fields())) {
            wanted = Some(name::find(named, &given)?);
        } else if body_that_names(plan, head).is_none() {
            wanted = named.default;
        }
    }
    match wanted {
        Some(service) => {
            let wanted = Wanted { method: name::method(plan, head, service)?, naming: Naming::Service };
            let (found, complete) = wanted.found(plan, head, &[]);
            let kind = if complete { None } else { with_fields(plan, head) };
            Ok(Some(match kind {
                Some(kind) => Routed::Undecided(Undecided { kind, method: Some(wanted.method), module: None }),
                None => Routed::Method(found),
            }))
        }
        None => {
            let otherwise = plan.named.as_ref().and_then(|named| named.default).or(root);
            let module = otherwise.map(|service| plan.services[service].module);
            let undecided = |kind| Routed::Undecided(Undecided { kind, method: None, module });
            Ok(body_that_names(plan, head).map(undecided))
        }
    }
}

/// What can be asked of base: what the service has that the query names; where it names none, what the default one or
/// else the root has, and POST, whose body may name any.
fn options_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> OptionsOn {
    let given = name::service(fields::query(head, &Naming::Service.fields()));
    let (service, by_body) = match (&plan.named, given) {
        (Some(named), Some(given)) => (name::find(named, &given).ok(), false),
        (Some(named), None) => (named.default.or(root), true),
        (None, _) => (root, plan.dispatch.is_some()),
    };
    let own = service.map_or(&[][..], |service| &plan.services[service].methods);
    let has = |http| own.iter().any(|(own, _)| *own == http) || by_body && http == Http::Post;
    let allowed = Allowed(Http::ALL.into_iter().filter(|http| has(*http)).collect());
    OptionsOn::All { allowed, service, by_body }
}

/// Finds what a request is for whose body has been begun: what it names, else what its path does.
///
/// # Errors
/// The beginning cannot be read, what it names is not there, or nothing is named and the path leads nowhere.
pub fn decide<'h>(
    plan: &Plan,
    head: &'h Head,
    undecided: &Undecided,
    beginning: &Beginning,
) -> Result<Routed<'h>, Unrouted> {
    let fields = match fields::read(plan, &undecided.kind, beginning) {
        // What is wrong with the body is told to those who may send one.
        Err(_) if undecided.method.is_some() => Vec::new(),
        read => read.map_err(|refusal| Unrouted { of: undecided.of(), refusal })?,
    };
    // What may stand behind the beginning is not guessed.
    let seen = || if beginning.whole { Ok(()) } else { Err(too_large(Limit::dispatch(plan.limits.dispatch))) };
    let found = |wanted: Wanted| {
        let (found, complete) = wanted.found(plan, head, &fields);
        if !complete {
            seen().map_err(|refusal| Unrouted { of: Of::Method(wanted.method), refusal })?;
        }
        Ok(Routed::Method(found))
    };
    if let Some(method) = undecided.method {
        return found(Wanted { method, naming: Naming::Service });
    }
    let path = path::below(&plan.base, head.uri.path()).ok_or_else(unknown_service)?;
    let (mut segments, service) = path::find(plan, path)?;
    let named = plan.named.as_ref().filter(|_| segments.is_empty());
    if let Some(named) = named
        && let Some(given) = name::service(fields.iter().cloned())
    {
        let service = name::find(named, &given)?;
        return found(Wanted { method: name::method(plan, head, service)?, naming: Naming::Service });
    }
    if let Some(modules) = &plan.dispatch
        && let Some(service) = name::module(modules, &fields)?
    {
        let positions = segments.len();
        let method = name::method_taking(plan, head, service, positions)?;
        let wanted = Wanted { method, naming: Naming::Module };
        return if positions == 0 { found(wanted) } else { Ok(Routed::Method(wanted.at(plan, segments))) };
    }
    if segments.is_empty() {
        seen().map_err(|refusal| Unrouted { of: undecided.of(), refusal })?;
    }
    if let Some(service) = named.and_then(|named| named.default) {
        return found(Wanted { method: name::method(plan, head, service)?, naming: Naming::Service });
    }
    by_path(plan, head, &mut segments, service)
}

/// As what the body is to be read that may name a method: only POST sends one that does.
fn body_that_names(plan: &Plan, head: &Head) -> Option<BodyKind> {
    if head.method == http::Method::POST { with_fields(plan, head) } else { None }
}

/// As what the body is to be read, where it has fields.
fn with_fields(plan: &Plan, head: &Head) -> Option<BodyKind> {
    match announced_kind(head, plan.widest) {
        BodyKind::Nothing | BodyKind::Unsupported(_) => None,
        kind => Some(kind),
    }
}

/// What the segments of the path are for, where they begin with those of `service`; they are taken.
fn by_path<'h>(
    plan: &Plan,
    head: &Head,
    segments: &mut Vec<Cow<'h, str>>,
    service: Option<usize>,
) -> Result<Routed<'h>, Unrouted> {
    let options = head.method == http::Method::OPTIONS;
    let above = |segments: &[Cow<'_, str>]| if options { path::above(plan.documents.above(), segments) } else { None };
    let unknown = |segments: &[Cow<'_, str>]| {
        let found = above(segments).map(|above| Routed::Options(OptionsOn::Above { above }));
        found.ok_or_else(|| unknown_service().into())
    };
    let Some(index) = service else {
        return unknown(segments);
    };
    let service = &plan.services[index];
    let positions = segments.len() - service.length;
    match taking(plan, index, positions, &head.method) {
        Ok(method) => Ok(Routed::Method(Found { method, segments: std::mem::take(segments), by_name: None })),
        Err(allowed) if allowed.0.is_empty() => unknown(segments),
        Err(allowed) if options => Ok(Routed::Options(OptionsOn::Service { service: index, allowed })),
        Err(allowed) => {
            let refusal = Refusal::new(Reason::UnknownMethod { allowed });
            Err(Unrouted { of: Of::Module(service.module), refusal })
        }
    }
}

/// The method of a service for this HTTP method that takes so many positions; else which HTTP methods do.
fn taking(plan: &Plan, service: usize, positions: usize, wanted: &http::Method) -> Result<usize, Allowed> {
    let methods = &plan.services[service].methods;
    let fitting = methods.iter().filter(|(_, method)| plan.methods[*method].positions >= positions);
    let wanted = if wanted == http::Method::HEAD { "GET" } else { wanted.as_str() };
    let found = Http::from_name(wanted).and_then(|http| fitting.clone().find(|(own, _)| *own == http));
    found.map(|(_, method)| *method).ok_or_else(|| Allowed(fitting.map(|(own, _)| *own).collect()))
}

fn too_large(limit: Limit) -> Refusal {
    Refusal::new(Reason::TooLarge { limit, parameter: None })
}

/// The URI above services that a request is for, among those that these documents tell of.
pub(super) fn above(plan: &Plan, documents: &Documents, head: &Head) -> Option<usize> {
    let (segments, _) = path::find(plan, path::below(&plan.base, head.uri.path())?).ok()?;
    path::above(&documents.above, &segments)
}

/// The refusal of a request that no service has.
pub(super) fn unknown_service() -> Refusal {
    Refusal::new(Reason::UnknownService { similar: Vec::new() })
}
