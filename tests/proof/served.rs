//! A definition that is served, with handlers that return what they are told.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rulebook::call::Http;
use rulebook::describe::openapi;
use rulebook::model::{Api, Method};
use rulebook::types::Check;
use rulebook::{Args, Context, Download, Module, Refusal, Value};
use serde_json::{Map, Value as Json};
use tempfile::TempDir;

use super::borders;
use super::subject::{Subject, rulebook};
use crate::client::{Answer, Bearer, Connection, Request, Site};
use crate::generate::Choices;

/// What the next handler does, and whether one has run.
#[derive(Default)]
struct Orders {
    next: Mutex<Next>,
    ran: AtomicBool,
}

/// What a handler returns.
#[derive(Debug, Clone)]
enum Next {
    Outputs(Json),
    Declared(String),
}

impl Default for Next {
    fn default() -> Self {
        Self::Outputs(Json::Object(Map::new()))
    }
}

impl Orders {
    fn take(&self) -> Result<Json, Refusal> {
        self.ran.store(true, Ordering::SeqCst);
        match self.next.lock().unwrap().clone() {
            Next::Outputs(outputs) => Ok(outputs),
            Next::Declared(name) => Err(Refusal::declared(name)),
        }
    }
}

/// A served definition.
pub struct Served {
    /// What it says.
    pub api: Api,
    /// What OpenAPI says of it.
    pub document: Json,
    orders: Arc<Orders>,
    connection: Connection,
    site: Site,
    _data: TempDir,
}

impl Served {
    pub fn new(subject: &Subject) -> Result<Self, String> {
        let api = subject.api()?;
        let orders = Arc::new(Orders::default());
        let data = tempfile::tempdir().map_err(|error| error.to_string())?;
        let files: Vec<(PathBuf, Vec<u8>)> = subject.generated.bytes();
        let mut rulebook = rulebook(files).inspect(Bearer).verify_outputs(true).data(data.path());
        for module in &api.modules {
            let mut handlers = Module::new(&module.name);
            for service in &module.services {
                for method in &service.methods {
                    handlers = bound(handlers, &service.uri(), method, &orders);
                }
            }
            rulebook = rulebook.module(handlers);
        }
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        let site = Site::start(&engine);
        let connection = site.connect().fleeting();
        let document = openapi(&api);
        Ok(Self { api, document, orders, connection, site, _data: data })
    }

    /// Says what the handler returns to the next request for this method: outputs that it may return, or an error of
    /// its own. False where it may return no outputs that are known.
    pub fn order(&self, method: &Method, choices: &mut Choices) -> bool {
        let outputs = match &method.errors[..] {
            errors if errors.is_empty() || choices.below(4) > 0 => outputs(method, choices).map(Next::Outputs),
            errors => Some(Next::Declared(errors[choices.below(errors.len())].name.clone())),
        };
        let known = outputs.is_some();
        *self.orders.next.lock().unwrap() = outputs.unwrap_or_default();
        known
    }

    /// What was ordered last, in words.
    pub fn ordered(&self) -> String {
        format!("{:?}", self.orders.next.lock().unwrap())
    }

    /// The answer to a request, and whether a handler has run for it.
    pub fn ask(&mut self, request: &Request) -> Result<(Answer, bool), String> {
        self.orders.ran.store(false, Ordering::SeqCst);
        // The server may turn away before it has read everything.
        let _ = std::io::Write::write_all(&mut self.connection.stream, &request.bytes());
        let answered = self.connection.try_answer(false);
        if !answered.as_ref().is_ok_and(|answer| answer.field("connection") != Some("close")) {
            self.connection = self.site.connect().fleeting();
        }
        Ok((answered?, self.orders.ran.load(Ordering::SeqCst)))
    }
}

fn bound(module: Module, path: &str, method: &Method, orders: &Arc<Orders>) -> Module {
    let orders = Arc::clone(orders);
    if method.options.download {
        let file = move |Args(()): Args<()>, _: Context| {
            let ordered = orders.take();
            async move { ordered.map(|_| Download::bytes("content").name("a.txt")) }
        };
        return match method.http {
            Http::Get => module.get(path, file),
            Http::Post => module.post(path, file),
            Http::Put => module.put(path, file),
            Http::Delete => module.delete(path, file),
            Http::Patch => module.patch(path, file),
        };
    }
    let outputs = move |Args(()): Args<()>, _: Context| {
        let ordered = orders.take();
        async move { ordered }
    };
    match method.http {
        Http::Get => module.get(path, outputs),
        Http::Post => module.post(path, outputs),
        Http::Put => module.put(path, outputs),
        Http::Delete => module.delete(path, outputs),
        Http::Patch => module.patch(path, outputs),
    }
}

/// Outputs that a method may return, at the edges of their types; none where none are found.
fn outputs(method: &Method, choices: &mut Choices) -> Option<Json> {
    let mut outputs = Map::new();
    for output in &method.outputs {
        let check = &*output.r#type.check;
        let extremes = check.extremes();
        let value = match extremes.len() {
            0 => found(check, choices)?,
            count => extremes[choices.below(count)].to_json(),
        };
        if output.name == "*" {
            return Some(value);
        }
        if !(output.optional && choices.once_in(2)) {
            outputs.insert(output.name.clone(), value);
        }
    }
    Some(Json::Object(outputs))
}

/// A value that passes a check of which nothing else is known.
fn found(check: &dyn Check, choices: &mut Choices) -> Option<Json> {
    let schema = check.schema();
    let mut values = (0..30).map(|_| borders::value(&schema, &[], choices));
    values.find(|value| check.check(Value::from(value)).is_ok())
}
