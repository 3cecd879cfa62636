//! What the server does with requests that OpenAPI describes is what OpenAPI says.

use rulebook::model::{Method, Module, Service};
use serde_json::{Value as Json, json};

use super::requests::{Asked, request};
use super::subject::methods;
use super::written::{Judge, Verdict, whole};
use super::{Claim, Counts, Subject, checks};
use crate::client::{Answer, Request};
use crate::generate::Choices;

/// A request that is made of declared parameters in their declared places and ways, and of the schemas there, reaches
/// its handler or is refused for something else than it; one that is not of them never does. Each answer has a status
/// that is declared, or the default, the media type and schema that stand there, and its header fields.
pub const CLAIM: Claim = Claim { name: "answers", judge };

/// How many values there are for each request.
const VALUES: usize = 4;

fn judge(subject: &mut Subject, values: usize, counts: &mut Counts) -> Result<(), String> {
    let mut served = subject.served()?;
    let api = served.api.clone();
    let (answer, _) = served.ask(&Request::new("GET", "/openapi.json"))?;
    let document: Json = serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {answer:?}"))?;
    let methods = methods(&api);
    counts.methods += methods.len() as u64;
    let operations = operations(&document, &methods)?;
    if operations.is_empty() {
        return Ok(());
    }
    let choices = &mut subject.choices;
    for _ in 0..values.div_ceil(VALUES) {
        let (path, http, operation, method) = &operations[choices.below(operations.len())];
        let known = served.order(method, choices);
        let asked = request(&document, (path, http, operation), method, choices);
        let asked = with_accept(asked, choices);
        let (answer, ran) = served.ask(&asked.request)?;
        counts.answered(answer.status);
        let failed = (known && answer.status == 500).then(|| "it failed".to_owned());
        let found = failed
            .or_else(|| reached(&asked, method, &answer, ran, counts))
            .or_else(|| described(&document, operation, &answer, counts));
        if let Some(why) = found {
            let Asked { request, verdict, .. } = asked;
            return Err(format!(
                "{why}\n--- ordered\n{}\n--- {verdict:?} request\n{request:?}\n--- answer\n{answer:?}\n--- operation\n{operation:#}",
                served.ordered()
            ));
        }
    }
    subject.keep(served);
    Ok(())
}

/// An operation: its path, its HTTP method, what is said of it, and the method that it describes.
type Operation<'a> = (&'a str, String, &'a Json, &'a Method);

/// The operations of a document of OpenAPI.
pub fn operations<'a>(
    document: &'a Json,
    methods: &[(&'a Module, &'a Service, &'a Method)],
) -> Result<Vec<Operation<'a>>, String> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (http, operation) in item.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            let own = methods.iter().find(|(_, _, own)| own.id == id);
            // Shorter paths have a number behind the id.
            let shorter =
                || methods.iter().find(|(_, _, own)| Some(&*own.id) == id.rsplit_once('.').map(|(own, _)| own));
            let Some((_, _, method)) = own.or_else(shorter) else { return Err(format!("{id} is of no method")) };
            operations.push((path.as_str(), http.to_ascii_uppercase(), operation, *method));
        }
    }
    Ok(operations)
}

fn with_accept(asked: Asked, choices: &mut Choices) -> Asked {
    let accept = match choices.below(8) {
        0 => "application/problem+json",
        1 => "application/xml",
        2 => "*/*",
        _ => return asked,
    };
    Asked { request: asked.request.field("accept", accept), ..asked }
}

/// In which way a request was not treated as it is described.
fn reached(asked: &Asked, method: &Method, answer: &Answer, ran: bool, counts: &mut Counts) -> Option<String> {
    let rough = method.parameters.iter().any(|own| checks::is_rough(&*own.r#type.check));
    match asked.verdict {
        Verdict::Forbidden if ran => Some("it is forbidden, and a handler has run".to_owned()),
        Verdict::Forbidden => {
            counts.meet("forbidden");
            None
        }
        Verdict::Allowed if rough || asked.jsonp && !ran => None,
        Verdict::Allowed if !ran && !is_limit(answer) => Some("it is allowed, and no handler has run".to_owned()),
        Verdict::Allowed => {
            counts.meet("allowed");
            None
        }
        Verdict::Unsure => None,
    }
}

/// Whether a request was refused for how large it is, which no schema says. The status may only stand in the body, or
/// nowhere but in what was passed.
pub fn is_limit(answer: &Answer) -> bool {
    let body = serde_json::from_slice::<Json>(&answer.body).unwrap_or_default();
    let told = body["ret"].as_u64().or(body["status"].as_u64()).unwrap_or_default();
    let xml = String::from_utf8_lossy(&answer.body);
    let is_told = |status: u16| told == u64::from(status) || xml.contains(&format!("<ret type=\"number\">{status}<"));
    let passed = body["limit"].is_object() || xml.contains("<limit type=\"object\">");
    [413, 414, 431].iter().any(|status| answer.status == *status || is_told(*status)) || answer.status >= 400 && passed
}

/// In which way an answer is not what is described.
fn described(document: &Json, operation: &Json, answer: &Answer, counts: &mut Counts) -> Option<String> {
    let responses = &operation["responses"];
    let status = answer.status.to_string();
    let Some(response) = responses.get(&status).or(responses.get("default")) else {
        return Some(format!("no answer of status {status} is described"));
    };
    counts.meet(if responses.get(&status).is_some() { "status described" } else { "status of default" });
    let response = crate::openapi::resolved(document, response);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = crate::openapi::resolved(document, header);
        let value = answer.field(name);
        let always = name == "X-Request-Id" || header["required"] == true;
        match value {
            None if always => return Some(format!("it has no field {name}")),
            None => {}
            Some(value) => {
                if let Some(flaw) = Judge::new(document, &header["schema"]).flaw(&json!(value)) {
                    return Some(format!("its field {name}: {flaw}"));
                }
            }
        }
    }
    for (status, name) in [(401, "WWW-Authenticate"), (405, "Allow"), (429, "Retry-After")] {
        if answer.status == status && answer.field(name).is_none() {
            return Some(format!("{status} without {name}"));
        }
    }
    body(document, &response["content"], answer)
}

/// In which way the body of an answer is not what is described.
fn body(document: &Json, contents: &Json, answer: &Answer) -> Option<String> {
    let Some(media_type) = answer.field("content-type") else {
        let nothing =
            answer.body.is_empty() && contents.as_object().is_none_or(|all| all.is_empty() || all.contains_key("*/*"));
        return (!nothing).then(|| "it has no media type".to_owned());
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let Some(content) = contents.get(essence).or(contents.get("*/*")) else {
        return Some(format!("no {essence} is described"));
    };
    let schema = content.get("schema")?;
    if !(essence == "application/json" || essence.ends_with("+json")) {
        return None;
    }
    let json = match serde_json::from_slice::<Json>(&answer.body) {
        Ok(json) => json,
        Err(error) => return Some(format!("its body is no JSON: {error}")),
    };
    let flaw = Judge::new(document, schema).flaw(&json)?;
    Some(format!("its body is not of {}: {flaw}", whole(document, schema)))
}
