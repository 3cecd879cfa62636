//! Names that stand for a path: PhalApi's `service`, and api 3.0's `module` and `method`.

use std::borrow::Cow;

use super::fields::{Field, Given, one, query};
use super::{Unrouted, taking, unknown_service};
use crate::call::{Fault, FaultKind, Head, NameFlaw, Reason, Refusal, Source, shortened};
use crate::error::texts::{Catalogue, Text};
use crate::pipeline::respond::Of;
use crate::plan::{self, ByName, Found, Modules, Naming, Plan, Unfit};

/// What `service` holds, or `s` where there is none; of several, the last counts, as in PHP.
pub(super) fn service<'a>(fields: impl Iterator<Item = Field<'a>>) -> Option<Given<'a>> {
    let [long, short] = Naming::Service.fields();
    let (mut service, mut instead) = (None, None);
    for Field { name, given } in fields {
        if name == long {
            service = Some(given);
        } else if name == short {
            instead = Some(given);
        }
    }
    service.or(instead)
}

/// The service of this name.
///
/// # Errors
/// There is none.
pub(super) fn find(named: &plan::Named, given: &Given<'_>) -> Result<usize, Unrouted> {
    let misnamed = |name: &str, (parts, flaw)| {
        let refusal = Refusal::new(Reason::Misnamed { name: shortened(name), parts, flaw });
        Unrouted { of: Of::Name, refusal }
    };
    match given {
        Given::Text(name) => named.classes.find(name).ok_or_else(|| misnamed(name, flaw(name))),
        Given::Unfit(Unfit::Several) => Err(misnamed("[]", (0, NameFlaw::Illegal))),
        Given::Unfit(Unfit::NoText) => Err(misnamed("\u{fffd}", (0, NameFlaw::Illegal))),
    }
}

/// What PhalApi finds wrong with a name that no service has, and how many parts it has; 0 where it is empty.
///
/// A name of one part is that of a class, a third part in front that of a namespace, parts behind those do not count.
/// PHP's `empty` takes `0` for empty.
fn flaw(name: &str) -> (usize, NameFlaw) {
    let is_empty = |part: &str| matches!(part, "" | "0");
    if is_empty(name) {
        return (0, NameFlaw::Illegal);
    }
    let mut parts = name.split('.');
    let parts = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
    let count = name.split('.').count();
    let (class, method) = match count {
        1 => return (count, NameFlaw::Incomplete),
        2 => (parts[0], parts[1]),
        _ => (parts[1], parts[2]),
    };
    let illegal = is_empty(class) || is_empty(method);
    (count, if illegal { NameFlaw::Illegal } else { NameFlaw::Unknown })
}

/// The service that a body names with `module` and `method`; none where it has not both.
///
/// # Errors
/// One of them is no text, or there is no such service.
pub(super) fn module(modules: &Modules, fields: &[Field<'_>]) -> Result<Option<usize>, Unrouted> {
    let given = Naming::Module.fields().map(|name| one(fields.iter().cloned(), name, true));
    let [Some(module), Some(method)] = given else { return Ok(None) };
    let (module, method) = match (module, method) {
        (Given::Text(module), Given::Text(method)) => (module, method),
        (module, method) => {
            let given = Naming::Module.fields().into_iter().zip([module, method]);
            let faults = given.filter_map(|(name, given)| match given {
                Given::Text(_) => None,
                Given::Unfit(what) => Some(no_name(name, what)),
            });
            return Err(Refusal::new(Reason::Parameters { faults: faults.collect(), truncated: false }).into());
        }
    };
    modules.find(&module, &method).map(Some).ok_or_else(|| {
        let name = format!("{}/{}", shortened(&module), shortened(&method));
        Refusal::new(Reason::Misnamed { name, parts: 0, flaw: NameFlaw::Unknown }).into()
    })
}

/// What names a service and is no text.
fn no_name(name: &str, what: Unfit) -> Fault {
    let text = match what {
        Unfit::Several => Text::SeveralValues,
        Unfit::NoText => Text::NoText,
    };
    Fault {
        kind: FaultKind::Invalid,
        parameter: name.to_owned(),
        source: Source::Body,
        expected: "a name".into(),
        got: Some(Catalogue::english().plain(text).to_string()),
        message: None,
        broken: None,
    }
}

/// The method of a named service that the HTTP method picks.
///
/// # Errors
/// The service has none.
pub(super) fn method(plan: &Plan, head: &Head, service: usize) -> Result<usize, Unrouted> {
    method_taking(plan, head, service, 0)
}

/// The same, where the path holds so many positions.
///
/// # Errors
/// The service has none, or none that takes so many.
pub(super) fn method_taking(plan: &Plan, head: &Head, service: usize, positions: usize) -> Result<usize, Unrouted> {
    taking(plan, service, positions, &head.method).map_err(|allowed| {
        if allowed.0.is_empty() {
            return unknown_service().into();
        }
        let refusal = Refusal::new(Reason::UnknownMethod { allowed });
        Unrouted { of: Of::Module(plan.services[service].module), refusal }
    })
}

/// A method that was found by name.
pub(super) struct Wanted {
    /// Its index.
    pub(super) method: usize,
    /// How it was named.
    pub(super) naming: Naming,
}

impl Wanted {
    /// The method with its positions as they are given by their names in code, in the query before the body; and
    /// whether all of them are.
    pub(super) fn found<'h>(&self, plan: &Plan, head: &'h Head, body: &[Field<'_>]) -> (Found<'h>, bool) {
        let method = &plan.methods[self.method];
        let last_counts = plan.modules[method.module].last_counts;
        let mut segments = Vec::new();
        let mut unfit = Vec::new();
        let mut complete = true;
        for (segment, slot) in &method.segments {
            let name = &*method.names[*slot];
            let in_query = one(query(head, &[name]), name, last_counts);
            let given = in_query.or_else(|| Some(one(body.iter().cloned(), name, last_counts)?.into_owned()));
            match given {
                Some(Given::Text(text)) => {
                    if segments.len() <= *segment {
                        segments.resize(segment + 1, Cow::Borrowed(""));
                    }
                    segments[*segment] = text;
                }
                Some(Given::Unfit(what)) => unfit.push((*slot, what)),
                None => complete = false,
            }
        }
        let by_name = Some(Box::new(ByName { naming: self.naming, unfit }));
        (Found { method: self.method, segments, by_name }, complete)
    }

    /// The method with positions that are the segments of the path.
    pub(super) fn at<'h>(&self, plan: &Plan, positions: Vec<Cow<'h, str>>) -> Found<'h> {
        let service = plan.methods[self.method].segments.iter().map(|(segment, _)| *segment).min().unwrap_or_default();
        let mut segments = vec![Cow::Borrowed(""); service];
        segments.extend(positions);
        let by_name = Some(Box::new(ByName { naming: self.naming, unfit: Vec::new() }));
        Found { method: self.method, segments, by_name }
    }
}
