//! Compares two definitions of a method.

use jiff::Timestamp;
use rulebook_model::model::{Api, Idempotency, Method, Module, RateLimit};
use serde_json::json;

use crate::change::{Change, ChangeKind};
use crate::includes::Comparison;
use crate::parameters::MethodOf;
use crate::{outputs, parameters, scope};

/// A method with everything that determines its requests and responses.
#[derive(Clone, Copy)]
pub(crate) struct MethodInApi<'a> {
    pub(crate) api: &'a Api,
    pub(crate) module: &'a Module,
    pub(crate) of: MethodOf<'a>,
}

/// Returns the changes of a method that both definitions have.
pub(crate) fn compare(old: MethodInApi<'_>, new: MethodInApi<'_>, types: &mut Comparison) -> Vec<Change> {
    let (before, after) = (old.of.method, new.of.method);
    let mut changes = Vec::new();
    let mut add = |kind, message: String| changes.push(Change::new(kind, message).at(before.span, after.span));
    if before.id != after.id {
        add(ChangeKind::MethodRenamed, format!("has the id `{}`, and had `{}`", after.id, before.id));
    }
    match (&before.options.deprecation, &after.options.deprecation) {
        (None, Some(_)) => add(ChangeKind::MethodDeprecated, "is deprecated".to_owned()),
        (Some(_), None) => add(ChangeKind::DeprecationRemoved, "is no longer deprecated".to_owned()),
        _ => {}
    }
    match (sunset(before), sunset(after)) {
        (Some(old), Some(new)) if new > old => {
            add(ChangeKind::SunsetPostponed, format!("ends at {new}, and ended at {old}"));
        }
        (Some(old), Some(new)) if new < old => add(ChangeKind::SunsetSet, format!("ends at {new}, and ended at {old}")),
        (None, Some(new)) => add(ChangeKind::SunsetSet, format!("ends at {new}")),
        (Some(old), None) => add(ChangeKind::SunsetPostponed, format!("has no end, and ended at {old}")),
        _ => {}
    }
    scope::compare(before, after, &mut changes);
    parameters::compare(old.of, new.of, types, &mut changes);
    outputs::compare(before, after, types, &mut changes);
    changes.extend(compare_idempotency(before, after));
    if before.allows_jsonp(old.api.jsonp) && !after.allows_jsonp(new.api.jsonp) {
        let witness = json!({ "request": "with JSONP" });
        changes.push(Change::new(ChangeKind::JsonpRemoved, "does not respond with JSONP").witness(witness));
    }
    changes.extend(compare_rate_limits(old, new));
    changes.into_iter().map(|change| change.or_at(before.span, after.span)).collect()
}

/// Returns the point in time at which a method ends.
pub(crate) fn sunset(method: &Method) -> Option<Timestamp> {
    method.options.deprecation.as_ref()?.sunset
}

fn compare_idempotency(old: &Method, new: &Method) -> Option<Change> {
    match (old.options.idempotent, new.options.idempotent) {
        (None | Some(Idempotency::Optional), Some(Idempotency::Required)) => {
            let witness = json!({ "request": { "without": Idempotency::HEADER } });
            let message = format!("requires the header field `{}`", Idempotency::HEADER);
            Some(Change::new(ChangeKind::IdempotencyKeyRequired, message).witness(witness))
        }
        (Some(_), None) => {
            let message = format!("does not read the header field `{}`", Idempotency::HEADER);
            Some(Change::new(ChangeKind::IdempotencyKeyRemoved, message))
        }
        _ => None,
    }
}

fn compare_rate_limits(old: MethodInApi<'_>, new: MethodInApi<'_>) -> Option<Change> {
    let limits = |of: MethodInApi<'_>| of.api.rate_limits(of.module, of.of.method).to_vec();
    let (before, after) = (limits(old), limits(new));
    let (old_cost, new_cost) = (old.of.method.options.cost, new.of.method.options.cost);
    // A limit allows what another one allows if it counts the same requests, and at least as many of them.
    let allows = |limit: &RateLimit, other: &RateLimit| {
        limit.per == other.per
            && limit.by == other.by
            && u64::from(limit.requests) * u64::from(old_cost) >= u64::from(other.requests) * u64::from(new_cost)
    };
    let words = |limits: &[RateLimit], cost: u32| {
        let limit = |limit: &RateLimit| format!("{} requests per {} by {}", limit.requests, limit.per, limit.by);
        let limits: Vec<String> = limits.iter().map(limit).collect();
        let limits = if limits.is_empty() { "no limit".to_owned() } else { limits.join(" and ") };
        if cost == 1 { limits } else { format!("{limits}, with a cost of {cost}") }
    };
    let message = || format!("the limit is {}, and was {}", words(&after, new_cost), words(&before, old_cost));
    if after.iter().any(|limit| !before.iter().any(|before| allows(limit, before))) {
        return Some(Change::new(ChangeKind::RateLimitLowered, message()));
    }
    (before != after || old_cost != new_cost).then(|| Change::new(ChangeKind::RateLimitRaised, message()))
}
