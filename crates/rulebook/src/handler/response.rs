//! The responses to calls of methods from code.

use std::sync::Arc;

use rulebook_model::envelope::{Envelope, JsonMemberWriter, WriteError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::call::{ApiError, Download, Outcome, RawResponse, ReturnedValue};

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
