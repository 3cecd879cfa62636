//! A server for a random definition. The tests choose what its handlers return.

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
use super::case::{PropertyCase, rulebook_with_functions};
use crate::client::{Bearer, Connection, Request, Response, TestServer};
use support::generate::Choices;

/// The state that the handlers of a server share with the test.
#[derive(Default)]
struct HandlerState {
    next_result: Mutex<NextResult>,
    /// `true` if a handler has run since the last request was sent.
    has_run: AtomicBool,
}

/// What the handlers return.
#[derive(Debug, Clone)]
enum NextResult {
    Outputs(Json),
    DeclaredError(String),
}

impl Default for NextResult {
    fn default() -> Self {
        Self::Outputs(Json::Object(Map::new()))
    }
}

impl HandlerState {
    /// Records that a handler runs, and returns its result.
    fn record_run(&self) -> Result<Json, ApiError> {
        self.has_run.store(true, Ordering::SeqCst);
        match self.next_result.lock().unwrap().clone() {
            NextResult::Outputs(outputs) => Ok(outputs),
            NextResult::DeclaredError(name) => Err(ApiError::declared(name)),
        }
    }
}

/// A running server for a random definition.
pub struct PropertyServer {
    /// The API that the definition describes.
    pub api: Api,
    state: Arc<HandlerState>,
    connection: Connection,
    server: TestServer,
    _data_folder: TempDir,
}

impl PropertyServer {
    pub fn new(case: &PropertyCase) -> Result<Self, String> {
        let api = case.echo_engine()?.api().clone();
        let state = Arc::new(HandlerState::default());
        let data = tempfile::tempdir().map_err(|error| error.to_string())?;
        let files: Vec<(PathBuf, Vec<u8>)> = case.generated.bytes();
        let mut rulebook =
            rulebook_with_functions(files).authenticator(Bearer).verify_outputs(true).data_folder(data.path());
        for module in &api.modules {
            let mut handlers = Module::new(&module.name);
            for service in &module.services {
                for method in &service.methods {
                    handlers = bind_handler(handlers, &service.uri(), method, &state);
                }
            }
            rulebook = rulebook.module(handlers);
        }
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        let server = TestServer::start(&engine);
        let connection = server.connect().reset_on_drop();
        Ok(Self { api, state, connection, server, _data_folder: data })
    }

    /// Chooses what the handler of a method returns: valid outputs or a declared error. Returns `false` if no valid
    /// outputs are known.
    pub fn choose_next_result(&self, method: &Method, choices: &mut Choices) -> bool {
        let next = match &method.errors[..] {
            errors if errors.is_empty() || choices.below(4) > 0 => {
                random_outputs(method, choices).map(NextResult::Outputs)
            }
            errors => Some(NextResult::DeclaredError(errors[choices.below(errors.len())].name.clone())),
        };
        let is_known = next.is_some();
        *self.state.next_result.lock().unwrap() = next.unwrap_or_default();
        is_known
    }

    /// Describes what the handlers return, for error messages.
    pub fn describe_next_result(&self) -> String {
        format!("{:?}", self.state.next_result.lock().unwrap())
    }

    /// Sends a request. Returns its response, and `true` if a handler has run.
    pub fn send(&mut self, request: &Request) -> Result<(Response, bool), String> {
        self.state.has_run.store(false, Ordering::SeqCst);
        // Writing fails if the server closes the connection before it has read the whole request.
        let _ = std::io::Write::write_all(&mut self.connection.stream, &request.bytes());
        let response = self.connection.try_read_response(false);
        if !response.as_ref().is_ok_and(|response| response.field("connection") != Some("close")) {
            self.connection = self.server.connect().reset_on_drop();
        }
        Ok((response?, self.state.has_run.load(Ordering::SeqCst)))
    }
}

fn bind_handler(module: Module, path: &str, method: &Method, state: &Arc<HandlerState>) -> Module {
    let state = Arc::clone(state);
    if method.options.download {
        let file = move |Args(()): Args<()>, _: Context| {
            let result = state.record_run();
            async move { result.map(|_| Download::bytes("content").name("a.txt")) }
        };
        return module.on(method.http, path, file);
    }
    let outputs = move |Args(()): Args<()>, _: Context| {
        let result = state.record_run();
        async move { result }
    };
    module.on(method.http, path, outputs)
}

/// Returns outputs of a method whose values are at boundaries of their types; `None` if no valid values are known.
fn random_outputs(method: &Method, choices: &mut Choices) -> Option<Json> {
    let mut outputs = Map::new();
    for output in &method.outputs {
        let check = &*output.r#type.check;
        let boundary_values = check.boundary_values();
        let value = match boundary_values.len() {
            0 => find_valid_value(check, choices)?,
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

/// Searches for a valid value of a check that has no boundary values.
fn find_valid_value(check: &dyn Check, choices: &mut Choices) -> Option<Json> {
    let schema = check.schema();
    let mut values = (0..30).map(|_| boundary::random_value(&schema, &[], choices));
    values.find(|value| check.checked(Value::from(value)).is_ok())
}
