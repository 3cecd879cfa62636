//! Checks the property that the documents for a caller list exactly the methods that this caller may call.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use rulebook_model::model::{Audience, Method, Module, Service};
use serde_json::Value as Json;

use super::property_server::PropertyServer;
use super::scopes::{self, GivenTexts, ScopedRequest};
use super::{PropertyCounts, responses};
use crate::client::{Request, Response};
use support::generate::Choices;

/// A method, with its module and its service.
type MethodEntry<'a> = (&'a Module, &'a Service, &'a Method);

/// The listed methods, by module, URI and HTTP method.
type ListedMethods = BTreeMap<(String, String, String), Json>;

/// Checks the documents for a random caller against this number of requests. The caller may call a method that is
/// listed without `$when`. The caller may call a method that is listed with `$when` if the request meets one of its
/// alternatives. The caller may call no method that is not listed. All documents for the caller list the same methods.
pub fn check_documents(
    server: &mut PropertyServer,
    methods: &[MethodEntry<'_>],
    requests: usize,
    choices: &mut Choices,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    let api = server.api.clone();
    let scoped: Vec<_> = methods.iter().filter(|(_, _, method)| !method.scope.is_public()).collect();
    let pick = |choices: &mut Choices| match scoped.len() {
        count if count > 0 && choices.below(6) > 0 => scoped[choices.below(count)],
        _ => &methods[choices.below(methods.len())],
    };
    let first = pick(choices);
    let (_, service, method) = first;
    let groups = method.scope.groups.iter().map(|group| group.iter().map(|it| it.text.clone()).collect());
    let groups: Vec<Vec<String>> = groups.collect();
    let sent = scopes::random_request(&api, service, method, &GivenTexts::new(), choices);
    let held = scopes::held_permissions(&groups, method, &sent, choices);
    let query = if api.options == Audience::Own { "" } else { "?as=me" };
    let from_caller = |request: Request| held.as_ref().map_or(request.clone(), |held| request.clone().scope(held));

    let base = if api.base.is_empty() { "/" } else { &*api.base };
    let response = fetch_document(server, &from_caller(Request::new("OPTIONS", format!("{base}{query}"))))?;
    // The permissions of the caller may be longer than the limit of header bytes.
    if responses::exceeds_limit(&response) {
        return Ok(());
    }
    let document = parse_body(&response)?;
    let all_listed = listed_methods(&document);
    let mut listed: BTreeMap<&str, &Json> = BTreeMap::new();
    for (module, service, method) in methods {
        let uri = service.uri().trim_start_matches('/').to_owned();
        let found = all_listed.get(&(module.name.clone(), uri, method.http.as_str().to_owned()));
        listed.extend(found.map(|found| (&*method.id, found)));
    }
    let caller = || format!("permissions {held:?}, setting `options`: {:?}", api.options);
    if listed.len() < all_listed.len() {
        return Err(format!("{}: not all of {:?} are methods: {document:#}", caller(), all_listed.keys()));
    }
    let response = fetch_document(server, &from_caller(Request::new("GET", format!("/openapi.json{query}"))))?;
    let document = parse_body(&response)?;
    let operations = responses::operations(&document, methods)?;
    let described: BTreeSet<&str> = operations.into_iter().map(|(.., method)| &*method.id).collect();
    if !described.iter().eq(listed.keys()) {
        return Err(format!("{}: OPTIONS lists {:?}, OpenAPI {described:?}", caller(), listed.keys()));
    }

    for number in 0..requests {
        let (_, service, method) = if number == 0 { first } else { pick(choices) };
        let entry = listed.get(&*method.id).copied();
        let when = entry.and_then(|entry| entry.get("$when"));
        if when.is_some() != (entry.is_some() && method.scope.has_variables()) {
            return Err(format!("{}: {} is listed with {when:?}", caller(), method.id));
        }
        let given = values_that_meet(when, choices);
        let sent = if number == 0 && given.is_empty() {
            sent.clone()
        } else {
            scopes::random_request(&api, service, method, &given, choices)
        };
        if sent.is_ambiguous {
            continue;
        }
        let is_met = when.is_none_or(|when| is_met(when, method, &sent));
        let (response, _) = server.send(&from_caller(sent.request.clone()))?;
        counts.add_response(response.status);
        // The server rejects a request that exceeds a limit before it checks permissions.
        if responses::exceeds_limit(&response) {
            continue;
        }
        let status = scopes::real_status(&response);
        let is_permitted = entry.is_some() && is_met;
        let rejection = if held.is_some() { 403 } else { 401 };
        let is_correct = if is_permitted { !matches!(status, 401 | 403) } else { status == rejection };
        counts.add_kind(match (entry, when) {
            (None, _) => "not listed",
            (_, None) => "listed",
            _ if is_met => "listed, met",
            _ => "listed, not met",
        });
        if !is_correct || !is_met && !given.is_empty() {
            let ScopedRequest { request, .. } = sent;
            return Err(format!(
                "{}: {} is listed as {entry:?}, given {given:?}, met: {is_met}\n{request:?}\n{response:?}",
                caller(),
                method.id
            ));
        }
        if service.path.is_empty() {
            continue;
        }
        let target = scopes::service_path(&api, service, |_| "0~~0".to_owned());
        let response = fetch_document(server, &from_caller(Request::new("OPTIONS", format!("{target}{query}"))))?;
        let allow = response.field("allow").unwrap_or_default();
        if allow.split(", ").any(|allowed| allowed == method.http.as_str()) != entry.is_some() {
            return Err(format!("{}: {} is listed as {entry:?}, but {target}: {response:?}", caller(), method.id));
        }
    }
    Ok(())
}

/// Returns a document, as soon as the server has rendered it: a busy server has no time to render documents for
/// callers, and responds with 503.
fn fetch_document(server: &mut PropertyServer, request: &Request) -> Result<Response, String> {
    loop {
        let (response, _) = server.send(request)?;
        if scopes::real_status(&response) != 503 {
            return Ok(response);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn parse_body(response: &Response) -> Result<Json, String> {
    serde_json::from_slice(&response.body).map_err(|error| format!("{error}: {response:?}"))
}

fn listed_methods(document: &Json) -> ListedMethods {
    let mut listed = ListedMethods::new();
    for (name, module) in document["modules"].as_object().into_iter().flatten() {
        let mut add = |uri: &str, methods: &Json| {
            for (http, method) in methods.as_object().into_iter().flatten() {
                if matches!(&**http, "GET" | "POST" | "PUT" | "DELETE" | "PATCH") {
                    listed.insert((name.clone(), uri.to_owned(), http.clone()), method.clone());
                }
            }
        };
        add("", module);
        for (uri, methods) in module["/"].as_object().into_iter().flatten() {
            add(uri, methods);
        }
    }
    listed
}

/// Returns values that meet one of the alternatives in `$when`. The result is empty if all values of the request should
/// be random.
fn values_that_meet(when: Option<&Json>, choices: &mut Choices) -> GivenTexts {
    let alternatives = when.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if alternatives.is_empty() || choices.once_in(3) {
        return GivenTexts::new();
    }
    let alternative = alternatives[choices.below(alternatives.len())].as_object().into_iter().flatten();
    let choose = |values: &Json, choices: &mut Choices| {
        let values = values.as_array().map_or(&[][..], Vec::as_slice);
        values.get(choices.below(values.len())).and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    alternative.map(|(name, values)| (name.clone(), choose(values, choices))).collect()
}

/// Returns `true` if a request meets one of the alternatives in `$when`. A text in the request may differ from a listed
/// text if both have the same value.
fn is_met(when: &Json, method: &Method, sent: &ScopedRequest) -> bool {
    let value_of = |name: &str, text: &Json| {
        let parameter = method.parameters.iter().find(|parameter| parameter.name == name)?;
        scopes::permission_variable(&*parameter.r#type.check, text.as_str()?)
    };
    let has_one_of = |name: &str, texts: &Json| {
        let sent = sent.values.iter().find(|(other, _)| other == name);
        sent.is_some_and(|(_, value)| {
            texts.as_array().into_iter().flatten().any(|text| value_of(name, text).as_ref() == Some(value))
        })
    };
    let is_alternative_met =
        |alternative: &Json| alternative.as_object().into_iter().flatten().all(|(name, texts)| has_one_of(name, texts));
    when.as_array().into_iter().flatten().any(is_alternative_met)
}
