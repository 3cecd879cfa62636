//! The form of an answer: what the members that an envelope tells are written as.

use bytes::Bytes;
use http::HeaderValue;

use super::accept::{ranges, weight_of};
use super::guard::guard;
use super::jsonp;
use crate::call::{Callback, Encode, Head, Refusal};
use crate::envelope::{self, Envelope, JsonMembers, Problem};
use crate::format::Offered;
use crate::plan::Plan;

/// What an answer is written as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form<'p> {
    /// JSON.
    Json,
    /// JSON, refusals as problem documents whatever the envelope.
    Problem,
    /// A format beside JSON.
    Own(&'p Offered),
    /// JSONP.
    Script(&'p Callback<'p>),
}

/// A body that has been written.
pub(super) struct Written {
    /// HTTP status.
    pub(super) status: u16,
    /// Its media type.
    pub(super) media_type: HeaderValue,
    /// Its bytes.
    pub(super) body: Vec<u8>,
}

impl<'p> Form<'p> {
    /// The form that a request asks for; with a function that the answer is to be handed to, whatever it accepts.
    pub(super) fn of(plan: &'p Plan, head: &Head, callback: Option<&'p Callback<'p>>) -> Self {
        if let Some(callback) = callback {
            return Self::Script(callback);
        }
        match wanted(&plan.formats, head) {
            Some(format) => Self::Own(format),
            None if only_problems(head) => Self::Problem,
            None => Self::Json,
        }
    }

    /// Writes a success.
    ///
    /// # Errors
    /// The outputs cannot be written, or not in this form: why, and the form to tell it in.
    pub(super) fn success(
        self,
        envelope: &dyn Envelope,
        outputs: &dyn Encode,
        whole: bool,
        real: u16,
    ) -> Result<Written, (Self, Refusal)> {
        if let Self::Script(callback) = self {
            let written = jsonp::success(callback, envelope, outputs, whole, real);
            return written.map_err(|error| (self, Refusal::internal(error)));
        }
        let mut members = JsonMembers::new();
        let told = envelope.success(outputs, whole, &mut members);
        told.map_err(|error| (self, Refusal::internal(error)))?;
        let written = self.written(envelope::status(envelope, real), envelope.success_type(), members.finish());
        written.map_err(|why| (Self::Json, why))
    }

    /// Writes a refusal.
    ///
    /// # Errors
    /// It cannot be written in this form: why.
    pub(super) fn refusal(self, envelope: &dyn Envelope, refusal: &Refusal) -> Result<Written, Refusal> {
        if let Self::Script(callback) = self {
            return jsonp::refusal(callback, envelope, refusal.clone()).map_err(Refusal::internal);
        }
        let told: &dyn Envelope = if matches!(self, Self::Problem) { &Problem } else { envelope };
        let mut members = JsonMembers::new();
        told.refusal(refusal, &mut members).map_err(Refusal::internal)?;
        self.written(envelope::status(told, refusal.status().get()), told.refusal_type(), members.finish())
    }

    /// An answer of which there is the JSON.
    fn written(self, status: u16, media_type: &'static str, json: Vec<u8>) -> Result<Written, Refusal> {
        let Self::Own(offered) = self else {
            return Ok(Written { status, media_type: header(media_type), body: json });
        };
        let name = offered.name();
        let cannot = |why: &dyn std::fmt::Display| {
            Refusal::internal(format_args!("the answer cannot be written as `{name}`: {why}"))
        };
        let answer = serde_json::from_slice(&json).map_err(|error| cannot(&error))?;
        let body = guard("a format", || offered.format().write(&answer))?.map_err(|error| cannot(&error))?;
        Ok(Written { status, media_type: offered.media_type().clone(), body })
    }
}

impl Written {
    /// A refusal as a problem document, whatever the envelope, and whatever the client wants but a script.
    pub(super) fn problem(form: Form<'_>, refusal: &Refusal) -> Self {
        let form = if matches!(form, Form::Script(_)) { form } else { Form::Problem };
        // Its members are JSON values, which cannot fail to be written.
        form.refusal(&Problem, refusal).unwrap_or_else(|_| Self {
            status: refusal.status().get(),
            media_type: header(Problem.refusal_type()),
            body: Vec::new(),
        })
    }
}

/// A media type as a header field says it.
fn header(media_type: &'static str) -> HeaderValue {
    let given = HeaderValue::from_maybe_shared(Bytes::from_static(media_type.as_bytes()));
    given.unwrap_or_else(|_| HeaderValue::from_static("application/json"))
}

/// The format that the client wants more than JSON; of several that it wants alike, the first that is offered.
fn wanted<'p>(formats: &'p [Offered], head: &Head) -> Option<&'p Offered> {
    if formats.is_empty() {
        return None;
    }
    let json = (weight_of(head, "application/json"), None);
    let weight = |offered: &Offered| {
        // Ranges with a star mean the media type that is answered, not its other names.
        let named =
            ranges(head).filter(|range| offered.aliases().iter().any(|own| range.name.eq_ignore_ascii_case(own)));
        named.map(|range| range.weight).max().unwrap_or_default().max(weight_of(head, offered.essence()))
    };
    let best = formats.iter().fold(json, |best, offered| {
        let weight = weight(offered);
        if weight > best.0 { (weight, Some(offered)) } else { best }
    });
    best.1
}

/// Whether problem documents are all that the client accepts (RFC 9110 section 12.5.1).
fn only_problems(head: &Head) -> bool {
    let mut any = false;
    for range in ranges(head) {
        let wanted = range.weight > 0;
        let problem = range.name.eq_ignore_ascii_case("application/problem+json");
        if wanted && !problem {
            return false;
        }
        any |= wanted;
    }
    any
}
