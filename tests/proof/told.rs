//! What somebody is told who asks for it is what that one may call.

use std::collections::{BTreeMap, BTreeSet};

use rulebook::model::{Audience, Method, Module, Service};
use serde_json::Value as Json;

use super::scopes::{self, Given, Sent};
use super::served::Served;
use super::{Counts, answers};
use crate::client::{Answer, Request};
use crate::generate::Choices;

/// A method in its place.
type Placed<'a> = (&'a Module, &'a Service, &'a Method);

/// Listed methods by module, URI and HTTP method.
type Listed = BTreeMap<(String, String, String), Json>;

/// Judges with so many requests of somebody: a method that is told of without a condition is not answered 401 or 403,
/// one with `$when` exactly where one of its ways is met, and what is not told of always is. Each document tells of the
/// same.
pub fn judge(
    served: &mut Served,
    methods: &[Placed<'_>],
    requests: usize,
    choices: &mut Choices,
    counts: &mut Counts,
) -> Result<(), String> {
    let api = served.api.clone();
    let scoped: Vec<_> = methods.iter().filter(|(_, _, own)| !own.scope.is_public()).collect();
    let pick = |choices: &mut Choices| match scoped.len() {
        count if count > 0 && choices.below(6) > 0 => scoped[choices.below(count)],
        _ => &methods[choices.below(methods.len())],
    };
    let first = pick(choices);
    let (_, service, method) = first;
    let groups = method.scope.groups.iter().map(|group| group.iter().map(|own| own.text.clone()).collect());
    let groups: Vec<Vec<String>> = groups.collect();
    let sent = scopes::sent(&api, service, method, &Given::new(), choices);
    let held = scopes::held(&groups, method, &sent, choices);
    let query = if api.options == Audience::Own { "" } else { "?as=me" };
    let by = |request: Request| held.as_ref().map_or(request.clone(), |held| request.clone().scope(held));

    let base = if api.base.is_empty() { "/" } else { &*api.base };
    let (answer, _) = served.ask(&by(Request::new("OPTIONS", format!("{base}{query}"))))?;
    // Who holds that much is not looked at either.
    if answers::is_limit(&answer) {
        return Ok(());
    }
    let document = json(&answer)?;
    let listed = listed(&document);
    let mut told: BTreeMap<&str, &Json> = BTreeMap::new();
    for (module, service, method) in methods {
        let uri = service.uri().trim_start_matches('/').to_owned();
        let found = listed.get(&(module.name.clone(), uri, method.http.as_str().to_owned()));
        told.extend(found.map(|found| (&*method.id, found)));
    }
    let by_whom = || format!("to {held:?}, options: {:?}", api.options);
    if told.len() < listed.len() {
        return Err(format!("{}: {:?} are told, and {:?} listed: {document:#}", by_whom(), told.keys(), listed.keys()));
    }
    let (answer, _) = served.ask(&by(Request::new("GET", format!("/openapi.json{query}"))))?;
    let document = json(&answer)?;
    let operations = answers::operations(&document, methods)?;
    let described: BTreeSet<&str> = operations.into_iter().map(|(.., own)| &*own.id).collect();
    if !described.iter().eq(told.keys()) {
        return Err(format!("{}: {:?} are listed, and {described:?} described", by_whom(), told.keys()));
    }

    for number in 0..requests {
        let (_, service, method) = if number == 0 { first } else { pick(choices) };
        let found = told.get(&*method.id).copied();
        let ways = found.and_then(|found| found.get("$when"));
        if ways.is_some() != (found.is_some() && method.scope.has_variables()) {
            return Err(format!("{}: {} is told with {ways:?}", by_whom(), method.id));
        }
        let given = given(ways, choices);
        let sent = if number == 0 && given.is_empty() {
            sent.clone()
        } else {
            scopes::sent(&api, service, method, &given, choices)
        };
        if sent.elsewhere {
            continue;
        }
        let met = ways.is_none_or(|ways| is_met(ways, method, &sent));
        let (answer, _) = served.ask(&by(sent.request.clone()))?;
        counts.answered(answer.status);
        // What is too large is looked at by nobody.
        if answers::is_limit(&answer) {
            continue;
        }
        let status = scopes::told(&answer);
        let allowed = found.is_some() && met;
        let expected = if held.is_some() { 403 } else { 401 };
        let so = if allowed { !matches!(status, 401 | 403) } else { status == expected };
        counts.meet(match (found, ways) {
            (None, _) => "not told",
            (_, None) => "told",
            _ if met => "told, met",
            _ => "told, not met",
        });
        if !so || !met && !given.is_empty() {
            let Sent { request, .. } = sent;
            return Err(format!(
                "{}: {} is told as {found:?}, meant to be met {given:?}, is met: {met}\n{request:?}\n{answer:?}",
                by_whom(),
                method.id
            ));
        }
        if service.path.is_empty() {
            continue;
        }
        let target = scopes::path(&api, service, |_| "0~~0".to_owned());
        let (answer, _) = served.ask(&by(Request::new("OPTIONS", format!("{target}{query}"))))?;
        let allow = answer.field("allow").unwrap_or_default();
        if allow.split(", ").any(|own| own == method.http.as_str()) != found.is_some() {
            return Err(format!("{}: {} is told as {found:?}, but {target}: {answer:?}", by_whom(), method.id));
        }
    }
    Ok(())
}

fn json(answer: &Answer) -> Result<Json, String> {
    serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {answer:?}"))
}

fn listed(document: &Json) -> Listed {
    let mut listed = Listed::new();
    for (module, own) in document["modules"].as_object().into_iter().flatten() {
        let mut add = |uri: &str, methods: &Json| {
            for (http, method) in methods.as_object().into_iter().flatten() {
                if matches!(&**http, "GET" | "POST" | "PUT" | "DELETE" | "PATCH") {
                    listed.insert((module.clone(), uri.to_owned(), http.clone()), method.clone());
                }
            }
        };
        add("", own);
        for (uri, methods) in own["/"].as_object().into_iter().flatten() {
            add(uri, methods);
        }
    }
    listed
}

/// Values that meet one of these ways; none where a request is to have whatever it has.
fn given(ways: Option<&Json>, choices: &mut Choices) -> Given {
    let ways = ways.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if ways.is_empty() || choices.once_in(3) {
        return Given::new();
    }
    let way = ways[choices.below(ways.len())].as_object().into_iter().flatten();
    let one = |values: &Json, choices: &mut Choices| {
        let values = values.as_array().map_or(&[][..], Vec::as_slice);
        values.get(choices.below(values.len())).and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    way.map(|(name, values)| (name.clone(), one(values, choices))).collect()
}

/// Whether the values of a request are those of one of these ways, or mean the same.
fn is_met(ways: &Json, method: &Method, sent: &Sent) -> bool {
    let means = |name: &str, text: &Json| {
        let own = method.parameters.iter().find(|own| own.name == name)?;
        scopes::variable(&*own.r#type.check, text.as_str()?)
    };
    let has = |name: &str, values: &Json| {
        let own = sent.values.iter().find(|(own, _)| own == name);
        own.is_some_and(|(_, value)| {
            values.as_array().into_iter().flatten().any(|one| means(name, one).as_ref() == Some(value))
        })
    };
    let holds = |way: &Json| way.as_object().into_iter().flatten().all(|(name, values)| has(name, values));
    ways.as_array().into_iter().flatten().any(holds)
}
