//! What is listed as allowed is what is not answered 401 or 403.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook::Value;
use rulebook::model::{Api, From, Method, Parameter, Segment, Service};
use rulebook::types::Check;
use serde_json::{Value as Json, json};

use super::served::Served;
use super::subject::methods;
use super::{Claim, Counts, Subject, answers, borders, told};
use crate::client::{Answer, Request};
use crate::generate::Choices;

/// For whoever holds a set of permissions: a method whose listed scope has a group of which they hold all, with the
/// values of this request in the place of variables, is not answered 401 or 403; any other is. So it is, too, with what
/// they are told who ask for themselves.
pub const CLAIM: Claim = Claim { name: "scopes", judge };

/// How many values there are for each request.
const VALUES: usize = 4;

/// Permissions that random definitions ask for, and others nearly like them.
const HELD: &[&str] = &["reader", "author", "editor of all", "Reader", "editor", "user[]", "user", "reader "];

fn judge(subject: &mut Subject, values: usize, counts: &mut Counts) -> Result<(), String> {
    let of_who_asks = subject.choices.once_in(2);
    if of_who_asks && subject.choices.once_in(2) {
        subject.set("options", &json!("own"));
    }
    let mut served = subject.served()?;
    let api = served.api.clone();
    let methods = methods(&api);
    counts.methods += methods.len() as u64;
    let choices = &mut subject.choices;
    // Those that ask for a permission come more often.
    let scoped: Vec<_> = methods.iter().filter(|(_, _, own)| !own.scope.is_public()).collect();
    if methods.is_empty() {
        return Ok(());
    }
    if of_who_asks {
        return told::judge(&mut served, &methods, values.div_ceil(VALUES), choices, counts);
    }
    for _ in 0..values.div_ceil(VALUES) {
        let (_, service, method) = match scoped.len() {
            count if count > 0 && choices.below(6) > 0 => scoped[choices.below(count)],
            _ => &methods[choices.below(methods.len())],
        };
        let Some(listed) = listed(&mut served, &api, service, method)? else { continue };
        let sent = sent(&api, service, method, &Given::new(), choices);
        if sent.elsewhere {
            continue;
        }
        let held = held(&listed, method, &sent, choices);
        let mut request = sent.request;
        if let Some(held) = &held {
            request = request.scope(held);
        }
        let (answer, _) = served.ask(&request)?;
        counts.answered(answer.status);
        let status = told(&answer);
        // What is too large is looked at by nobody.
        if answers::is_limit(&answer) {
            continue;
        }
        let allowed = held.as_ref().map_or(listed.is_empty(), |held| allows(&listed, held, method, &sent.values));
        let expected = if held.is_some() { 403 } else { 401 };
        let so = if allowed { !matches!(status, 401 | 403) } else { status == expected };
        counts.meet(if allowed { "allowed" } else { "refused" });
        if !so {
            return Err(format!(
                "listed {listed:?}, held {held:?}: {} is {}\n{request:?}\n{answer:?}",
                method.id,
                if allowed { "allowed" } else { "not allowed" }
            ));
        }
    }
    Ok(())
}

/// The groups that OPTIONS lists for a method; none at the root, whose OPTIONS lists the whole API.
fn listed(
    served: &mut Served,
    api: &Api,
    service: &Service,
    method: &Method,
) -> Result<Option<Vec<Vec<String>>>, String> {
    if service.path.is_empty() {
        return Ok(None);
    }
    // Nothing is asked for a value of a capture.
    let target = path(api, service, |_| "0~~0".to_owned());
    let (answer, _) = served.ask(&Request::new("OPTIONS", &target))?;
    let document: Json =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{target}: {error}: {answer:?}"))?;
    let own = &document["/"][&service.uri()[1..]][method.http.as_str()];
    if !own.is_object() {
        return Err(format!("OPTIONS {target} does not list {}: {answer:?}", method.id));
    }
    let groups = own["scope"].as_array().into_iter().flatten();
    let text = |item: &Json| item.as_str().map(str::to_owned);
    Ok(Some(groups.map(|group| group.as_array().into_iter().flatten().filter_map(text).collect()).collect()))
}

/// The path of a service, with these values of its captures.
pub fn path(api: &Api, service: &Service, mut capture: impl FnMut(&str) -> String) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let base = api.base.split('/').filter(|segment| !segment.is_empty()).map(encoded).collect::<Vec<_>>();
    let own = service.path.iter().map(|segment| match segment {
        Segment::Static(text) => encoded(text),
        Segment::Capture(name) => encoded(&capture(name)),
    });
    base.into_iter().chain(own).fold(String::new(), |path, segment| path + "/" + &segment)
}

/// A request, and the values of what permissions can depend on, by their names in code.
#[derive(Clone)]
pub struct Sent {
    pub request: Request,
    pub values: Vec<(String, String)>,
    /// Whether a segment is one that stands in a path of the definition: the request may be for another service.
    pub elsewhere: bool,
}

/// Texts for parameters by their names in code.
pub type Given = BTreeMap<String, String>;

/// A request for a method with what is given, and anything else where nothing is.
pub fn sent(api: &Api, service: &Service, method: &Method, given: &Given, choices: &mut Choices) -> Sent {
    let mut values = Vec::new();
    let mut fields = Vec::new();
    let mut elsewhere = false;
    let of = |from: From| move |own: &&Parameter| own.from == from;
    let mut give = |own: &Parameter, choices: &mut Choices| {
        let text = given.get(&own.name).cloned().unwrap_or_else(|| value(&*own.r#type.check, own.from, choices));
        values.extend(variable(&*own.r#type.check, &text).map(|value| (own.name.clone(), value)));
        elsewhere |= matches!(own.from, From::Path | From::Position(_)) && is_static(api, &text);
        text
    };
    let mut target = path(api, service, |name| {
        let own = method.parameters.iter().find(|own| own.from == From::Path && own.key == name);
        own.map_or("0".to_owned(), |own| give(own, choices))
    });
    for number in 0.. {
        let Some(own) = method.parameters.iter().find(of(From::Position(number))) else { break };
        if own.optional && given.is_empty() && choices.once_in(4) {
            break;
        }
        let text = give(own, choices);
        target = format!("{target}/{}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
    }
    for own in method.parameters.iter().filter(of(From::Header)) {
        let is_sent = given.contains_key(&own.name) || choices.below(4) > 0;
        if is_sent && !fields.iter().any(|(key, _): &(String, String)| key.eq_ignore_ascii_case(&own.key)) {
            fields.push((own.key.clone(), give(own, choices)));
        }
    }
    let target = if target.is_empty() { "/" } else { &*target };
    let mut request = Request::new(method.http.as_str(), target);
    for (key, text) in fields {
        request = request.raw_field(&key, text);
    }
    Sent { request, values, elsewhere }
}

/// Whether a text is a segment of a path as the definition writes it.
fn is_static(api: &Api, text: &str) -> bool {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| &service.path).any(|segment| match segment {
        Segment::Static(own) => own.to_lowercase() == text.to_lowercase(),
        Segment::Capture(_) => false,
    })
}

/// A text for a parameter, which stands in a segment or in a field.
fn value(check: &dyn Check, from: From, choices: &mut Choices) -> String {
    let (schema, extremes) = (check.schema(), check.extremes());
    for _ in 0..8 {
        let json = borders::value(&schema, &extremes, choices);
        let text = borders::text(&json, choices);
        let fits = match from {
            From::Header => text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            _ => !text.is_empty(),
        };
        if fits {
            return text;
        }
    }
    "7".to_owned()
}

/// A value as permissions write it: none where it is no value of the type or no single one, or has a bracket.
pub fn variable(check: &dyn Check, text: &str) -> Option<String> {
    let value = match check.check(check.decode(text.into())).ok()? {
        Value::Text(text) => text.into_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(uint) => uint.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => return None,
    };
    (!value.contains(['[', ']'])).then_some(value)
}

/// A permission with the values of this request in it: none where one of them has none.
fn filled(permission: &str, method: &Method, values: &[(String, String)]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = permission;
    while let Some((before, inside)) = rest.split_once('[') {
        let (name, behind) = inside.split_once(']')?;
        let known = method.parameters.iter().any(|own| own.name == name);
        let (_, value) = values.iter().find(|(own, _)| own == name).filter(|_| known)?;
        filled.extend([before, "[", value, "]"]);
        rest = behind;
    }
    Some(filled + rest)
}

fn allows(listed: &[Vec<String>], held: &[String], method: &Method, values: &[(String, String)]) -> bool {
    let holds = |own: &String| filled(own, method, values).is_some_and(|own| held.contains(&own));
    listed.is_empty() || listed.iter().any(|group| group.iter().all(holds))
}

/// What whoever asks holds: a group with the values of the request or with others, a part of one, or other permissions;
/// none where nobody is identified.
pub fn held(listed: &[Vec<String>], method: &Method, sent: &Sent, choices: &mut Choices) -> Option<Vec<String>> {
    if choices.once_in(8) {
        return None;
    }
    let mut held: Vec<String> = Vec::new();
    if !listed.is_empty() && choices.below(5) > 0 {
        let group = &listed[choices.below(listed.len())];
        for own in group {
            let other: Vec<_> = sent.values.iter().map(|(name, value)| (name.clone(), format!("{value}7"))).collect();
            let matching = choices.below(4) > 0;
            let values = if matching { &sent.values } else { &other };
            held.push(filled(own, method, values).unwrap_or_else(|| own.clone()));
        }
        if choices.once_in(4) {
            held.pop();
        }
    }
    for _ in 0..choices.below(3) {
        held.push(choices.of(HELD).to_owned());
    }
    Some(held)
}

/// The real status of an answer, which some envelopes only tell in the body.
pub fn told(answer: &Answer) -> u16 {
    let body = serde_json::from_slice::<Json>(&answer.body).unwrap_or_default();
    let is_phalapi = answer.field("content-type").is_some_and(|kind| kind.contains("charset"));
    let ret = body["ret"].as_u64().filter(|_| is_phalapi);
    ret.and_then(|ret| u16::try_from(ret).ok()).unwrap_or(answer.status)
}
