//! The report of all errors in a definition.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;

use serde::Serialize;

use super::{Diagnostic, Sources, render};
use crate::invisible::escape_controls_in_json;
use crate::variables::hide_values;

/// All errors in all files of a definition.
///
/// ```
/// use rulebook_model::span::Span;
/// use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report, Sources};
///
/// let mut sources = Sources::default();
/// let file = sources.add("api/article.json".into(), "{ \"inof\": \"Articles\" }".to_owned());
/// let span = Span { file, start: 3, end: 7 };
/// let error = Diagnostic::new(DiagnosticCode::UnknownKey, span, "unknown key `inof` in a module")
///     .suggest("inof", ["info", "module"]);
/// let report = Report::new(sources, vec![error]);
/// assert!(report.to_string().contains("did you mean `info`?"));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The source files of the definition. The spans of the diagnostics refer to these files.
    pub sources: Sources,
    /// The errors, sorted by file and by position in the file.
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    code: &'static str,
    message: &'a str,
    /// The path of the file that has the error. Empty if the error is not in a file.
    file: String,
    /// The line of the error, counted from 1.
    line: usize,
    /// The column of the error, in characters, counted from 1.
    column: usize,
    /// What was expected at this place, or found there.
    label: &'a str,
    help: Option<&'a str>,
    /// `warning` for warnings; errors do not have this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
}

impl Report {
    /// Creates a report. The diagnostics are sorted, and duplicates are removed. Duplicates occur because parameters
    /// that several methods share are checked with each of these methods.
    #[must_use]
    pub fn new(mut sources: Sources, mut diagnostics: Vec<Diagnostic>) -> Self {
        for diagnostic in &mut diagnostics {
            if let Some(file) = diagnostic.file.take() {
                diagnostic.span.file = sources.index_of(&file);
            }
        }
        diagnostics.sort_by_key(|diagnostic| {
            let span = diagnostic.span;
            (span.file, span.start, span.end)
        });
        diagnostics.iter_mut().for_each(|diagnostic| hide_values(diagnostic, &sources));
        let mut seen = HashSet::new();
        diagnostics.retain(|Diagnostic { code, span, message, .. }| {
            seen.insert((span.file, span.start, span.end, *code, message.clone()))
        });
        Self { sources, diagnostics }
    }

    /// Returns `true` if the definition has no errors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Renders the errors for a terminal, with a blank line between two errors. If `color` is `true`, the text contains
    /// color codes.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&render::render_diagnostic(&self.sources, diagnostic, color));
            text.push('\n');
        }
        text
    }

    /// Renders the errors for programs. Each line is a JSON object with the members `code`, `message`, `file`, `line`,
    /// `column`, `label` and `help`. Lines and columns are counted from 1, and columns in characters. `label` is the
    /// text below the line in the other format; `help` is null if the error has no help text. Warnings also have the
    /// member `level` with the value `warning`.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            let source = self.sources.get(diagnostic.span.file);
            let position = source.map(|source| source.locate(diagnostic.span));
            let line = JsonLine {
                code: diagnostic.code.name(),
                message: &diagnostic.message,
                file: source.map_or_else(String::new, |source| source.path.display().to_string()),
                line: position.as_ref().map_or(1, |position| position.line),
                column: position.as_ref().map_or(1, |position| position.column),
                label: if diagnostic.hides_line { "" } else { &diagnostic.label },
                help: diagnostic.help.as_deref(),
                level: diagnostic.is_warning.then_some("warning"),
            };
            // Serializing strings and numbers cannot fail.
            text.push_str(&escape_controls_in_json(&serde_json::to_string(&line).unwrap_or_default()));
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl Error for Report {}
