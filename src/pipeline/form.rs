//! The form of an answer: what the members that an envelope tells are written as.

use http::HeaderValue;

use super::accept::ranges;
use crate::call::{Encode, Head, Refusal};
use crate::envelope::{Envelope, JsonMembers, Problem, WriteError};

/// What an answer is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON.
    Json,
    /// JSON, refusals as problem documents whatever the envelope.
    Problem,
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

impl Form {
    /// The form that a request asks for.
    pub(super) fn of(head: &Head) -> Self {
        if only_problems(head) { Self::Problem } else { Self::Json }
    }

    /// Writes a success.
    ///
    /// # Errors
    /// The outputs cannot be written.
    pub(super) fn success(
        self,
        envelope: &dyn Envelope,
        outputs: &dyn Encode,
        whole: bool,
        status: u16,
    ) -> Result<Written, WriteError> {
        let mut members = JsonMembers::new();
        envelope.success(outputs, whole, &mut members)?;
        Ok(Written {
            status: envelope.status(status),
            media_type: HeaderValue::from_static(envelope.success_type()),
            body: members.finish(),
        })
    }

    /// Writes a refusal.
    pub(super) fn refusal(self, envelope: &dyn Envelope, refusal: &Refusal) -> Written {
        let envelope: &dyn Envelope = if self == Self::Problem { &Problem } else { envelope };
        let mut members = JsonMembers::new();
        // The members of a refusal are JSON values, which cannot fail to be written.
        let body = match envelope.refusal(refusal, &mut members) {
            Ok(()) => members.finish(),
            Err(_) => Vec::new(),
        };
        Written {
            status: envelope.status(refusal.status().get()),
            media_type: HeaderValue::from_static(envelope.refusal_type()),
            body,
        }
    }
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
