//! Diagnostics: the errors of a definition, and their presentation to users.
//!
//! This module contains the table of codes, the source files that spans refer to, and the renderers for terminals and
//! for programs. The modules `definition` and `compile` find the errors.

pub mod codes;
mod render;
mod report;
mod source;

pub use codes::DiagnosticCode;
pub use report::Report;
pub use source::{Source, SourcePosition, Sources};

use crate::span::Span;
pub use crate::suggest::closest;

/// An error in a definition.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The code of the error.
    pub code: DiagnosticCode,
    /// The description of the error, in one line.
    pub message: String,
    /// The span of the text that has the error.
    pub span: Span,
    /// A few words next to the marked text; may be empty.
    pub label: String,
    /// Other spans that are involved, each with its label, such as the first of two duplicates.
    pub related: Vec<(Span, String)>,
    /// How to fix the error.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Creates a diagnostic without label and help.
    pub fn new(code: DiagnosticCode, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: String::new(), related: Vec::new(), help: None }
    }

    /// Sets the label, a few words that are shown next to the marked text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another span that is involved, with its label.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Sets the help: how to fix the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help to "did you mean …?" if `word` resembles one of the known words. Otherwise the help is not
    /// changed.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(word, known) {
            Some(suggestion) => self.help(format!("did you mean `{suggestion}`?")),
            None => self,
        }
    }
}
