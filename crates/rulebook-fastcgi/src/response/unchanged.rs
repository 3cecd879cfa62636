//! The responses of PhalApi that clients get as they are.

use bytes::Bytes;
use futures_util::stream::{StreamExt, once, try_unfold};
use rulebook::ApiError;
use rulebook::handler_kind::{RawResponse, ReturnedValue};
use rulebook::http::{HeaderName, HeaderValue};

use super::forward::{ReceivedFile, next_bytes};
use super::{ResponseHead, phalapi};
use crate::call_error::CallError;
use crate::settings::HandlerSettings;

/// The header fields that are not for clients: those of CGI, of the connection, and the version of PHP.
const NOT_SENT: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "status",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-powered-by",
];

/// What was received of the body of a response.
pub enum ReceivedBody {
    /// The whole body.
    Whole(Bytes),
    /// The beginning of the body. The rest is received as fast as the client reads it.
    Beginning(Box<ReceivedFile>),
}

/// Returns the response for the client. The outputs in it are compared with the definition, if the whole of it was
/// received.
pub fn unchanged(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: ReceivedBody,
    is_head: bool,
) -> Result<ReturnedValue, ApiError> {
    let announced = head.field("content-length").and_then(|length| length.parse().ok());
    let invalid = |_| CallError::Response(format!("PHP responded with the status {}", head.status));
    let response = match body {
        ReceivedBody::Whole(bytes) => {
            let length = if is_head { announced } else { Some(bytes.len() as u64) };
            let outputs = phalapi::outputs_of_success(settings, &bytes);
            let response = RawResponse::new(head.status, once(async { Ok(bytes) }), length).map_err(invalid)?;
            outputs.into_iter().fold(response, RawResponse::outputs)
        }
        ReceivedBody::Beginning(file) => {
            let stream = try_unfold(Some(*file), next_bytes).boxed();
            RawResponse::new(head.status, stream, announced).map_err(invalid)?
        }
    };
    let fields =
        head.fields.iter().filter(|(name, _)| !NOT_SENT.contains(&name.as_str())).filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?))
        });
    let response = fields.fold(response, |response, (name, value)| response.header(name, value));
    Ok(ReturnedValue::Response(Box::new(response)))
}

/// Returns the response to an error of api 3.0 that the definition does not declare.
pub fn undeclared_error(number: i64, description: &str, status: u16) -> Result<ReturnedValue, ApiError> {
    let body = Bytes::from(serde_json::json!({ "error": number, "ErrorDescription": description }).to_string());
    let length = body.len() as u64;
    let response = RawResponse::new(status, once(async { Ok(body) }), Some(length)).map_err(ApiError::internal)?;
    let (name, value) = (rulebook::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(ReturnedValue::Response(Box::new(response.header(name, value))))
}

/// Returns `true` if the body is short JSON, so that it is received before the response is sent.
pub fn is_compared(head: &ResponseHead) -> bool {
    head.is_json() && head.field("content-encoding").is_none()
}
