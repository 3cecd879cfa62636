//! The errors of upstreams, and the errors of the method to which they are converted.

use hyper::StatusCode;
use rulebook::ApiError;
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook_model::suggest::closest_word;
use serde::Deserialize;
use tokio::time::Instant;

use super::address::Origin;
use super::call_limits::CallLimits;
use super::exchange::Received;

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
    /// Reads the setting `errors`.
    pub fn read(handled: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Self {
        let declared: Vec<_> = handled.method.errors.iter().map(|error| error.name.clone()).collect();
        let node = handled.optional_setting("errors");
        let by_status = node.map(|node| read_statuses(node, &declared, errors)).unwrap_or_default();
        Self { declared, by_status }
    }

    /// Returns the error for a response that is not a success. An error that the body names takes precedence.
    pub async fn convert(
        &self,
        received: Received,
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
    let JsonData::Object(members) = &node.data else {
        let message = format!("`errors` must be an object, but this is {}", node.describe_kind());
        errors.push(HandlerError::new(message).at(node.span).help("write `{\"404\": \"no_such_note\"}`"));
        return Vec::new();
    };
    let mut by_status = Vec::new();
    for member in members.list.iter().filter(|member| !member.is_comment()) {
        let status = member.key.value.parse().ok().filter(|status| STATUSES.contains(status));
        if status.is_none() {
            let message = format!("`{}` is not the status of an error", member.key.value.escape_debug());
            let error = HandlerError::new(message).at(member.key.span);
            errors.push(error.help(format!("write a status from {} to {}", STATUSES.start(), STATUSES.end())));
        }
        let name = member.value.string().map(|name| name.value);
        if let Some(name) = name.as_ref().filter(|name| !declared.contains(name)) {
            let message = format!("the method declares no error `{}`", name.escape_debug());
            let help = match closest_word(name, declared.iter().map(String::as_str)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "declare it in the `errors` of the method".to_owned(),
            };
            errors.push(HandlerError::new(message).at(member.value.span).help(help));
        } else if name.is_none() {
            let message = format!("the name of an error must be a text, but this is {}", member.value.describe_kind());
            errors.push(HandlerError::new(message).at(member.value.span));
        }
        by_status.extend(status.zip(name));
    }
    by_status
}
