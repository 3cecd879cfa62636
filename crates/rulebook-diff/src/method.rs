//! Compares two definitions of a method: its permissions, options, limits, outputs and errors.

use std::borrow::Cow;

use jiff::Timestamp;
use rulebook_model::call::Source;
use rulebook_model::model::{
    Api, DeclaredError, Idempotency, Method, Module, MultipartLimits, Output, OutputPlace, Parameter, Permission,
    PermissionPart, RateLimit, Scope,
};
use serde_json::{Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::includes::{Comparison, Inclusion};
use crate::parameters::{self, MethodOf, name_in_old, type_words};

/// A method with everything that determines its requests and responses.
#[derive(Clone, Copy)]
pub(crate) struct MethodInApi<'a> {
    pub(crate) api: &'a Api,
    pub(crate) module: &'a Module,
    pub(crate) of: MethodOf<'a>,
}

pub(crate) fn compare(old: MethodInApi<'_>, new: MethodInApi<'_>, types: &mut Comparison) -> Vec<Change> {
    let (before, after) = (old.of.method, new.of.method);
    let mut changes = Vec::new();
    if has_ended(before) && has_ended(after) {
        return changes;
    }
    let mut add = |kind, message: String| changes.push(Change::new(kind, message));
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
    compare_scope(old.of, new.of, &mut changes);
    parameters::compare(old.of, new.of, types, &mut changes);
    // The limits depend on the parameters; a narrower one says enough.
    if !changes.is_empty() && !changes.iter().any(|change| change.kind == ChangeKind::ParameterNarrowed) {
        changes.extend(compare_multipart_limits(old, new));
    }
    compare_outputs(before, after, types, &mut changes);
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

pub(crate) fn sunset(method: &Method) -> Option<Timestamp> {
    method.options.deprecation.as_ref()?.sunset
}

/// Returns `true` if requests get 410, because the method's sunset has passed.
pub(crate) fn has_ended(method: &Method) -> bool {
    sunset(method).is_some_and(|sunset| sunset <= Timestamp::now())
}

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

#[derive(Clone)]
struct Required {
    /// With the names of variables that clients know.
    words: String,
    /// With the names of parameters in the old definition: another parameter of the same name is another variable.
    key: String,
}

type Group = Vec<Required>;

pub(crate) fn compare_scope(before: MethodOf<'_>, after: MethodOf<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (before.method, after.method);
    let old_groups = groups(&old.scope, &|name| old.request_name(name), &str::to_owned);
    let new_groups = groups(&new.scope, &|name| new.request_name(name), &|name| name_in_old(before, after, name));
    // A caller with the permissions of a group has those of a smaller group.
    let has_it = |has: &Group, required: &Required| has.iter().any(|permission| permission.key == required.key);
    let is_satisfied = |has: &Group, required: &[Group]| {
        required.is_empty() || required.iter().any(|group| group.iter().all(|permission| has_it(has, permission)))
    };
    let callers = |groups: &[Group]| if groups.is_empty() { vec![Group::new()] } else { groups.to_vec() };
    let message = || format!("requires {}, and required {}", scope_words(&new_groups), scope_words(&old_groups));
    if let Some(refused) = callers(&old_groups).iter().find(|group| !is_satisfied(group, &new_groups)) {
        let permissions: Vec<&str> = refused.iter().map(|permission| &*permission.words).collect();
        let witness = json!({ "caller": { "permissions": permissions } });
        changes.push(Change::new(ChangeKind::ScopeTightened, message()).witness(witness));
    } else if callers(&new_groups).iter().any(|group| !is_satisfied(group, &old_groups)) {
        changes.push(Change::new(ChangeKind::ScopeWidened, message()));
    }
}

fn groups(scope: &Scope, words: &dyn Fn(&str) -> String, key: &dyn Fn(&str) -> String) -> Vec<Group> {
    let text = |parts: &[PermissionPart], name_of: &dyn Fn(&str) -> String| {
        let part = |part: &PermissionPart| match part {
            PermissionPart::Literal(text) => text.clone(),
            PermissionPart::Variable(name) => name_of(name),
        };
        parts.iter().map(part).collect()
    };
    let group = |permissions: &Vec<Permission>| {
        permissions.iter().map(|it| Required { words: text(&it.parts, words), key: text(&it.parts, key) }).collect()
    };
    scope.groups.iter().map(group).collect()
}

fn scope_words(groups: &[Group]) -> String {
    let words = |group: &Group| group.iter().map(|permission| &*permission.words).collect::<Vec<_>>().join("` and `");
    let groups: Vec<String> = groups.iter().map(|group| format!("`{}`", words(group))).collect();
    if groups.is_empty() { "no permission".to_owned() } else { groups.join(", or ") }
}

pub(crate) fn compare_limits(old: &Api, new: &Api) -> Vec<Change> {
    let limits = |api: &Api| match serde_json::to_value(&api.limits) {
        Ok(Json::Object(limits)) => limits,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (limits(old), limits(new));
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let to_change = |(name, value): (&String, &Json)| {
        let previous = before.get(name).unwrap_or(&Json::Null);
        let is_raised = value.as_f64() > previous.as_f64();
        let kind = if is_raised { ChangeKind::LimitRaised } else { ChangeKind::LimitLowered };
        Change::new(kind, format!("the limit `{name}` is {value}, and was {previous}"))
    };
    changed.map(to_change).collect()
}

pub(crate) fn compare_outputs(old: &Method, new: &Method, types: &mut Comparison, changes: &mut Vec<Change>) {
    if old.options.download != new.options.download {
        let returns = |method: &Method| if method.options.download { "a file" } else { "outputs" };
        let message = format!("returns {} instead of {}", returns(new), returns(old));
        let witness = json!({ "response": { "returns": returns(new) } });
        changes.push(Change::new(ChangeKind::DownloadChanged, message).witness(witness));
    }
    compare_statuses(old, new, changes);
    // The status is no part of a response that documents list among the outputs.
    let is_listed = |output: &&Output| output.place != OutputPlace::Status;
    let [old_outputs, new_outputs] =
        [old, new].map(|method| method.outputs.iter().filter(is_listed).collect::<Vec<_>>());
    for output in &old_outputs {
        match new_outputs.iter().find(|known| key(known) == key(output)) {
            Some(known) => changes.extend(compare_output(output, known, types)),
            None => {
                let kind = match output.optional {
                    true => ChangeKind::OptionalOutputRemoved,
                    false => ChangeKind::OutputRemoved,
                };
                let message = format!("no longer returns {}", output_words(output));
                let witness = json!({ "response": { "without": name(output) } });
                changes.push(Change::new(kind, message).witness(witness).at(output.span, new.span));
            }
        }
    }
    for output in new_outputs.iter().filter(|output| old_outputs.iter().all(|known| key(known) != key(output))) {
        // A body that is one value has other members than a body with outputs.
        let kind = if output.is_whole() { ChangeKind::OutputChanged } else { ChangeKind::OutputAdded };
        changes.push(Change::new(kind, format!("returns {}", output_words(output))).at(old.span, output.span));
    }
    if let (Some(tag), None) = (&old.options.version, &new.options.version) {
        let message = format!("`{tag}` is no longer the entity tag of responses");
        changes.push(Change::new(ChangeKind::EntityTagRemoved, message));
    }
    compare_errors(old, new, changes);
}

/// Returns the place of an output in a response.
fn key(output: &Output) -> (bool, Cow<'_, str>) {
    match &output.place {
        OutputPlace::Header(field) => (true, field.name.to_ascii_lowercase().into()),
        _ => (false, Cow::from(&output.name)),
    }
}

fn name(output: &Output) -> &str {
    match &output.place {
        OutputPlace::Header(field) => &field.name,
        _ => &output.name,
    }
}

fn output_words(output: &Output) -> String {
    match &output.place {
        OutputPlace::Header(field) => format!("the header field `{}`", field.name),
        _ if output.is_whole() => "one value as the whole body".to_owned(),
        _ => format!("the output `{}`", output.name),
    }
}

fn compare_output(old: &Output, new: &Output, comparison: &mut Comparison) -> Vec<Change> {
    let mut changes = Vec::new();
    let subject = || output_words(old);
    let response = |value: Json| json!({ "response": { (name(new)): value } });
    if new.optional && !old.optional {
        let message = format!("may omit {}", subject());
        let witness = json!({ "response": { "without": name(new) } });
        changes.push(Change::new(ChangeKind::OutputOptional, message).witness(witness));
    } else if old.optional && !new.optional {
        changes.push(Change::new(ChangeKind::OutputRequired, format!("always returns {}", subject())));
    }
    let types = (&old.r#type, &new.r#type);
    let message = || format!("{} is {}, and was {}", subject(), type_words(types.1), type_words(types.0));
    match comparison.compare_types(&types.0.check, &types.1.check, old.optional) {
        None => {}
        Some(Inclusion::Included) => changes.push(Change::new(ChangeKind::OutputNarrowed, message())),
        Some(Inclusion::Excluded(value)) => {
            let witness = value.map(|value| response(value.to_json()));
            changes.push(Change::new(ChangeKind::OutputWidened, message()).witness(witness));
        }
        Some(Inclusion::Unknown) => changes.push(Change::new(ChangeKind::OutputChanged, message())),
    }
    changes.into_iter().map(|change| change.at(old.span, new.span)).collect()
}

fn compare_statuses(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    let statuses = |method: &Method| -> Vec<u16> {
        let options = &method.options;
        std::iter::once(options.status).chain(options.other_statuses.iter().copied()).collect()
    };
    let (old_statuses, new_statuses) = (statuses(old), statuses(new));
    let list = |statuses: &[u16]| statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
    let message = || format!("has the status {}, and had {}", list(&new_statuses), list(&old_statuses));
    if let Some(added) = new_statuses.iter().find(|status| !old_statuses.contains(status)) {
        let witness = json!({ "response": { "status": added } });
        changes.push(Change::new(ChangeKind::StatusAdded, message()).witness(witness));
    } else if old_statuses.iter().any(|status| !new_statuses.contains(status)) {
        changes.push(Change::new(ChangeKind::StatusRemoved, message()));
    }
}

fn compare_errors(old: &Method, new: &Method, changes: &mut Vec<Change>) {
    fn find<'a>(method: &'a Method, name: &str) -> Option<&'a DeclaredError> {
        method.errors.iter().find(|error| error.name == name)
    }
    for error in &old.errors {
        match find(new, &error.name) {
            None => {
                let message = format!("no longer returns the error `{}`", error.name);
                changes.push(Change::new(ChangeKind::ErrorRemoved, message).at(error.span, new.span));
            }
            Some(known) if known.status.get() != error.status.get() => {
                let (status, previous) = (known.status.get(), error.status.get());
                let message = format!("the error `{}` has the status {status}, and had {previous}", error.name);
                let witness = json!({ "response": { "error": error.name, "status": status } });
                let change = Change::new(ChangeKind::ErrorStatusChanged, message).witness(witness);
                changes.push(change.at(error.span, known.span));
            }
            Some(known) if known.number != error.number => {
                let number = |number: Option<u32>| number.map_or("none".to_owned(), |number| number.to_string());
                let (number, previous) = (number(known.number), number(error.number));
                let message = format!("the error `{}` has the number {number}, and had {previous}", error.name);
                let witness = json!({ "response": { "error": error.name, "number": known.number } });
                let change = Change::new(ChangeKind::ErrorNumberChanged, message).witness(witness);
                changes.push(change.at(error.span, known.span));
            }
            Some(_) => {}
        }
    }
    for error in new.errors.iter().filter(|error| find(old, &error.name).is_none()) {
        let message = format!("can return the error `{}` with the status {}", error.name, error.status.get());
        changes.push(Change::new(ChangeKind::ErrorAdded, message).at(old.span, error.span));
    }
}
