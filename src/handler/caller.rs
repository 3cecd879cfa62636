//! Calls from code: what they are made of and what comes back.

use std::pin::Pin;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::State;
use crate::call::{Identity, Refusal, RequestId};

/// What handlers see of the engine: it runs their calls and holds their state.
pub trait Caller: Send + Sync {
    /// The program's values.
    fn state(&self) -> &State;

    /// The id of the method of this index.
    fn method_id(&self, method: usize) -> &str;

    /// Runs it: permission, checks, hooks and handler, as for a request.
    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Future<Output = Response> + Send>>;
}

/// A call from code: a method, an identity and arguments by their names in code.
#[derive(Debug, Clone)]
pub struct Call {
    /// A method's id (`article.line.get`) or HTTP method and path (`GET /article/line/1`).
    pub target: String,
    /// Arguments by name in code.
    pub arguments: Vec<(String, Argument)>,
    /// Who calls.
    pub identity: Option<Identity>,
    /// The request that it is part of.
    pub request_id: Option<RequestId>,
    /// How many calls this one is inside of.
    pub depth: u32,
}

/// An argument of a call from code.
#[derive(Debug, Clone)]
pub enum Argument {
    /// A value as JSON says it.
    Json(Json),
    /// A client's text, to be read by the parameter's type.
    Text(String),
}

/// What a call from code ended in.
#[derive(Debug)]
pub struct Response {
    outcome: Result<Json, Refusal>,
}

impl Response {
    /// A response that holds these outputs or this refusal.
    #[must_use]
    pub fn new(outcome: Result<Json, Refusal>) -> Self {
        Self { outcome }
    }

    /// The refusal, if it was refused.
    #[must_use]
    pub fn error(&self) -> Option<&Refusal> {
        self.outcome.as_ref().err()
    }

    /// One output.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.all().and_then(|outputs| outputs.get(name))
    }

    /// All outputs by name; none where it was refused or the outputs are no object.
    #[must_use]
    pub fn all(&self) -> Option<&Map<String, Json>> {
        self.outcome.as_ref().ok().and_then(Json::as_object)
    }

    /// The outputs as a type of the caller's.
    ///
    /// # Errors
    /// The refusal, or an internal one where the outputs do not fit the type.
    pub fn into<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        serde_json::from_value(self.outcome?).map_err(Refusal::internal)
    }

    /// The outputs or the refusal.
    ///
    /// # Errors
    /// The refusal.
    pub fn outputs(self) -> Result<Json, Refusal> {
        self.outcome
    }
}
