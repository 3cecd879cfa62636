//! Checks the parameter that is the whole body of a request: it needs a body, and it is the only parameter in the body.

use super::lowering::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::Location;

impl Lowering<'_> {
    /// Reports a whole body of requests without a body, and parameters that are parts of the same body.
    pub(super) fn check_whole_body(&mut self, all: &[LoweredParameter], context: &MethodContext<'_>) {
        let location = |lowered: &LoweredParameter| lowered.key.as_ref().map(|key| key.location);
        let Some(whole) = all.iter().find(|lowered| location(lowered) == Some(Location::WholeBody)) else { return };
        if context.has_no_body() {
            let message = format!("`{}` is the whole body, but {} has no body", whole.name, context.diagnostic_subject);
            let error = Diagnostic::new(DiagnosticCode::BodyNotAllowed, whole.span, message)
                .label("no body")
                .help("use POST, PUT or PATCH, or read the parameter from another part of the request");
            self.report_once(context.with_inheritance(error, whole));
            return;
        }
        let is_part = |lowered: &&LoweredParameter| {
            matches!(location(lowered), Some(Location::Body | Location::Any)) && !lowered.name.is_empty()
        };
        for part in all.iter().filter(is_part) {
            let message = format!("`{}` is a part of the body, but `{}` is the whole body", part.name, whole.name);
            self.report_once(
                Diagnostic::new(DiagnosticCode::NameCollision, part.span, message)
                    .label("part of the body")
                    .related(whole.span, "the whole body")
                    .help(
                        "read this parameter from the query, a header field or a cookie, or make it a field of the \
                         body's type",
                    ),
            );
        }
    }
}
