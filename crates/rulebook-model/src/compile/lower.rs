//! The state while a definition is lowered: converted from the parsed definition to the model.

use jiff::tz::TimeZone;

use super::api::ResponseRegistry;
use super::function::FunctionRef;
use crate::definition::dialect_spec::DialectSpec;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::EnvelopeName;
use crate::span::{Span, Spanned};
use crate::types::Types;

/// The state while a definition is lowered: what its parts refer to, and the diagnostics so far.
pub(crate) struct Lowering<'a> {
    /// The types that the definition can use.
    pub types: &'a Types,
    /// The envelopes and formats that the definition can use.
    pub responses: &'a ResponseRegistry,
    /// The time zone of dates and times without an offset.
    pub timezone: TimeZone,
    /// The envelope of modules that do not set one. `None` if the settings name an unknown envelope.
    pub envelope: Option<EnvelopeName>,
    /// `true` if methods can respond with JSONP, unless a method sets the option `jsonp` itself.
    pub jsonp: bool,
    /// `true` if the settings have an invalid base path.
    pub has_invalid_base: bool,
    /// The dialect of the module that is being converted.
    pub spec: &'static DialectSpec,
    /// The functions that the converted parts of the definition refer to.
    pub functions: Vec<Spanned<FunctionRef>>,
    /// The errors so far.
    pub diagnostics: Vec<Diagnostic>,
}

impl Lowering<'_> {
    /// Reports an error.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error unless an error with the same code and span was reported before. A common parameter is checked
    /// with every method that inherits it, but its errors are reported once.
    pub(super) fn report_once(&mut self, diagnostic: Diagnostic) {
        let range = |span: Span| (span.file, span.start, span.end);
        let is_same = |other: &Diagnostic| other.code == diagnostic.code && range(other.span) == range(diagnostic.span);
        if !self.diagnostics.iter().any(is_same) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Returns the required description of `subject` ("the method `GET`"), whose name is at `span`. Reports a missing
    /// or blank description and returns an empty string. If `incomplete` is `true`, a missing description is not
    /// reported, because the parser may have reported and omitted it.
    pub(super) fn required_description(
        &mut self,
        info: Option<&Spanned<String>>,
        subject: &str,
        span: Span,
        incomplete: bool,
    ) -> String {
        let key = self.spec.info_key;
        match info {
            Some(info) if !info.value.trim().is_empty() => return info.value.clone(),
            Some(blank) => self.report(
                Diagnostic::new(DiagnosticCode::MissingInfo, blank.span, format!("the `{key}` of {subject} is blank"))
                    .label("blank")
                    .help("describe it in a few words, for the documents"),
            ),
            None if incomplete => {}
            None => self.report(
                Diagnostic::new(DiagnosticCode::MissingInfo, span, format!("{subject} has no `{key}`"))
                    .label(format!("`{key}` is missing"))
                    .help(format!("describe it in a few words, for the documents: `\"{key}\": \"…\"`")),
            ),
        }
        String::new()
    }
}
