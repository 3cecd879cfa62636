//! The errors of upstreams, and the errors of the method to which they are converted.

use hyper::StatusCode;
use rulebook::ApiError;
use rulebook::handler_kind::settings::text_members;
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode};
use serde::Deserialize;
use tokio::time::Instant;

use super::address::Origin;
use super::exchange::UpstreamResponse;
use super::settings::CallLimits;

/// The maximum size in bytes of an error response in which the name of an error is looked up.
const MAX_ERROR_BODY: usize = 64 << 10;
/// The statuses that can be converted to errors.
const STATUSES: std::ops::RangeInclusive<u16> = 300..=599;

/// The errors that responses of an upstream are converted to.
#[derive(Debug)]
pub struct ErrorRules {
    /// The names of the errors that the method declares.
    declared: Vec<String>,
    /// The names of the errors for statuses, from the setting `errors`.
    by_status: Vec<(u16, String)>,
}

/// The body of an error response.
#[derive(Deserialize)]
struct NamedError {
    error: String,
}

impl ErrorRules {
    pub fn read(handled: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Self {
        let declared: Vec<_> = handled.method.errors.iter().map(|error| error.name.clone()).collect();
        let node = handled.optional_setting("errors");
        let by_status = node.map(|node| read_statuses(node, &declared, errors)).unwrap_or_default();
        Self { declared, by_status }
    }

    /// Returns the error for a response that is not a success. An error that the body names takes precedence.
    pub async fn convert(
        &self,
        received: UpstreamResponse,
        limits: &CallLimits,
        deadline: Instant,
        origin: &Origin,
    ) -> ApiError {
        let status = received.head.status;
        // The body is also received if it is not needed, so that its connection can be used again. If it is not
        // complete, the status still identifies the error.
        let body = received.body.receive(MAX_ERROR_BODY, limits, deadline).await.ok();
        let body = body.filter(|_| status >= StatusCode::BAD_REQUEST && !self.declared.is_empty());
        let named = body.and_then(|body| serde_json::from_slice::<NamedError>(&body).ok());
        let named = named.map(|named| named.error).filter(|name| self.declared.contains(name));
        let by_status = || self.by_status.iter().find(|(known, _)| *known == status).map(|(_, name)| name.clone());
        match named.or_else(by_status) {
            Some(name) => ApiError::declared(name),
            None => {
                let status = status.as_u16();
                ApiError::bad_gateway(format_args!("the upstream {origin}: it responded with the status {status}"))
            }
        }
    }
}

fn read_statuses(node: &JsonNode, declared: &[String], errors: &mut Vec<HandlerError>) -> Vec<(u16, String)> {
    let members = text_members(node, "errors").map_err(|found| errors.extend(found)).unwrap_or_default();
    let mut by_status = Vec::new();
    for (key, name) in members {
        let status = key.value.parse().ok().filter(|status| STATUSES.contains(status));
        if status.is_none() {
            let error = HandlerError::new(format!("`{}` is not the status of an error", key.value.escape_debug()));
            let help = format!("write a status from {} to {}", STATUSES.start(), STATUSES.end());
            errors.push(error.at(key.span).help(help));
        }
        if !declared.contains(&name.value) {
            let error = HandlerError::new(format!("the method declares no error `{}`", name.value.escape_debug()));
            let known: Vec<_> = declared.iter().map(String::as_str).collect();
            errors.push(error.at(name.span).suggest(&name.value, "declared errors", &known));
        }
        by_status.extend(status.map(|status| (status, name.value)));
    }
    by_status
}
