//! Compares two definitions: finds the methods that both have, compares each of them, and the settings that clients can
//! notice.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use rulebook_model::format::FormatOffer;
use rulebook_model::model::{Api, DefinedAuth, Location, Module, Parameter, Segment, Versions};
use rulebook_model::{HttpMethod, Value};
use serde_json::{Value as Json, json};

use crate::change::{Change, ChangeKind};
use crate::includes::Comparison;
use crate::method::{self, MethodInApi, compare_limits};
use crate::parameters::MethodOf;

/// The path of a method in which captures have no names, and its HTTP method.
type MethodKey = (String, HttpMethod);

/// Returns the changes from an old definition to a new one, in the order of their paths. Changes that clients cannot
/// notice, such as those of handlers and descriptions, are omitted.
///
/// ```
/// use rulebook_diff::{Level, compare};
///
/// let read = |size: &str| {
///     let text = format!(r#"{{ "/": {{ "article": {{ "GET": {{
///         "info": "Lists articles", "in": {{ "GET@size": {{ "info": "Count", "type": "{size}" }} }}
///     }} }} }} }}"#);
///     rulebook_model::read(vec![("article.json".into(), text.into())])
/// };
/// let changes = compare(&read("int(1,100)")?, &read("int(1,20)")?);
/// assert_eq!(changes[0].kind.to_string(), "parameter-narrowed");
/// assert_eq!(changes[0].kind.level(), Level::Breaking);
/// assert_eq!(changes[0].witness, Some(serde_json::json!({ "request": { "size": 100 } })));
/// # Ok::<(), rulebook_model::diagnostic::Report>(())
/// ```
#[must_use]
pub fn compare(old: &Api, new: &Api) -> Vec<Change> {
    let mut changes = compare_settings(old, new);
    match (&old.versions, &new.versions) {
        (None, None) => changes.extend(compare_methods(old, new)),
        _ => changes.extend(compare_versions(old, new)),
    }
    changes
}

/// Compares each version of an API with the version of the same name, and what requests get that name no version.
fn compare_versions(old: &Api, new: &Api) -> Vec<Change> {
    let names =
        |api: &Api| -> Vec<String> { api.versions.iter().flat_map(Versions::names).map(str::to_owned).collect() };
    let default = |api: &Api| api.versions.as_ref().map(|versions| versions.default.clone());
    let mut changes = Vec::new();
    // If it is the same version, its changes are listed with its name.
    if default(old).is_none() || default(old) != default(new) {
        changes = compare_methods(&old.default_version(), &new.default_version());
    }
    for name in names(old) {
        match (old.in_version(&name), new.in_version(&name)) {
            (Some(before), Some(after)) => {
                let found = compare_methods(&before, &after).into_iter();
                changes.extend(found.map(|change| Change { version: Some(name.clone()), ..change }));
            }
            _ => {
                let message = format!("the version `{name}` is no longer part of the API");
                let witness = json!({ "request": { "path": format!("/{name}/") } });
                changes.push(Change::new(ChangeKind::VersionRemoved, message).witness(witness));
            }
        }
    }
    for name in names(new).into_iter().filter(|name| !names(old).contains(name)) {
        changes.push(Change::new(ChangeKind::VersionAdded, format!("the version `{name}` is new")));
        changes.extend(methods_below(old, &name));
    }
    changes.into_iter().map(|change| change.or_at(old.span, new.span)).collect()
}

/// Returns the methods whose paths can begin with the name of a version, which then is no longer read as a value.
fn methods_below<'a>(old: &'a Api, version: &'a str) -> impl Iterator<Item = Change> + 'a {
    let is_below = move |method: &MethodInApi<'_>| {
        old.base.trim_matches('/').is_empty()
            && matches!(segments(method, Positions::All).first(), Some(None))
            && accepts(method, 0, version)
    };
    methods(old).into_iter().filter(is_below).map(move |method| {
        let message = format!("no longer handles requests whose path begins with `/{version}`: they name the version");
        let path = path_text(segments(&method, Positions::Required).iter().skip(1));
        let witness = json!({ "request": format!("{} /{version}{path}", method.of.method.http.as_str()) });
        let change = Change::new(ChangeKind::MethodRemoved, message).witness(witness);
        change.in_method(&name(&method), method.of.method)
    })
}

fn compare_methods(old: &Api, new: &Api) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old_methods, new_methods) = (methods(old), methods(new));
    let index =
        |methods: &[MethodInApi<'_>], key: &dyn Fn(&MethodInApi<'_>) -> MethodKey| -> HashMap<MethodKey, usize> {
            methods.iter().enumerate().map(|(index, method)| (key(method), index)).collect()
        };
    let new_index = index(&new_methods, &key);
    // A position that was required or optional changes the path with which requests are compared.
    let (old_index, services) =
        (LazyCell::new(|| index(&old_methods, &key)), LazyCell::new(|| index(&new_methods, &service_key)));
    let without_position = |before: &_| {
        services.get(&service_key(before)).filter(|index| !old_index.contains_key(&key(&new_methods[**index])))
    };
    // Only methods with captures or positions can be overridden.
    let with_captures: Vec<_> =
        old_methods.iter().filter(|method| segments(method, Positions::All).iter().any(Option::is_none)).collect();
    let mut types = Comparison::new(&new.limits, &old.limits);
    let mut known = vec![false; new_methods.len()];
    let mut modules = HashSet::new();
    for before in &old_methods {
        let found: Vec<Change> = match new_index.get(&key(before)).or_else(|| without_position(before)) {
            Some(index) => {
                let after = new_methods[*index];
                known[*index] = true;
                if modules.insert([before.module, after.module].map(std::ptr::from_ref::<Module>)) {
                    changes.extend(compare_modules((old, before.module), (new, after.module)));
                }
                if after.module.ignore_case && !before.module.ignore_case {
                    changes.extend(overridden_in_other_case(&after, &with_captures));
                }
                method::compare(*before, after, &mut types)
            }
            None => {
                let witness = json!({ "request": name(before) });
                let has_ended = method::has_ended(before.of.method);
                let kind = if has_ended { ChangeKind::EndedMethodRemoved } else { ChangeKind::MethodRemoved };
                let removed = Change::new(kind, "is no longer part of the API").witness(witness);
                vec![removed.at(before.of.method.span, new.span)]
            }
        };
        changes.extend(found.into_iter().map(|change| change.in_method(&name(before), before.of.method)));
    }
    for (after, _) in new_methods.iter().zip(known).filter(|(_, is_known)| !is_known) {
        let name = name(after);
        let added = Change::new(ChangeKind::MethodAdded, "is new").at(old.span, after.of.method.span);
        let takes_path = |before: &&&MethodInApi<'_>| {
            let path = (key(after).0, before.of.method.http);
            let is_left = before.of.method.http == after.of.method.http || !new_index.contains_key(&path);
            is_left && overrides(&segments(after, Positions::Required), before)
        };
        let overridden = with_captures.iter().filter(takes_path).map(|before| {
            // The path of the new method, with the HTTP method of the other one.
            let path = name.split_once(' ').map_or("", |(_, path)| path);
            overrides_change(after, before, path)
        });
        changes.extend([added].into_iter().chain(overridden).map(|change| change.in_method(&name, after.of.method)));
    }
    changes
}

/// Returns the changes for the methods with captures whose requests another method takes, since its path is now also
/// read in another case.
fn overridden_in_other_case(after: &MethodInApi<'_>, with_captures: &[&MethodInApi<'_>]) -> Vec<Change> {
    let path = segments(after, Positions::Required);
    let mut changes = Vec::new();
    for (place, text) in path.iter().enumerate().filter_map(|(place, segment)| Some((place, (*segment)?))) {
        if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        let is_upper = text.bytes().all(|byte| !byte.is_ascii_lowercase());
        let other = if is_upper { text.to_ascii_lowercase() } else { text.to_ascii_uppercase() };
        let mut path = path.clone();
        path[place] = Some(&other);
        let text = path_text(path.iter());
        let overridden = with_captures.iter().filter(|before| overrides(&path, before));
        changes.extend(overridden.map(|before| overrides_change(after, before, &text)));
    }
    changes.into_iter().map(|change| change.in_method(&name(after), after.of.method)).collect()
}

fn overrides_change(after: &MethodInApi<'_>, before: &MethodInApi<'_>, path: &str) -> Change {
    let message = format!("takes the path of requests that `{}` handled", name(before));
    let witness = json!({ "request": format!("{} {path}", before.of.method.http.as_str()) });
    let change = Change::new(ChangeKind::MethodOverrides, message).witness(witness);
    change.at(before.of.method.span, after.of.method.span)
}

fn compare_modules((old, before): (&Api, &Module), (new, after): (&Api, &Module)) -> Vec<Change> {
    let mut changes = Vec::new();
    let name = &after.name;
    let (old_envelope, new_envelope) = (old.envelope_name(before).as_str(), new.envelope_name(after).as_str());
    if old_envelope != new_envelope {
        let message =
            format!("responses of the module `{name}` have the envelope `{new_envelope}`, and had `{old_envelope}`");
        let witness = json!({ "response": { "envelope": new_envelope } });
        changes.push(Change::new(ChangeKind::EnvelopeChanged, message).witness(witness));
    }
    if before.ignore_case && !after.ignore_case {
        let message = format!("paths of the module `{name}` are case-sensitive, and were not");
        changes.push(Change::new(ChangeKind::SettingChanged, message));
    }
    if before.repeated != after.repeated {
        let message = format!("the module `{name}` handles parameters that are given more than once in another way");
        changes.push(Change::new(ChangeKind::SettingChanged, message));
    }
    changes.into_iter().map(|change| change.at(before.span, after.span)).collect()
}

fn methods(api: &Api) -> Vec<MethodInApi<'_>> {
    let in_api = |(module, service, method)| {
        let of = MethodOf { service, method, unknown: api.unknown };
        MethodInApi { api, module, of }
    };
    api.methods().map(in_api).collect()
}

/// The positions that count as segments of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Positions {
    None,
    Required,
    All,
}

/// Returns the segments of the path of requests; `None` for any text.
fn segments<'a>(method: &MethodInApi<'a>, positions: Positions) -> Vec<Option<&'a str>> {
    let of = &method.of;
    let path = of.service.path.iter().map(|segment| match segment {
        Segment::Static(text) => Some(text.as_str()),
        Segment::Capture(_) => None,
    });
    let is_counted = |parameter: &&Parameter| {
        let is_position = matches!(parameter.from, Location::Position(_));
        is_position && (positions == Positions::All || positions == Positions::Required && !parameter.optional)
    };
    path.chain(of.method.parameters.iter().filter(is_counted).map(|_| None)).collect()
}

fn path_text<'s>(segments: impl Iterator<Item = &'s Option<&'s str>>) -> String {
    segments.fold(String::new(), |path, segment| path + "/" + segment.unwrap_or("{}"))
}

fn key(method: &MethodInApi<'_>) -> MethodKey {
    key_of(method, Positions::Required)
}

fn service_key(method: &MethodInApi<'_>) -> MethodKey {
    key_of(method, Positions::None)
}

fn key_of(method: &MethodInApi<'_>, positions: Positions) -> MethodKey {
    let path = segments(method, positions).into_iter().fold(String::new(), |path, segment| match segment {
        Some(text) => path + "/" + &text.replace('{', "%7B"),
        None => path + "/{}",
    });
    (path, method.of.method.http)
}

/// Returns the HTTP method and the path, as in a definition.
fn name(method: &MethodInApi<'_>) -> String {
    let MethodOf { service, method, .. } = method.of;
    let positions = method.positions();
    let names = positions.iter().map(|position| format!("/{{{}}}", position.request_name()));
    let uri = service.uri();
    let uri = if positions.is_empty() { uri.as_str() } else { uri.trim_end_matches('/') };
    format!("{} {uri}{}", method.http.as_str(), names.collect::<String>())
}

/// Returns `true` if a path of the new definition takes requests that a method of the old definition handled: it has
/// texts where the other one has captures that accept these texts.
fn overrides(new_path: &[Option<&str>], old: &MethodInApi<'_>) -> bool {
    let [required, old_path] = [Positions::Required, Positions::All].map(|positions| segments(old, positions));
    (required.len()..=old_path.len()).contains(&new_path.len())
        && new_path.iter().zip(&old_path).enumerate().all(|(position, segments)| match segments {
            (Some(text), None) => accepts(old, position, text),
            (new, old) => new == old,
        })
        && *new_path != old_path[..new_path.len()]
}

/// Returns `true` if the capture or position at this place in the path of a method accepts a text.
fn accepts(method: &MethodInApi<'_>, place: usize, text: &str) -> bool {
    let MethodOf { service, method, .. } = method.of;
    let is_at_place = |from: Location, key: &str| match from {
        Location::Path => matches!(service.path.get(place), Some(Segment::Capture(name)) if name == key),
        Location::Position(index) => service.path.len() + index == place,
        _ => false,
    };
    let parameter = method.parameters.iter().find(|parameter| is_at_place(parameter.from, &parameter.key));
    parameter.is_some_and(|parameter| {
        let check = &parameter.r#type.check;
        check.checked(check.decode(text.into())).is_ok_and(|value| value != Value::Null)
    })
}

/// The settings whose effect on clients depends on the requests.
const OTHER_SETTINGS: [&str; 7] = ["catalogue", "service", "dispatch", "unknown", "timezone", "options", "cors"];

pub(crate) fn compare_settings(old: &Api, new: &Api) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.base != new.base {
        let message = format!("all paths begin with `{}`, and began with `{}`", new.base, old.base);
        let witness = json!({ "request": { "path": old.base } });
        changes.push(Change::new(ChangeKind::BaseChanged, message).witness(witness));
    }
    let formats =
        |api: &Api| -> Vec<String> { api.formats.iter().map(|it| FormatOffer::name(it).to_string()).collect() };
    for removed in formats(old).into_iter().filter(|format| !formats(new).contains(format)) {
        let message = format!("responses are no longer available as `{removed}`");
        let witness = json!({ "request": { "format": removed } });
        changes.push(Change::new(ChangeKind::FormatRemoved, message).witness(witness));
    }
    for added in formats(new).into_iter().filter(|format| !formats(old).contains(format)) {
        let message = format!("responses are also available as `{added}`, for clients whose `Accept` prefers it");
        changes.push(Change::new(ChangeKind::SettingChanged, message));
    }
    for removed in authenticators(old).into_iter().filter(|kind| !authenticators(new).contains(kind)) {
        let message = format!("credentials of the kind `{removed}` are no longer accepted");
        let witness = json!({ "caller": { "credential": removed } });
        changes.push(Change::new(ChangeKind::AuthenticatorRemoved, message).witness(witness));
    }
    changes.extend(compare_limits(old, new));
    let values = |api: &Api| serde_json::to_value(api).unwrap_or(Json::Null);
    let (before, after) = (values(old), values(new));
    let mut settings: Vec<(&str, Json, Json)> =
        OTHER_SETTINGS.into_iter().map(|name| (name, before[name].clone(), after[name].clone())).collect();
    settings.push(("phalapi.real_status", old.real_status.into(), new.real_status.into()));
    settings.push(("iapi.strict_status", old.strict_status.into(), new.strict_status.into()));
    let field = |api: &Api| api.versions.as_ref().and_then(|versions| versions.header.clone()).into();
    settings.push(("versions.header", field(old), field(new)));
    for (name, before, after) in settings.into_iter().filter(|(_, before, after)| before != after) {
        changes.push(Change::new(ChangeKind::SettingChanged, format!("`{name}` is {after}, and was {before}")));
    }
    changes.into_iter().map(|change| change.or_at(old.span, new.span)).collect()
}

fn authenticators(api: &Api) -> Vec<&str> {
    match &api.auth {
        Some(DefinedAuth { kinds, .. }) => kinds.iter().map(|member| member.key.value.as_str()).collect(),
        None => vec![DefinedAuth::KEYS],
    }
}
