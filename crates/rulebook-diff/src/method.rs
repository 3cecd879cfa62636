//! Compares two definitions of a method.

use jiff::Timestamp;
use rulebook_model::call::Source;
use rulebook_model::model::{Api, Idempotency, Method, Module, MultipartLimits, Parameter, RateLimit};
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
    if has_ended(before) && has_ended(after) {
        return changes;
    }
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
        (_, Some(new)) if has_ended(after) => {
            let witness = json!({ "request": format!("{} {}", before.http.as_str(), old.of.service.uri()) });
            let ended = Change::new(ChangeKind::MethodEnded, format!("has ended at {new}")).witness(witness);
            return vec![ended.at(before.span, after.span)];
        }
        (Some(old), Some(new)) if new > old => {
            add(ChangeKind::SunsetPostponed, format!("ends at {new}, and ended at {old}"));
        }
        (Some(old), Some(new)) if new < old => add(ChangeKind::SunsetSet, format!("ends at {new}, and ended at {old}")),
        (None, Some(new)) => add(ChangeKind::SunsetSet, format!("ends at {new}")),
        (Some(old), None) => add(ChangeKind::SunsetPostponed, format!("has no end, and ended at {old}")),
        _ => {}
    }
    let reads_names = |api: &Api| api.dispatch || api.service.on;
    if reads_names(old.api) && reads_names(new.api) {
        changes.extend(parameters::compare_names_of_positions(old.of, new.of));
    }
    scope::compare(old.of, new.of, &mut changes);
    parameters::compare(old.of, new.of, types, &mut changes);
    // The limits depend on the parameters; a narrower one says enough.
    if !changes.is_empty() && !changes.iter().any(|change| change.kind == ChangeKind::ParameterNarrowed) {
        changes.extend(compare_multipart_limits(old, new));
    }
    outputs::compare(before, after, types, &mut changes);
    if body(before) != body(after) {
        let message = format!("reads {}, and read {}", body(after), body(before));
        changes.push(Change::new(ChangeKind::BodyChanged, message));
    }
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

/// Returns `true` if requests get 410, because the method's sunset has passed.
pub(crate) fn has_ended(method: &Method) -> bool {
    sunset(method).is_some_and(|sunset| sunset <= Timestamp::now())
}

/// Returns which bodies a method reads.
fn body(method: &Method) -> &'static str {
    let is_read = |parameter: &&Parameter| matches!(parameter.from.source(), Source::Body | Source::Any);
    match method.parameters.iter().find(is_read) {
        Some(parameter) if parameter.is_raw_body() => "a file",
        Some(parameter) if parameter.is_whole_body() => "a JSON value",
        Some(_) => "JSON or a form",
        None => "no body",
    }
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

/// Compares the limits of multipart bodies, which are higher for methods that need it. Changes of the limits of the API
/// are listed once.
fn compare_multipart_limits(old: MethodInApi<'_>, new: MethodInApi<'_>) -> Option<Change> {
    let [before, after] = [old, new].map(|of| MultipartLimits::of_method(of.of.method, &of.api.limits));
    let words = |limits: MultipartLimits| format!("{} bytes and {} parts", limits.bytes, limits.parts);
    let is_lower = after.bytes < before.bytes || after.parts < before.parts;
    let message = || format!("accepts multipart bodies of {}, and accepted {}", words(after), words(before));
    (is_lower && old.api.limits == new.api.limits).then(|| Change::new(ChangeKind::LimitLowered, message()))
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
    // Limits of the module or the API count the requests of all their methods together.
    let is_shared = |method: &Method| method.options.rate_limits.is_none() && !after.is_empty();
    let is_shared_only_now = is_shared(new.of.method) && !is_shared(old.of.method);
    let shared = if is_shared_only_now { " for all methods together" } else { "" };
    let message = || format!("the limit is {}{shared}, and was {}", words(&after, new_cost), words(&before, old_cost));
    // The cost also counts for the limits of keys.
    if new_cost > old_cost
        || is_shared_only_now
        || after.iter().any(|limit| !before.iter().any(|before| allows(limit, before)))
    {
        return Some(Change::new(ChangeKind::RateLimitLowered, message()));
    }
    (before != after || old_cost != new_cost).then(|| Change::new(ChangeKind::RateLimitRaised, message()))
}
