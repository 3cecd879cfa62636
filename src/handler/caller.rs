//! Calls from code: what they are made of and what comes back.

use std::pin::Pin;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::State;
use crate::call::{Download, Identity, Outcome, Refusal, RequestId, Returned, Upload};
use crate::envelope::{Envelope, JsonMembers, WriteError};

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
    /// What is called, as [`Calling`](super::Calling) tells.
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
    /// A file that came with a request.
    File(Upload),
}

/// What a call from code ended in.
///
/// ```
/// # use rulebook::{Rulebook, Unbound};
/// # use serde_json::json;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let text = r#"{ "/": { "word": { "GET": { "info": "A word",
/// #     "in": { "GET@word": { "info": "It", "type": "string", "name": "word" } } } } } }"#;
/// # let engine = Rulebook::read(vec![("word.json".into(), text.into())]).unbound(Unbound::Echo).build()?;
/// let response = engine.call("word.get").arg("word", "rule").send().await;
/// assert_eq!(response.get("args"), Some(&json!({ "word": "rule" })));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.serialize(), r#"{"error":0,"ErrorDescription":"all right","args":{"word":"rule"}}"#);
/// # Ok(()) })
/// # }
/// ```
pub struct Response {
    outcome: Result<Json, Refusal>,
    download: Option<Box<Download>>,
    status: u16,
    whole: bool,
    envelope: Arc<dyn Envelope>,
}

impl Response {
    /// The response to a call that ended so, answered in this envelope. Outputs that cannot be written make it an
    /// internal refusal.
    #[must_use]
    pub fn new(outcome: Outcome, envelope: Arc<dyn Envelope>) -> Self {
        let written = outcome.and_then(|success| {
            let (outputs, download) = match success.returned {
                Returned::Outputs(outputs) => (outputs.to_json().map_err(Refusal::internal)?, None),
                Returned::Download(mut download) => match download.fault.take() {
                    Some(fault) => return Err(fault.into()),
                    None => (Json::Null, Some(download)),
                },
            };
            Ok((outputs, download, success.status, success.whole))
        });
        match written {
            Ok((outputs, download, status, whole)) => Self { outcome: Ok(outputs), download, status, whole, envelope },
            Err(refusal) => {
                let status = refusal.status().get();
                Self { status, outcome: Err(refusal), download: None, whole: false, envelope }
            }
        }
    }

    /// The file that the method returned; none where it returned outputs or was refused.
    #[must_use]
    pub fn download(&self) -> Option<&Download> {
        self.download.as_deref()
    }

    /// The same, to be read or returned.
    #[must_use]
    pub fn into_download(self) -> Option<Download> {
        self.download.map(|download| *download)
    }

    /// The refusal, if it was refused.
    #[must_use]
    pub fn error(&self) -> Option<&Refusal> {
        self.outcome.as_ref().err()
    }

    /// The HTTP status that a client would have been answered with.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
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

    /// The outputs or the refusal; null where the method returned a file.
    ///
    /// # Errors
    /// The refusal.
    pub fn outputs(self) -> Result<Json, Refusal> {
        self.outcome
    }

    /// The body that a client would have been answered with, as JSON in the envelope of the method's module. As there,
    /// outputs that the envelope cannot hold are an internal error.
    #[must_use]
    pub fn serialize(&self) -> String {
        let written = match &self.outcome {
            Ok(outputs) => Self::write(|to| self.envelope.success(outputs, self.whole, to)),
            Err(refusal) => Self::write(|to| self.envelope.refusal(refusal, to)),
        };
        let text = written.or_else(|error| {
            let refusal = Refusal::internal(error);
            Self::write(|to| self.envelope.refusal(&refusal, to))
        });
        text.unwrap_or_default()
    }

    fn write(tell: impl FnOnce(&mut JsonMembers) -> Result<(), WriteError>) -> Result<String, WriteError> {
        let mut members = JsonMembers::new();
        tell(&mut members)?;
        // JSON text is UTF-8.
        Ok(String::from_utf8(members.finish()).unwrap_or_default())
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
