//! Calls of methods from code, without an HTTP request: their builder and their responses.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rulebook_model::envelope::{Envelope, JsonMemberWriter, WriteError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::ProgramState;
use crate::call::{ApiError, Download, Identity, Outcome, RawResponse, RequestId, ReturnedValue, Upload};
use crate::trace::RequestTrace;

/// The part of the engine that handlers use: it runs the calls that handlers make, and holds the state of the program.
pub trait EngineHandle: Send + Sync {
    fn state(&self) -> &ProgramState;

    /// Returns the id of a method, such as `article.line.get`. `method` is the index of the method in the plan.
    fn method_id(&self, method_index: usize) -> &str;

    /// Runs a call in the same way as a request: checks the permission and the arguments, and runs the hooks and the
    /// handler.
    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Response>;
}

#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The method to call, in one of the forms that [`CallBuilder`](super::CallBuilder) describes.
    pub target: String,
    /// With the names that the definition gives the parameters in code.
    pub arguments: Vec<(String, CallArgument)>,
    /// The identity with whose permissions the method is called; `None` for an anonymous call.
    pub identity: Option<Identity>,
    /// The id of the request whose handler makes the call; `None` if the call does not come from a handler of a
    /// request.
    pub request_id: Option<RequestId>,
    pub trace: Option<Arc<RequestTrace>>,
    /// The number of calls around this one: a handler that was called from code may itself call other methods.
    pub nesting_depth: u32,
}

#[derive(Debug, Clone)]
pub enum CallArgument {
    Json(Json),
    /// Text as a client would send it in a query or a path. The type of the parameter decodes the text.
    Text(String),
    File(Upload),
}

/// A builder for a call of a method from code. The call runs like a request: the permission and the arguments are
/// checked, and the hooks and the handler run. The response contains the outputs as JSON values;
/// [`Response::serialize`] returns the body that a client would get.
///
/// The target of the call selects the method. It has one of these forms:
/// - the id of the method: `article.line.get`;
/// - an HTTP method and a path below the base path, with an optional query: `GET /article/line/1?lang=en`;
/// - a path alone, with or without the slash at its beginning: `article/line/1`. The service at this path must have a
///   single method, or GET and POST that are one method of the `rules` dialect. Otherwise the call fails with an error
///   that lists the methods of the service;
/// - an empty text, if the call has arguments with the names `module` and `method`, which are the two segments of the
///   path.
///
/// ```
/// # use rulebook::error::ErrorCode;
/// # use rulebook::{Rulebook, Unbound};
/// # use serde_json::json;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let text = r#"{ "/": { "article/delete": { "DELETE": { "info": "Removes an article", "scope": [["admin"]],
/// #     "in": { "article_id": { "info": "The article", "type": "id" } } } } } }"#;
/// # let engine = Rulebook::read(vec![("article.json".into(), text.into())]).unbound(Unbound::Echo).build()?;
/// let response = engine.call("article/delete").arg("article_id", 52).scope(["admin"]).send().await;
/// assert!(response.error().is_none());
///
/// let response = engine.call("article/delete").arg("article_id", 52).send().await;
/// assert_eq!(response.error().map(|error| error.code()), Some(ErrorCode::Unauthenticated));
/// # Ok(()) })
/// # }
/// ```
#[must_use = "a call does nothing until it is sent"]
pub struct CallBuilder {
    pub(super) call: Call,
    pub(super) engine: Arc<dyn EngineHandle>,
}

impl CallBuilder {
    pub(crate) fn new(target: impl Into<String>, engine: Arc<dyn EngineHandle>) -> Self {
        Self { call: Call { target: target.into(), ..Call::default() }, engine }
    }

    /// Adds an argument. `name` is the name that the definition gives the parameter in code.
    pub fn arg(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.call.arguments.push((name.into(), CallArgument::Json(value.into())));
        self
    }

    /// Adds several arguments: the members of a JSON object, or pairs of a name and a value. The names are those that
    /// the definition gives the parameters in code.
    pub fn args<N: Into<String>, V: Into<Json>>(mut self, arguments: impl IntoIterator<Item = (N, V)>) -> Self {
        let arguments = arguments.into_iter().map(|(name, value)| (name.into(), CallArgument::Json(value.into())));
        self.call.arguments.extend(arguments);
        self
    }

    /// Adds an argument as text, as a client would send it in a query or a path. The type of the parameter decodes the
    /// text.
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.arguments.push((name.into(), CallArgument::Text(value.into())));
        self
    }

    /// Adds a file that a client has uploaded as an argument. To pass several files to a parameter that accepts
    /// several, call this for each file with the same `name`.
    pub fn file(mut self, name: impl Into<String>, file: Upload) -> Self {
        self.call.arguments.push((name.into(), CallArgument::File(file)));
        self
    }

    /// Sets the identity with whose permissions the method is called.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.call.identity = Some(identity);
        self
    }

    /// Sets the permissions with which the method is called, and keeps the name and the [data](Identity::data) of an
    /// identity that was set before.
    pub fn scope<S: Into<Box<str>>>(self, scope: impl IntoIterator<Item = S>) -> Self {
        let identity = match &self.call.identity {
            Some(identity) => identity.with_permissions(scope),
            None => Identity::new("caller", scope),
        };
        self.identity(identity)
    }

    /// Runs the call.
    pub async fn send(self) -> Response {
        self.engine.call(self.call).await
    }
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
    /// Creates the response from the outcome of a call, in the envelope of the called method. Outputs that cannot be
    /// serialized become an internal error.
    pub(crate) fn new(outcome: Outcome, envelope: Arc<dyn Envelope>) -> Self {
        let converted = outcome.and_then(|success| {
            let (outputs, download) = match success.returned {
                ReturnedValue::Outputs(outputs) => (outputs.to_json().map_err(ApiError::internal)?, None),
                ReturnedValue::Download(mut download) => match download.error.take() {
                    Some(error) => return Err(error.into()),
                    None => (Json::Null, Some(download)),
                },
                ReturnedValue::Response(response) => (Json::Null, Some(Box::new(download_from_response(*response)?))),
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

    /// Converts the response to the file that the method returned, to read the file or to return it from a handler.
    /// Returns `None` if the method returned outputs or an error.
    #[must_use]
    pub fn into_download(self) -> Option<Download> {
        self.download.map(|download| *download)
    }

    /// Returns the error of the call; `None` if the call succeeded.
    #[must_use]
    pub fn error(&self) -> Option<&ApiError> {
        self.outcome.as_ref().err()
    }

    /// Returns the HTTP status that an HTTP client would get for this call.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the output with this name; `None` if the response has no such output.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.output_map().and_then(|outputs| outputs.get(name))
    }

    /// Returns all outputs by name; `None` if the call failed or its outputs are not a JSON object.
    #[must_use]
    pub fn output_map(&self) -> Option<&Map<String, Json>> {
        self.outcome.as_ref().ok().and_then(Json::as_object)
    }

    /// Deserializes the outputs into a type `T` of the program.
    ///
    /// # Errors
    /// Returns the error of the call if it failed, or an internal error if `T` does not accept the outputs.
    pub fn deserialize<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        serde_json::from_value(self.outcome?).map_err(ApiError::internal)
    }

    /// Returns the outputs, or JSON null if the method returned a file.
    ///
    /// # Errors
    /// Returns the error of the call if it failed.
    pub fn outputs(self) -> Result<Json, ApiError> {
        self.outcome
    }

    /// Returns the body that an HTTP client would get, as JSON in the envelope of the called method. If the envelope
    /// cannot contain the outputs, the body describes an internal error, as it does for HTTP clients.
    #[must_use]
    pub fn serialize(&self) -> String {
        let written = match &self.outcome {
            Ok(outputs) => Self::write_members(|to| self.envelope.success(outputs, self.whole, to)),
            Err(error) => Self::write_members(|to| self.envelope.error(error, to)),
        };
        let text = written.or_else(|error| {
            let error = ApiError::internal(error);
            Self::write_members(|to| self.envelope.error(&error, to))
        });
        text.unwrap_or_default()
    }

    fn write_members(
        write: impl FnOnce(&mut JsonMemberWriter) -> Result<(), WriteError>,
    ) -> Result<String, WriteError> {
        let mut members = JsonMemberWriter::new();
        write(&mut members)?;
        // `JsonMemberWriter` writes only UTF-8, so that the default is never used.
        Ok(String::from_utf8(members.finish()).unwrap_or_default())
    }
}

/// Converts a response without an envelope to a file.
///
/// # Errors
/// Fails if the response is an error, whose body has an unknown form.
fn download_from_response(response: RawResponse) -> Result<Download, ApiError> {
    let RawResponse { status, media_type, body, length, .. } = response;
    if status >= 300 {
        return Err(ApiError::bad_gateway(format_args!("the response has the status {status}")));
    }
    let download = Download::stream(body);
    let download = length.into_iter().fold(download, Download::length);
    Ok(media_type.into_iter().fold(download, Download::media_type))
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
