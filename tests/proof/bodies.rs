//! The property that handlers which read their arguments directly from a JSON body receive the same arguments as those
//! for which all arguments are stored first.

use std::fmt;

use rulebook::{ApiError, Args, Context, Download, Engine, Module};
use rulebook_model::model::{Api, Method};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::case::{methods, rulebook_with_functions};
use super::requests::random_request;
use super::responses::operations;
use super::{Property, PropertyCase, PropertyCounts, boundary};
use crate::client::{Bearer, Connection, Request, TestServer};
use support::generate::Choices;

/// Each handler returns its arguments. On one server, their type is a struct, which is read directly from a JSON body;
/// on the other one, it is a map, which is not. Both respond in the same way. The bodies have members in any order,
/// several times, unknown or missing.
pub const PROPERTY: Property = Property { name: "bodies", check: compare_servers };

/// The number of values that a request is counted as.
const VALUES_PER_REQUEST: usize = 10;

fn compare_servers(case: &mut PropertyCase, values: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let api = case.echo_engine()?.api().clone();
    let direct = TestServer::start(&engine::<Collected>(case, &api)?);
    let stored = TestServer::start(&engine::<Map<String, Json>>(case, &api)?);
    let document = stored.connect().send(&Request::new("GET", "/openapi.json"));
    let document: Json = serde_json::from_slice(&document.body).map_err(|error| error.to_string())?;
    let methods = methods(&api);
    counts.methods += methods.len() as u64;
    let mut operations = operations(&document, &methods)?;
    operations.retain(|(_, _, operation, _)| operation["requestBody"].to_string().contains("application/json"));
    let (mut to_stored, mut to_direct) = (stored.connect(), direct.connect());
    for _ in 0..values.div_ceil(VALUES_PER_REQUEST) {
        if operations.is_empty() {
            return Ok(());
        }
        let choices = &mut case.choices;
        let (path, http, operation, method) = &operations[choices.below(operations.len())];
        let sent = random_request(&document, (path, http, operation), method, choices).request;
        let sent = with_unusual_json(sent, choices).field("x-request-id", "1234567890abcdef");
        let (expected, status) = send(&stored, &mut to_stored, &sent)?;
        let (found, _) = send(&direct, &mut to_direct, &sent)?;
        counts.add_response(status);
        counts.add_kind(if status < 300 { "accepted" } else { "refused" });
        if expected != found {
            return Err(format!("request {sent:?}\n--- stored first\n{expected}\n--- read directly\n{found}"));
        }
    }
    Ok(())
}

/// Returns an engine whose handlers return their arguments, which have the type `T`.
fn engine<T: Into<Map<String, Json>> + DeserializeOwned + Send + 'static>(
    case: &PropertyCase,
    api: &Api,
) -> Result<Engine, String> {
    let mut rulebook = rulebook_with_functions(case.generated.bytes()).authenticator(Bearer);
    for module in &api.modules {
        let mut handlers = Module::new(&module.name);
        for service in &module.services {
            for method in &service.methods {
                handlers = bind_handler::<T>(handlers, &service.uri(), method);
            }
        }
        rulebook = rulebook.module(handlers);
    }
    rulebook.verify_outputs(false).build().map_err(|report| report.to_string())
}

/// Sends a request; returns the status and the body of the response as text, and the status.
fn send(server: &TestServer, connection: &mut Connection, request: &Request) -> Result<(String, u16), String> {
    let _ = std::io::Write::write_all(&mut connection.stream, &request.bytes());
    let response = connection.try_read_response(false);
    if !response.as_ref().is_ok_and(|response| response.field("connection") != Some("close")) {
        *connection = server.connect().reset_on_drop();
    }
    let response = response?;
    Ok((format!("{} {}", response.status, String::from_utf8_lossy(&response.body)), response.status))
}

/// Replaces a JSON body by one that clients rarely send.
fn with_unusual_json(mut request: Request, choices: &mut Choices) -> Request {
    let Ok(json @ Json::Object(_)) = serde_json::from_slice(&request.body) else { return request };
    if choices.once_in(3) {
        return request;
    }
    let mut text = String::new();
    write_unusual(&mut text, &json, choices);
    request.fields.retain(|field| !field.to_ascii_lowercase().starts_with(b"content-length"));
    request.body_without_type(text)
}

/// Writes a value as JSON. The members of objects can be in any order, and occur several times, never or in addition.
fn write_unusual(text: &mut String, json: &Json, choices: &mut Choices) {
    match json {
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write_unusual(text, item, choices);
            }
            text.push(']');
        }
        Json::Object(members) => {
            let mut all: Vec<(String, Json)> =
                members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            if choices.once_in(3) && all.len() > 1 {
                let at = choices.below(all.len());
                all.rotate_left(at);
            }
            if choices.once_in(8) && !all.is_empty() {
                all.remove(choices.below(all.len()));
            }
            for _ in 0..3 {
                let value = boundary::arbitrary_value(1, choices);
                match choices.below(12) {
                    0 if !all.is_empty() => all.push((all[choices.below(all.len())].0.clone(), value)),
                    1 if !all.is_empty() => all.insert(0, (all[choices.below(all.len())].0.clone(), value)),
                    2 => all.insert(choices.below(all.len() + 1), ("unknown".to_owned(), value)),
                    3 => all.push(("other".to_owned(), value)),
                    _ => {}
                }
            }
            text.push('{');
            for (index, (name, value)) in all.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { " " });
                text.push_str(&Json::from(name.as_str()).to_string());
                text.push(':');
                write_unusual(text, value, choices);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// The arguments of a call as JSON. Unlike a map, the type is a struct, so that it can be read directly from a body.
struct Collected(Map<String, Json>);

impl From<Collected> for Map<String, Json> {
    fn from(Collected(arguments): Collected) -> Self {
        arguments
    }
}

impl<'de> Deserialize<'de> for Collected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Collected", &[], CollectedVisitor)
    }
}

struct CollectedVisitor;

impl<'de> Visitor<'de> for CollectedVisitor {
    type Value = Collected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Collected, A::Error> {
        let mut all = Map::new();
        while let Some((name, value)) = access.next_entry()? {
            all.insert(name, value);
        }
        Ok(Collected(all))
    }
}

/// The outputs: all arguments, null if they are absent.
#[derive(Serialize)]
struct Echo {
    args: Map<String, Json>,
}

fn bind_handler<T: Into<Map<String, Json>> + DeserializeOwned + Send + 'static>(
    module: Module,
    path: &str,
    method: &Method,
) -> Module {
    let names: Vec<String> = method.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let echo = move |mut arguments: Map<String, Json>| {
        let args = names.iter().map(|name| (name.clone(), arguments.remove(name).unwrap_or(Json::Null)));
        Echo { args: args.collect() }
    };
    if method.options.download {
        let file = move |Args(arguments): Args<T>, _: Context| {
            let bytes = json!(echo(arguments.into())).to_string();
            async move { Ok::<_, ApiError>(Download::bytes(bytes).name("args.json")) }
        };
        return module.on(method.http, path, file);
    }
    let outputs = move |Args(arguments): Args<T>, _: Context| {
        let outputs = echo(arguments.into());
        async move { Ok::<_, ApiError>(outputs) }
    };
    module.on(method.http, path, outputs)
}
