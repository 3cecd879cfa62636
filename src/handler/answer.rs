//! What a handler says of its answer beside the outputs: header fields and status.

use http::header::{HeaderName, HeaderValue};

use crate::call::{AnswerError, Reason, Refusal};

/// What has been said of an answer.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The status of a success; none: the definition's.
    pub(crate) status: Option<u16>,
    /// Header fields.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Said {
    /// Gives a refusal the header fields. Not one of a program that failed: what it said may be only half of it.
    pub(crate) fn of(self, refusal: Refusal) -> Refusal {
        match refusal.reason() {
            Reason::Internal { .. } => refusal,
            _ => refusal.with_headers(self.headers),
        }
    }

    /// Says the status of a success.
    pub(super) fn set_status(&mut self, status: u16) -> Result<(), AnswerError> {
        if !(200..300).contains(&status) {
            return Err(AnswerError::BadStatus { status });
        }
        self.status = Some(status);
        Ok(())
    }

    /// Adds a header field; `alone`: instead of those of the same name.
    pub(super) fn add(&mut self, (name, value): (HeaderName, HeaderValue), alone: bool) {
        if alone {
            self.headers.retain(|(own, _)| *own != name);
        }
        self.headers.push((name, value));
    }
}
