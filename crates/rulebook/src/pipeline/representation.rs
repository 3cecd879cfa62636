//! The representation of a reply: the format in which the server writes the envelope (the JSON structure around outputs
//! and errors) as bytes.

use bytes::Bytes;
use http::HeaderValue;
use rulebook_model::envelope::{self, Envelope, JsonMemberWriter, Problem};
use rulebook_model::format::FormatOffer;

use super::accept::{media_ranges, media_type_weight};
use super::jsonp;
use super::panic::catch_panic;
use super::reply::ReusedBuffer;
use crate::call::{ApiError, Callback, Encode, Head};
use crate::plan::Plan;

/// The format of a reply's body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Representation<'p> {
    Json,
    /// A success is JSON in its envelope; an error is a problem document (RFC 9457), which has no envelope.
    Problem,
    /// The reply has a format besides JSON that the definition offers in the setting `formats`.
    Format(&'p FormatOffer),
    /// The reply is a JSONP script, which calls this JavaScript function.
    Script(&'p Callback<'p>),
}

/// The body of a reply, as bytes in the format of the reply.
pub(super) struct FormattedBody {
    /// The HTTP status with which the body is sent.
    pub(super) status: u16,
    pub(super) media_type: HeaderValue,
    pub(super) body: Vec<u8>,
}

impl<'p> Representation<'p> {
    /// Chooses the representation by the `Accept` fields of a request. If `callback` is `Some`, the reply is a JSONP
    /// script, whatever the `Accept` fields contain.
    pub(super) fn negotiate(plan: &'p Plan, head: &Head, callback: Option<&'p Callback<'p>>) -> Self {
        if let Some(callback) = callback {
            return Self::Script(callback);
        }
        match preferred_format(&plan.formats, head) {
            Some(format) => Self::Format(format),
            None if accepts_only_problems(head) => Self::Problem,
            None => Self::Json,
        }
    }

    /// Writes the outputs of a successful call. `status` is the HTTP status of the outcome; the envelope may replace it
    /// by another status. Fails if the outputs cannot be written in this representation. Returns the error, and the
    /// representation in which the caller should write the error.
    pub(super) fn write_success(
        self,
        envelope: &dyn Envelope,
        outputs: &dyn Encode,
        whole: bool,
        status: u16,
    ) -> Result<FormattedBody, (Self, ApiError)> {
        if let Self::Script(callback) = self {
            let encoded = jsonp::write_success_script(callback, envelope, outputs, whole, status);
            return encoded.map_err(|error| (self, ApiError::internal(error)));
        }
        let mut members = JsonMemberWriter::in_memory(ReusedBuffer::empty_memory());
        let written = envelope.success(outputs, whole, &mut members);
        written.map_err(|error| (self, ApiError::internal(error)))?;
        let encoded = self.to_format(
            envelope::response_status(envelope, status),
            envelope.success_content_type(),
            members.finish(),
        );
        encoded.map_err(|why| (Self::Json, why))
    }

    /// Writes an error in its envelope. Fails if the error cannot be written in this representation.
    pub(super) fn write_error(self, envelope: &dyn Envelope, error: &ApiError) -> Result<FormattedBody, ApiError> {
        if let Self::Script(callback) = self {
            return jsonp::write_error_script(callback, envelope, error.clone()).map_err(ApiError::internal);
        }
        let envelope: &dyn Envelope = if matches!(self, Self::Problem) { &Problem } else { envelope };
        let mut members = JsonMemberWriter::new();
        envelope.error(error, &mut members).map_err(ApiError::internal)?;
        let status = envelope::response_status(envelope, error.status().get());
        self.to_format(status, envelope.error_content_type(), members.finish())
    }

    /// Converts a JSON body to the format of this representation. If the representation is JSON, the body stays
    /// unchanged.
    fn to_format(self, status: u16, media_type: &'static str, json: Vec<u8>) -> Result<FormattedBody, ApiError> {
        let Self::Format(offer) = self else {
            return Ok(FormattedBody { status, media_type: content_type_value(media_type), body: json });
        };
        let failed = |why: &dyn std::fmt::Display| {
            ApiError::internal(format_args!("the response cannot be written as `{}`: {why}", offer.name()))
        };
        let json = serde_json::from_slice(&json).map_err(|error| failed(&error))?;
        let body = catch_panic("a format", || offer.format().write(&json))?.map_err(|error| failed(&error))?;
        Ok(FormattedBody { status, media_type: offer.media_type().clone(), body })
    }
}

impl FormattedBody {
    /// Writes an error as a problem document (RFC 9457). If the representation is a JSONP script, the script contains
    /// the problem document.
    pub(super) fn write_problem(representation: Representation<'_>, error: &ApiError) -> Self {
        let is_script = matches!(representation, Representation::Script(_));
        let representation = if is_script { representation } else { Representation::Problem };
        // The members of a problem document are JSON values, which can always be written.
        representation.write_error(&Problem, error).unwrap_or_else(|_| Self {
            status: error.status().get(),
            media_type: content_type_value(Problem.error_content_type()),
            body: Vec::new(),
        })
    }
}

/// Converts a media type to the value of the header field `Content-Type`. If the media type is not a valid header
/// value, returns `application/json`.
fn content_type_value(media_type: &'static str) -> HeaderValue {
    static JSON: HeaderValue = HeaderValue::from_static("application/json");
    // Most responses are JSON. Copying a checked value costs less than checking it again.
    if JSON.as_bytes() == media_type.as_bytes() {
        return JSON.clone();
    }
    let value = HeaderValue::from_maybe_shared(Bytes::from_static(media_type.as_bytes()));
    value.unwrap_or_else(|_| JSON.clone())
}

/// Returns the format that the client prefers to JSON; `None` if the client prefers JSON. If the client gives several
/// formats the same weight, returns the first of them in the definition.
fn preferred_format<'p>(offers: &'p [FormatOffer], head: &Head) -> Option<&'p FormatOffer> {
    if offers.is_empty() {
        return None;
    }
    let json = (media_type_weight(head, "application/json"), None);
    let weight = |offer: &FormatOffer| {
        // A media range with `*` matches only the media type of the format. An alias must be equal to a media range.
        let aliases = media_ranges(head)
            .filter(|range| offer.aliases().iter().any(|alias| range.name.eq_ignore_ascii_case(alias)));
        aliases.map(|range| range.weight).max().unwrap_or_default().max(media_type_weight(head, offer.essence()))
    };
    let best = offers.iter().fold(json, |best, offer| {
        let weight = weight(offer);
        if weight > best.0 { (weight, Some(offer)) } else { best }
    });
    best.1
}

/// Returns `true` if the client accepts problem documents (`application/problem+json`) and no other media type (RFC
/// 9110 section 12.5.1).
fn accepts_only_problems(head: &Head) -> bool {
    let mut any = false;
    for range in media_ranges(head) {
        let accepted = range.weight > 0;
        let problem = range.name.eq_ignore_ascii_case("application/problem+json");
        if accepted && !problem {
            return false;
        }
        any |= accepted;
    }
    any
}
