//! Runs a test: sends the request of each step, and checks the response.

use std::fs;
use std::path::Path;

use rulebook::{Identity, Rulebook};
use rulebook_model::definition::JsonNode;
use rulebook_model::diagnostic::Diagnostic;
use rulebook_model::model::{Api, Parameter};
use rulebook_model::span::{Span, Spanned};
use rulebook_model::test_file::{Call, Step, Test, fill};
use rulebook_model::types::Arity;
use rulebook_model::uri::percent_encode;
use rulebook_test::{Client, MethodCall, Misuse, StartError, TestResponse};
use serde_json::{Map, Value as Json};

use super::expect::{check_response, saved_value};
use crate::caller::caller;

/// Why a step has failed: a message, and the place in the test file that is not met.
pub(super) struct Failure {
    pub span: Span,
    pub message: String,
}

impl Failure {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

impl From<Diagnostic> for Failure {
    fn from(error: Diagnostic) -> Self {
        Self::new(error.span, error.message)
    }
}

/// The failures of the last step that was carried out, and its response, if one arrived.
pub(super) struct Failed {
    pub call: String,
    pub failures: Vec<Failure>,
    pub response: Option<TestResponse>,
}

/// Starts a server with an empty data folder, and carries out the steps of a test until one fails.
/// Fails if the server cannot be started.
pub(super) fn run_test(
    rulebook: Rulebook,
    api: &Api,
    folder: &Path,
    test: &Test,
) -> Result<Result<(), Box<Failed>>, StartError> {
    let client = Client::new(rulebook)?;
    let mut running = Running { client: &client, api, folder, saved: Map::new() };
    Ok(test.steps.iter().try_for_each(|step| running.carry_out(step)))
}

struct Running<'a> {
    client: &'a Client,
    api: &'a Api,
    /// The folder with the test file.
    folder: &'a Path,
    saved: Map<String, Json>,
}

impl Running<'_> {
    fn carry_out(&mut self, step: &Step) -> Result<(), Box<Failed>> {
        let failed = |failures, response| Box::new(Failed { call: step.call.text(), failures, response });
        let response = self.send(step).map_err(|failure| failed(vec![failure], None))?;
        let mut failures = check_response(step, &response, &self.saved);
        if failures.is_empty() {
            for member in &step.save {
                match saved_value(member, &response) {
                    Ok(value) => drop(self.saved.insert(member.key.value.clone(), value)),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failed(failures, Some(response))) }
    }

    fn send(&self, step: &Step) -> Result<TestResponse, Failure> {
        let identity = self.caller(step)?;
        let mut headers = Vec::new();
        for member in &step.headers {
            headers.push((member.key.value.as_str(), text(self.fill(&member.value)?)));
        }
        match &step.call {
            Call::Method(id) => {
                let misuse = |error: Misuse| Failure::new(id.span, error.to_string());
                let mut call = self.client.try_call(&id.value).map_err(misuse)?;
                for argument in &step.with {
                    call = self.add_argument(call, id, &argument.key, &argument.value)?;
                }
                call = headers.into_iter().fold(call, |call, (name, value)| call.header(name, value));
                if let Some(identity) = identity {
                    call = call.caller(identity);
                }
                call.try_send().map_err(misuse)
            }
            Call::Request(method, target) => {
                let path = text(fill(target, &self.saved, |text| percent_encode(text).collect())?);
                let mut request = self.client.request(method, &path);
                if let Some(body) = &step.body {
                    let at = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                    let media_type = at.map(|at| headers.remove(at).1);
                    let media_type = media_type.as_deref().unwrap_or("application/json");
                    request = request.body(media_type, text(self.fill(body)?));
                }
                request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
                if let Some(identity) = identity {
                    request = request.caller(identity);
                }
                request.try_send().map_err(|error| Failure::new(target.span, error.to_string()))
            }
        }
    }

    fn caller(&self, step: &Step) -> Result<Option<Identity>, Failure> {
        let [name, scope, claims] = &step.caller;
        let filled = |node: &Option<JsonNode>| node.as_ref().map(|node| self.fill(node)).transpose();
        let scope = filled(scope)?.map(|scope| match scope {
            Json::Array(items) => items.into_iter().map(text).collect(),
            single => vec![text(single)],
        });
        let claims_object = filled(claims)?.and_then(|value| value.as_object().cloned());
        let span = claims.as_ref().map_or_else(Span::default, |node| node.span);
        let name = filled(name)?.map(text);
        caller(self.api, "test", name.as_deref(), scope, claims_object).map_err(|message| Failure::new(span, message))
    }

    fn add_argument<'c>(
        &self,
        call: MethodCall<'c>,
        id: &Spanned<String>,
        name: &Spanned<String>,
        value: &JsonNode,
    ) -> Result<MethodCall<'c>, Failure> {
        let misuse = |error: Misuse| Failure::new(name.span, error.to_string());
        let filled = self.fill(value)?;
        let arity = self.parameter(&id.value, &name.value).map(|parameter| parameter.r#type.check.arity());
        let paths = match (arity, filled) {
            (Some(Arity::File | Arity::Files), Json::String(path)) => vec![path],
            (Some(Arity::Files), Json::Array(paths)) => paths.into_iter().map(text).collect(),
            (_, filled) => return call.try_arg(&name.value, filled).map_err(misuse),
        };
        paths.into_iter().try_fold(call, |call, path| {
            let file = self.folder.join(&path);
            let content = fs::read(&file);
            let content = content.map_err(|error| Failure::new(value.span, format!("{}: {error}", file.display())))?;
            let file_name = file.file_name().unwrap_or_default().to_string_lossy();
            call.try_file(&name.value, &file_name, content).map_err(misuse)
        })
    }

    fn parameter(&self, id: &str, name: &str) -> Option<&Parameter> {
        let services = self.api.services();
        let method = services.flat_map(|service| &service.methods).find(|method| method.id == id)?;
        method.parameters.iter().find(|parameter| parameter.name == name)
    }

    fn fill(&self, node: &JsonNode) -> Result<Json, Diagnostic> {
        fill(node, &self.saved, str::to_owned)
    }
}

/// Returns the content of a string, and any other value as JSON.
pub(super) fn text(value: Json) -> String {
    match value {
        Json::String(text) => text,
        other => other.to_string(),
    }
}
