//! Checks which methods can respond with JSONP.

use super::lower::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::call::{Callback, HttpMethod};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Method};
use crate::span::Spanned;

impl Lowering<'_> {
    /// Checks that a method with the option `jsonp` can respond with JSONP.
    pub(super) fn check_jsonp(&mut self, option: Option<&Spanned<bool>>, method: &Method, context: &MethodContext<'_>) {
        let Some(option) = option.filter(|option| option.value) else { return };
        let subject = context.subject;
        let error = |message: String| Diagnostic::new(DiagnosticCode::BadOption, option.span, message);
        if method.http != HttpMethod::Get {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, which browsers load with GET"))
                    .label("for GET only")
                    .related(context.span, "not GET")
                    .help("remove the option, or set it to `false`"),
            );
        } else if !method.scope.is_public() {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, since it requires permissions"))
                    .label("any web page could read the response")
                    .related(context.span, "requires permissions")
                    .help("remove the option, or make the method public"),
            );
        } else if method.options.download {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, since it returns a file"))
                    .label("a file is not a script")
                    .help("remove the option, or set it to `false`"),
            );
        }
    }

    /// Checks that no query parameter of a method that responds with JSONP is named `callback`.
    pub(super) fn check_jsonp_callback(
        &mut self,
        method: &Method,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) {
        if !method.allows_jsonp(self.jsonp) {
            return;
        }
        let conflict = parameters.iter().find(|lowered| {
            let in_query = |location| matches!(location, Location::Query | Location::Any);
            lowered.key.as_ref().is_some_and(|key| in_query(key.location) && key.name == Callback::PARAMETER)
        });
        let Some(lowered) = conflict else { return };
        let message = format!(
            "{} responds with JSONP, where `{}` is the name of the callback function",
            context.subject,
            Callback::PARAMETER
        );
        let error = Diagnostic::new(DiagnosticCode::ReservedName, lowered.span, message)
            .label("reserved")
            .help("rename the parameter, or set the method's option `\"jsonp\": false`");
        self.report_once(if lowered.inherited {
            error.related(context.span, "this method inherits the parameter")
        } else {
            error
        });
    }
}
