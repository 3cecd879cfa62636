//! Calls from code, and their responses.

use std::pin::Pin;
use std::sync::Arc;

use rulebook_model::envelope::{Envelope, JsonMemberWriter, WriteError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::State;
use crate::call::{ApiError, Download, Identity, Outcome, RequestId, ReturnedValue, Upload};

/// The interface through which handlers use the engine: it runs their calls and holds the state of the program.
pub trait Caller: Send + Sync {
    /// The program's state.
    fn state(&self) -> &State;

    /// The id of the method with this index in the plan.
    fn method_id(&self, method: usize) -> &str;

    /// Runs a call like a request: permission, checks, hooks and handler.
    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Future<Output = Response> + Send>>;
}

/// A call from code.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method, in one of the forms that [`CallBuilder`](super::CallBuilder) describes.
    pub target: String,
    /// The arguments, by the names of the parameters in code.
    pub arguments: Vec<(String, CallArgument)>,
    /// The caller; `None` for an anonymous call.
    pub identity: Option<Identity>,
    /// The id of the request whose handler makes the call, if there is one.
    pub request_id: Option<RequestId>,
    /// The number of calls that this call is nested in.
    pub depth: u32,
}

/// An argument of a call from code.
#[derive(Debug, Clone)]
pub enum CallArgument {
    /// A JSON value.
    Json(Json),
    /// Text that a client sent. The type of the parameter decodes it.
    Text(String),
    /// An uploaded file.
    File(Upload),
}

/// The response to a call from code.
///
/// ```
/// # use rulebook::{Rulebook, Unbound};
/// # use serde_json::json;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let text = r#"{ "/": { "word": { "GET": { "info": "A word",
/// #     "in": { "GET@word": { "info": "The word", "type": "string", "name": "word" } } } } } }"#;
/// # let engine = Rulebook::read(vec![("word.json".into(), text.into())]).unbound(Unbound::Echo).build()?;
/// let response = engine.call("word.get").arg("word", "rule").send().await;
/// assert_eq!(response.get("args"), Some(&json!({ "word": "rule" })));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.serialize(), r#"{"error":0,"ErrorDescription":"all right","args":{"word":"rule"}}"#);
/// # Ok(()) })
/// # }
/// ```
pub struct Response {
    outcome: Result<Json, ApiError>,
    download: Option<Box<Download>>,
    status: u16,
    whole: bool,
    envelope: Arc<dyn Envelope>,
}

impl Response {
    /// Creates the response from the result of a call, in an envelope. Outputs that cannot be serialized become an
    /// internal error.
    pub(crate) fn new(outcome: Outcome, envelope: Arc<dyn Envelope>) -> Self {
        let converted = outcome.and_then(|success| {
            let (outputs, download) = match success.returned {
                ReturnedValue::Outputs(outputs) => (outputs.to_json().map_err(ApiError::internal)?, None),
                ReturnedValue::Download(mut download) => match download.error.take() {
                    Some(error) => return Err(error.into()),
                    None => (Json::Null, Some(download)),
                },
            };
            Ok((outputs, download, success.status, success.has_whole_output))
        });
        match converted {
            Ok((outputs, download, status, whole)) => Self { outcome: Ok(outputs), download, status, whole, envelope },
            Err(error) => {
                let status = error.status().get();
                Self { status, outcome: Err(error), download: None, whole: false, envelope }
            }
        }
    }

    /// Returns the file that the method returned; `None` if it returned outputs or an error.
    #[must_use]
    pub fn download(&self) -> Option<&Download> {
        self.download.as_deref()
    }

    /// Returns the file that the method returned as an owned value, to read it or to return it from a handler.
    #[must_use]
    pub fn into_download(self) -> Option<Download> {
        self.download.map(|download| *download)
    }

    /// Returns the error, if the call failed.
    #[must_use]
    pub fn error(&self) -> Option<&ApiError> {
        self.outcome.as_ref().err()
    }

    /// Returns the HTTP status that a client would get.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the output with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.output_map().and_then(|outputs| outputs.get(name))
    }

    /// Returns all outputs by name; `None` if the call failed or the outputs are not an object.
    #[must_use]
    pub fn output_map(&self) -> Option<&Map<String, Json>> {
        self.outcome.as_ref().ok().and_then(Json::as_object)
    }

    /// Deserializes the outputs into a type of the caller.
    ///
    /// # Errors
    /// Returns the error of the call, or an internal error if the type does not accept the outputs.
    pub fn deserialize<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        serde_json::from_value(self.outcome?).map_err(ApiError::internal)
    }

    /// Returns the outputs, or null if the method returned a file.
    ///
    /// # Errors
    /// Returns the error of the call.
    pub fn outputs(self) -> Result<Json, ApiError> {
        self.outcome
    }

    /// Returns the body that a client would get, as JSON in the envelope of the module. Outputs that the envelope
    /// cannot contain become an internal error, as they do for clients.
    #[must_use]
    pub fn serialize(&self) -> String {
        let written = match &self.outcome {
            Ok(outputs) => Self::write(|to| self.envelope.success(outputs, self.whole, to)),
            Err(error) => Self::write(|to| self.envelope.error(error, to)),
        };
        let text = written.or_else(|error| {
            let error = ApiError::internal(error);
            Self::write(|to| self.envelope.error(&error, to))
        });
        text.unwrap_or_default()
    }

    fn write(write: impl FnOnce(&mut JsonMemberWriter) -> Result<(), WriteError>) -> Result<String, WriteError> {
        let mut members = JsonMemberWriter::new();
        write(&mut members)?;
        // JSON is always UTF-8.
        Ok(String::from_utf8(members.finish()).unwrap_or_default())
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
