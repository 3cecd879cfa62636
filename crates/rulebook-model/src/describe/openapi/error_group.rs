//! The errors that an operation describes in one response, and the envelopes in which they are sent.

use std::sync::Arc;

use serde_json::Value as Json;

use super::content::ResponseContent;
use super::error_classes::ErrorClass;
use super::sample_errors::error_examples;
use crate::envelope::{self, Envelope};
use crate::error::ErrorCode;
use crate::model::{DeclaredError, Method};

/// The errors that a method can respond with for one status. If the status is `None`, the group contains the errors
/// that any request can cause and for which the document has no other response.
pub(super) struct ErrorGroup<'m> {
    pub(super) status: Option<u16>,
    pub(super) classes: Vec<ErrorClass>,
    pub(super) declared: Vec<&'m DeclaredError>,
}

/// An envelope, and the schema of server errors in this envelope.
pub(super) struct ErrorEnvelope {
    pub(super) envelope: Arc<dyn Envelope>,
    pub(super) error_schema: Json,
}

impl ErrorEnvelope {
    /// Returns `true` if this envelope sends an error whose actual status is `real` with the status `status`. If
    /// `status` is `None`, returns `true` if this envelope sends the error with its actual status.
    pub(super) fn sends_error_with_status(&self, real: u16, status: Option<u16>) -> bool {
        envelope::response_status(&*self.envelope, real) == status.unwrap_or(real)
    }
}

/// Returns `true` if errors with this status have a separate response in the document. Otherwise the success response
/// describes them.
pub(super) fn is_separate_from_success(status: u16, used: &ErrorEnvelope, method: &Method) -> bool {
    status >= 400 && method.statuses().all(|success| status != envelope::response_status(&*used.envelope, success))
}

impl ErrorGroup<'_> {
    /// Returns `true` if any request can cause these errors, and all of them have the status of this group as their
    /// actual status.
    pub(super) fn contains_only_general_errors(&self) -> bool {
        let is_general = |class: &ErrorClass| class.is_general && self.status == Some(class.status());
        self.declared.is_empty() && self.classes.iter().all(is_general)
    }

    /// Returns the codes of the server errors in this group that `is_included` selects, without duplicates. Several
    /// classes can contain the same code.
    fn codes(&self, is_included: impl Fn(&ErrorClass, ErrorCode) -> bool) -> Vec<ErrorCode> {
        let mut codes = Vec::new();
        for class in &self.classes {
            for code in class.codes {
                if is_included(class, *code) && !codes.contains(code) {
                    codes.push(*code);
                }
            }
        }
        codes
    }

    /// Returns the content of these errors in the envelope `used`, or `None` if the envelope sends no error of this
    /// group with the group's status. `of_method` is `true` for the envelope of the method's API module. Only this
    /// envelope is used for errors that the method declares.
    pub(super) fn error_content(&self, used: &ErrorEnvelope, of_method: bool) -> Option<ResponseContent> {
        let is_sent = |real: u16| used.sends_error_with_status(real, self.status);
        let codes = self.codes(|class, code| (of_method || class.can_precede_routing) && is_sent(code.status().get()));
        let declared = self.declared.iter().copied().filter(|error| of_method && is_sent(error.status.get()));
        let declared: Vec<_> = declared.collect();
        let of_method = declared.iter().map(|error| used.envelope.declared_error_schema(error));
        let of_engine = (!codes.is_empty()).then(|| used.error_schema.clone());
        let alternatives: Vec<_> = of_method.chain(of_engine).collect();
        (!alternatives.is_empty()).then(|| ResponseContent {
            status: self.status.unwrap_or_default(),
            media_type: used.envelope.error_content_type().to_owned(),
            alternatives,
            examples: error_examples(&*used.envelope, &codes, &declared),
        })
    }

    /// Returns the titles of the errors that these envelopes send with the status of this group. If the errors of the
    /// group have different statuses, each title is followed by the status.
    pub(super) fn describe_errors(&self, envelopes: &[&ErrorEnvelope]) -> String {
        let is_sent = |code: ErrorCode| {
            envelopes.iter().any(|used| used.sends_error_with_status(code.status().get(), self.status))
        };
        let codes = self.codes(|_, code| is_sent(code));
        let titles = codes.iter().map(|code| match self.status {
            Some(_) => code.title().to_owned(),
            None => format!("{} ({})", code.title(), code.status().get()),
        });
        self.declared.iter().map(|error| error.info.clone()).chain(titles).collect::<Vec<_>>().join("; ")
    }
}
