//! Diagnostics, which are errors in definitions, and their presentation to users.
//!
//! This Rust module contains the table of diagnostic codes, the source files of a definition, and the functions that
//! render diagnostics for terminals and for programs. The Rust modules `definition` and `compile` find the errors. A
//! span is a range of bytes in a source file.

pub mod codes;

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};
use serde::Serialize;

pub use crate::suggest::closest_word;
pub use codes::DiagnosticCode;

use crate::invisible::escape_controls_in_json;
use crate::span::Span;
use crate::variables::hide_values;

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

    /// Sets the help text if there is one.
    pub(crate) fn help_if_some(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Sets the help text to "did you mean …?" if `word` resembles one of the known words. Otherwise the help text is
    /// not changed.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.help_if_some(closest_word(word, known).map(|suggestion| format!("did you mean `{suggestion}`?")))
    }
}

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
            text.push_str(&render_diagnostic(&self.sources, diagnostic, color));
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

/// A source file of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path of the file. It is relative to the current folder if the path of the definition's folder is relative.
    pub path: PathBuf,
    /// The text of the file, without a byte order mark. Invalid UTF-8 is replaced. The text is empty if the file could
    /// not be read.
    pub text: String,
    line_starts: Vec<usize>,
}

/// All source files of a definition, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// The position of a span in its file, as it is shown to users.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourcePosition {
    /// The line of the first character, counted from 1.
    pub line: usize,
    /// The column of the first character, in characters, counted from 1.
    pub column: usize,
    /// The range of bytes of the span on its first line. The range is empty if the span lies between two characters.
    pub bytes: Range<usize>,
}

impl Sources {
    /// Adds a file and returns the index of the file. Spans refer to the file by this index.
    pub fn add(&mut self, path: PathBuf, text: String) -> u32 {
        let file = self.next_index();
        self.files.push(Source::new(path, text));
        file
    }

    pub(crate) fn next_index(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// Returns the index of a file, which is added unless it is there already.
    fn index_of(&mut self, source: &Source) -> u32 {
        let known = self.files.iter().position(|known| known == source);
        let index = known.unwrap_or_else(|| {
            self.files.push(source.clone());
            self.files.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// Returns the file with the index `file`, or `None` if no such file exists.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }
}

impl Source {
    /// Creates the source file with a path and a text.
    #[must_use]
    pub fn new(path: PathBuf, text: String) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { path, text, line_starts }
    }

    /// Returns the position of a span in this file. If the span is outside of the text, or does not begin and end at
    /// character boundaries, the closest valid position is returned.
    #[must_use]
    pub fn locate(&self, span: Span) -> SourcePosition {
        let start = self.floor_char_boundary(span.start as usize);
        let mut line = self.line_starts.partition_point(|begin| *begin <= start);
        let mut range = self.line(line);
        // If the text ends with a line break, a span at the end of the text is shown at the end of the last line.
        if range.is_empty() && range.start == self.text.len() && line > 1 {
            line -= 1;
            range = self.line(line);
        }
        let start = start.min(range.end);
        let end = self.floor_char_boundary(span.end as usize).clamp(start, range.end);
        SourcePosition { line, column: self.text[range.start..start].chars().count() + 1, bytes: start..end }
    }

    /// Returns the last character boundary in the text that is not after the byte offset `offset`.
    fn floor_char_boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// Returns the range of bytes of a line, without the line break. Lines are counted from 1.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|index| self.line_starts.get(index));
        let start = start.copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let text = self.text[start..end].trim_end_matches('\n');
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }
}

/// The maximum number of characters of a span that are underlined, because a span may contain a whole object.
const MAX_UNDERLINED_CHARACTERS: usize = 80;

/// The maximum distance, in lines, of two spans that are shown in the same snippet.
const MAX_LINES_BETWEEN_SPANS: usize = 200;

/// The maximum length in bytes of a line that is shown in full, because a definition may be a single long line.
const MAX_LINE_BYTES: usize = 16_000;

/// The number of bytes before and after the spans in such a line, which is more than a line of a terminal can show.
const CONTEXT_BYTES: usize = 400;

struct Marker<'a> {
    file: u32,
    source: &'a Source,
    position: SourcePosition,
    kind: AnnotationKind,
    label: &'a str,
}

fn render_diagnostic(sources: &Sources, diagnostic: &Diagnostic, color: bool) -> String {
    let level = if diagnostic.is_warning { Level::WARNING } else { Level::ERROR };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name());
    let mut group = Group::with_title(title);
    let markers = diagnostic_markers(sources, diagnostic);
    if diagnostic.hides_line {
        for marker in &markers {
            group = group.element(position_of_marker(marker));
        }
    } else {
        for snippet in group_into_snippets(markers) {
            group = render_snippet(group, &snippet);
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    // The crate replaces all control characters in lines of the source except these.
    renderer.render(&[group]).replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}")
}

/// Returns a marker for each span of a diagnostic in a known file, beginning with that of the error itself.
fn diagnostic_markers<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Vec<Marker<'a>> {
    let marker = |span: Span, kind, label: &'a str| {
        let source = sources.get(span.file)?;
        Some(Marker { file: span.file, source, position: source.locate(span), kind, label })
    };
    let primary = marker(diagnostic.span, AnnotationKind::Primary, &diagnostic.label);
    let related = diagnostic.related.iter();
    let related = related.filter_map(|(span, label)| marker(*span, AnnotationKind::Context, label));
    primary.into_iter().chain(related).collect()
}

/// Groups markers that are close to each other in the same file. Each group is shown in one snippet.
fn group_into_snippets(markers: Vec<Marker<'_>>) -> Vec<Vec<Marker<'_>>> {
    let mut snippets: Vec<Vec<Marker<'_>>> = Vec::new();
    for marker in markers {
        let is_close = |snippet: &&mut Vec<Marker<'_>>| {
            snippet.iter().any(|other| {
                other.file == marker.file
                    && other.position.line.abs_diff(marker.position.line) <= MAX_LINES_BETWEEN_SPANS
            })
        };
        match snippets.iter_mut().find(is_close) {
            Some(snippet) => snippet.push(marker),
            None => snippets.push(vec![marker]),
        }
    }
    snippets
}

fn render_snippet<'a>(group: Group<'a>, markers: &[Marker<'a>]) -> Group<'a> {
    let Some(first) = markers.first() else {
        return group;
    };
    let source = first.source;
    let path = normalize_untrusted_str(&source.path.display().to_string());
    if source.text.is_empty() {
        return group.element(Origin::path(path));
    }
    // The renderer receives only the lines from the first marker to the last marker, so that its cost does not depend
    // on the size of the file.
    let lines = || markers.iter().map(|marker| marker.position.line);
    let top = lines().min().unwrap_or(1);
    let bottom = lines().max().unwrap_or(top);
    let (start, end) = (source.line(top).start, source.line(bottom).end);
    if top < bottom || end - start <= MAX_LINE_BYTES {
        let snippet = Snippet::source(&source.text[start..end]).path(path).line_start(top);
        return group.element(snippet.annotations(markers.iter().map(|marker| annotation_of_marker(marker, start))));
    }
    let bytes = || markers.iter().map(|marker| &marker.position.bytes);
    let from = bytes().map(|bytes| bytes.start).min().unwrap_or(start).saturating_sub(CONTEXT_BYTES).max(start);
    let to = bytes().map(|bytes| bytes.end.min(bytes.start + MAX_LINE_BYTES)).max().unwrap_or(end);
    let start = source.floor_char_boundary(from);
    let end = source.floor_char_boundary((to + CONTEXT_BYTES).min(end));
    // The snippet does not begin at the beginning of the line. Therefore the renderer cannot compute the column, which
    // is passed to it instead.
    let origin = Origin::path(path).line(top).char_column(first.position.column);
    let snippet = Snippet::source(&source.text[start..end]).line_start(top);
    group.element(origin).element(snippet.annotations(markers.iter().map(|marker| annotation_of_marker(marker, start))))
}

fn position_of_marker<'a>(marker: &Marker<'a>) -> Origin<'a> {
    let path = normalize_untrusted_str(&marker.source.path.display().to_string());
    Origin::path(path).line(marker.position.line).char_column(marker.position.column)
}

fn annotation_of_marker<'a>(marker: &Marker<'a>, start: usize) -> Annotation<'a> {
    let bytes = &marker.position.bytes;
    let limit = marker.source.text[bytes.clone()].char_indices().nth(MAX_UNDERLINED_CHARACTERS);
    let end = limit.map_or(bytes.end, |(at, _)| bytes.start + at);
    let label = (!marker.label.is_empty()).then(|| normalize_untrusted_str(marker.label));
    marker.kind.span(bytes.start - start..end - start).label(label)
}
