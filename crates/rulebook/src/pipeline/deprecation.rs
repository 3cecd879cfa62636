//! Adds the header fields of deprecated methods to responses, and refuses requests after the end of a method.

use http::HeaderName;
use http::header::LINK;
use jiff::Timestamp;
use rulebook_model::error::ErrorCode;
use rulebook_model::model::date_or_time;

use super::Reply;
use crate::call::{ApiError, ErrorKind};
use crate::plan::PlannedMethod;

/// Returns the error for a request to an API method whose `sunset` has passed. Other methods do not read the clock.
pub(super) fn method_gone(method: &PlannedMethod) -> Option<ApiError> {
    let deprecation = method.deprecation.as_ref()?;
    let sunset = deprecation.sunset.filter(|sunset| *sunset <= Timestamp::now())?;
    let successor = deprecation.successor.as_deref().map(str::to_owned);
    Some(ApiError::new(ErrorKind::MethodGone { sunset: date_or_time(sunset), successor }))
}

/// Adds the header fields of a deprecated API method to a reply, unless the caller may not call the method: the method
/// may be hidden from the caller.
pub fn add_deprecation_fields(method: &PlannedMethod, reply: &mut Reply) {
    let Some(deprecation) = &method.deprecation else { return };
    if !matches!(reply.code.map(|code| code.code), Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden)) {
        // The method itself can have returned one of the fields. A response can have several fields `Link`.
        let is_missing = |name: &HeaderName| *name == LINK || reply.headers.iter().all(|(other, _)| other != name);
        let missing: Vec<_> = deprecation.fields.iter().filter(|(name, _)| is_missing(name)).cloned().collect();
        reply.headers.extend(missing);
    }
}
