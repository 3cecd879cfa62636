//! A server for a random definition. The tests set what its handlers return.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rulebook::types::Value;
use rulebook::{ApiError, Args, Context, Download, Module};
use rulebook_model::model::{Api, Method};
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json};
use tempfile::TempDir;

use super::boundary;
use super::case::{Case, rulebook};
use crate::client::{Bearer, Connection, Request, Response, TestServer};
use support::generate::Choices;

/// The state that the handlers share with the tests.
#[derive(Default)]
struct HandlerState {
    next: Mutex<Next>,
    /// `true` if a handler has run.
    result: AtomicBool,
}

/// What a handler returns.
#[derive(Debug, Clone)]
enum Next {
    Outputs(Json),
    DeclaredError(String),
}

impl Default for Next {
    fn default() -> Self {
        Self::Outputs(Json::Object(Map::new()))
    }
}

impl HandlerState {
    /// Records that a handler runs, and returns its result.
    fn run(&self) -> Result<Json, ApiError> {
        self.result.store(true, Ordering::SeqCst);
        match self.next.lock().unwrap().clone() {
            Next::Outputs(outputs) => Ok(outputs),
            Next::DeclaredError(name) => Err(ApiError::declared(name)),
        }
    }
}

/// A running server.
pub struct PropertyServer {
    /// The API that the server has.
    pub api: Api,
    state: Arc<HandlerState>,
    connection: Connection,
    server: TestServer,
    _data: TempDir,
}

impl PropertyServer {
    pub fn new(case: &Case) -> Result<Self, String> {
        let api = case.echo()?.api().clone();
        let state = Arc::new(HandlerState::default());
        let data = tempfile::tempdir().map_err(|error| error.to_string())?;
        let files: Vec<(PathBuf, Vec<u8>)> = case.generated.bytes();
        let mut rulebook = rulebook(files).authenticator(Bearer).verify_outputs(true).data_folder(data.path());
        for module in &api.modules {
            let mut handlers = Module::new(&module.name);
            for service in &module.services {
                for method in &service.methods {
                    handlers = bind(handlers, &service.uri(), method, &state);
                }
            }
            rulebook = rulebook.module(handlers);
        }
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        let server = TestServer::start(&engine);
        let connection = server.connect().reset_on_drop();
        Ok(Self { api, state, connection, server, _data: data })
    }

    /// Sets what the handler of a method returns: valid outputs or a declared error. Returns `false` if no valid outputs
    /// are known.
    pub fn set_next(&self, method: &Method, choices: &mut Choices) -> bool {
        let next = match &method.errors[..] {
            errors if errors.is_empty() || choices.below(4) > 0 => outputs(method, choices).map(Next::Outputs),
            errors => Some(Next::DeclaredError(errors[choices.below(errors.len())].name.clone())),
        };
        let is_known = next.is_some();
        *self.state.next.lock().unwrap() = next.unwrap_or_default();
        is_known
    }

    /// Describes what handlers return.
    pub fn next(&self) -> String {
        format!("{:?}", self.state.next.lock().unwrap())
    }

    /// Sends a request. Returns the response, and `true` if a handler has run.
    pub fn send(&mut self, request: &Request) -> Result<(Response, bool), String> {
        self.state.result.store(false, Ordering::SeqCst);
        // The server may close the connection before it has read the whole request.
        let _ = std::io::Write::write_all(&mut self.connection.stream, &request.bytes());
        let response = self.connection.try_read_response(false);
        if !response.as_ref().is_ok_and(|response| response.field("connection") != Some("close")) {
            self.connection = self.server.connect().reset_on_drop();
        }
        Ok((response?, self.state.result.load(Ordering::SeqCst)))
    }
}

fn bind(module: Module, path: &str, method: &Method, state: &Arc<HandlerState>) -> Module {
    let state = Arc::clone(state);
    if method.options.download {
        let file = move |Args(()): Args<()>, _: Context| {
            let result = state.run();
            async move { result.map(|_| Download::bytes("content").name("a.txt")) }
        };
        return module.on(method.http, path, file);
    }
    let outputs = move |Args(()): Args<()>, _: Context| {
        let result = state.run();
        async move { result }
    };
    module.on(method.http, path, outputs)
}

/// Returns boundary values of a method's outputs; `None` if no valid outputs are known.
fn outputs(method: &Method, choices: &mut Choices) -> Option<Json> {
    let mut outputs = Map::new();
    for output in &method.outputs {
        let check = &*output.r#type.check;
        let boundary_values = check.boundary_values();
        let value = match boundary_values.len() {
            0 => find_valid(check, choices)?,
            count => boundary_values[choices.below(count)].to_json(),
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

/// Searches a valid value of a check without boundary values.
fn find_valid(check: &dyn Check, choices: &mut Choices) -> Option<Json> {
    let schema = check.schema();
    let mut values = (0..30).map(|_| boundary::value(&schema, &[], choices));
    values.find(|value| check.check(Value::from(value)).is_ok())
}
