//! All faults of a definition together.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;

use serde::Serialize;

use super::{Diagnostic, Sources, render};

/// What is wrong with a definition: every fault of every file.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The files that the places point into.
    pub sources: Sources,
    /// The faults, in the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
}

/// A diagnostic for programs.
#[derive(Serialize)]
struct Line<'a> {
    code: &'static str,
    message: &'a str,
    /// The file's path; empty where no file takes part.
    file: String,
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    help: Option<&'a str>,
}

impl Report {
    /// A report of these faults, in whatever order they were found, each once: what two methods have in common
    /// is judged with both.
    #[must_use]
    pub fn new(sources: Sources, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(|diagnostic| {
            let place = diagnostic.place;
            (place.file, place.start, place.end)
        });
        let mut told = HashSet::new();
        diagnostics.retain(|Diagnostic { code, place, message, .. }| {
            told.insert((place.file, place.start, place.end, *code, message.clone()))
        });
        Self { sources, diagnostics }
    }

    /// Whether there is no fault.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The faults for a terminal, a blank line between two; in colour where `color` says so.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&render::diagnostic(&self.sources, diagnostic, color));
            text.push('\n');
        }
        text
    }

    /// The faults for programs: a JSON object with `code`, `message`, `file`,
    /// `line`, `column` (both from 1, columns in characters) and `help` (null
    /// where there is none) on a line each.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            let source = self.sources.get(diagnostic.place.file);
            let location = source.map(|source| source.locate(diagnostic.place));
            let line = Line {
                code: diagnostic.code.row().name,
                message: &diagnostic.message,
                file: source.map_or_else(String::new, |source| source.path.display().to_string()),
                line: location.as_ref().map_or(1, |location| location.line),
                column: location.as_ref().map_or(1, |location| location.column),
                help: diagnostic.help.as_deref(),
            };
            // Strings and numbers always serialise.
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
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
