//! Converts a response to the outputs, or to the file, that a method returns.

use hyper::header::{self, HeaderMap, HeaderName};
use rulebook::handler_kind::ReturnedValue;
use rulebook::http::HeaderValue;
use rulebook::{Download, ETag};
use rulebook_model::model::Method;
use serde_json::Value as Json;

use super::address::Origin;
use super::error::UpstreamError;
use super::exchange::UpstreamResponse;
use super::settings::CallLimits;

/// The header fields of a response that describe its file.
const KEPT: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::CONTENT_LANGUAGE,
    header::CACHE_CONTROL,
    header::EXPIRES,
];

/// What a method returns.
#[derive(Debug)]
pub enum Expected {
    /// The members of a JSON object.
    Outputs,
    /// No outputs.
    Nothing,
    /// A single output, which is the whole body.
    Whole,
    /// A file.
    File,
}

impl Expected {
    /// Returns what a method returns.
    pub fn of(method: &Method) -> Self {
        if method.options.download {
            Self::File
        } else if method.whole().is_some() {
            Self::Whole
        } else if method.outputs.is_empty() {
            Self::Nothing
        } else {
            Self::Outputs
        }
    }
}

/// Returns the outputs in the body of a response, from which the engine removes members that are not outputs. An empty
/// body has no outputs.
/// Fails if the body is not JSON, or not an object although the method has named outputs.
pub fn read_outputs(expected: &Expected, body: &[u8]) -> Result<ReturnedValue, UpstreamError> {
    if matches!(expected, Expected::Nothing) || body.is_empty() {
        return Ok(ReturnedValue::Outputs(Box::new(Json::Null)));
    }
    let outputs: Json = serde_json::from_slice(body)
        // The message of the parser contains no part of the body.
        .map_err(|error| UpstreamError::Response(format!("the body of the response is not JSON: {error}")))?;
    if matches!(expected, Expected::Outputs) && !outputs.is_object() {
        return Err(UpstreamError::Response("the body of the response is not a JSON object".to_owned()));
    }
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}

/// Returns the file in a response. Its body is received while it is sent to the client.
pub fn to_download(received: UpstreamResponse, origin: &Origin, limits: &CallLimits) -> Download {
    let UpstreamResponse { head, body } = received;
    let length = body.length();
    let mut download = Download::stream(body.into_stream(origin.clone(), limits.timeout));
    if let Some(length) = length {
        download = download.length(length);
    }
    for name in KEPT {
        if let Some(value) = field(&head.headers, &name) {
            download = download.header(name.as_str(), value);
        }
    }
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(etag) = text(header::ETAG).and_then(ETag::parse) {
        download = download.etag(etag);
    }
    if let Some(time) = text(header::LAST_MODIFIED).and_then(|text| httpdate::parse_http_date(text).ok()) {
        download = download.last_modified(time);
    }
    download
}

fn field(fields: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    fields.get(name).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok())
}
