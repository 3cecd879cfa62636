//! Diagnostics, which are errors in definitions, and their presentation to users.
//!
//! This Rust module contains the table of diagnostic codes, the source files of a definition, and the functions that
//! render diagnostics for terminals and for programs. The Rust modules `definition` and `compile` find the errors. A
//! span is a range of bytes in a source file.

pub mod codes;
mod render;
mod report;
mod source;

use std::sync::Arc;

pub use codes::DiagnosticCode;
pub use report::Report;
pub use source::{Source, SourcePosition, Sources};

use crate::span::Span;
pub use crate::suggest::closest_word;

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
    /// A label of a few words, which is shown next to the text that has the error. It can be empty.
    pub label: String,
    /// Other spans that are involved in the error, each with a label. An example is the span of the first of two
    /// duplicate keys.
    pub related: Vec<(Span, String)>,
    /// A text that explains how to fix the error.
    pub help: Option<String>,
    /// `true` if the definition can be used nevertheless.
    pub is_warning: bool,
    /// `true` if the line with the error may contain a password, so that only its position is shown.
    pub hides_line: bool,
    /// The file that contains the span, if it is not a file of the definition, such as a file with a statement. A
    /// [`Report`] adds it to its source files.
    pub file: Option<Arc<Source>>,
}

impl Diagnostic {
    /// Creates a diagnostic without a label, related spans and help.
    pub fn new(code: DiagnosticCode, span: Span, message: impl Into<String>) -> Self {
        let (message, label, related) = (message.into(), String::new(), Vec::new());
        Self { code, message, span, label, related, help: None, is_warning: false, hides_line: false, file: None }
    }

    /// Shows only the position of the error, and not the line, which may contain a password.
    #[must_use]
    pub fn hide_line(mut self) -> Self {
        self.hides_line = true;
        self
    }

    /// Sets the file that contains the span, if it is not a file of the definition.
    #[must_use]
    pub fn in_file(mut self, file: Arc<Source>) -> Self {
        self.file = Some(file);
        self
    }

    /// Changes the error to a warning: the definition can be used nevertheless.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.is_warning = true;
        self
    }

    /// Sets the label: a few words that are shown next to the text that has the error.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another span that is involved in the error, with a label.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Sets the help text, which explains how to fix the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help text to "did you mean …?" if `word` resembles one of the known words. Otherwise the help text is
    /// not changed.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match closest_word(word, known) {
            Some(suggestion) => self.help(format!("did you mean `{suggestion}`?")),
            None => self,
        }
    }
}
