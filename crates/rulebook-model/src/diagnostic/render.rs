//! Renders a diagnostic for a terminal, in the style of the Rust compiler. Only parts of the source file are shown;
//! each shown part is called a snippet.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::source::{Source, SourcePosition};
use super::{Diagnostic, Sources};
use crate::span::Span;

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

/// Renders a diagnostic: the code and the message, the position, the lines that contain the error, and the help text.
pub(super) fn render_diagnostic(sources: &Sources, diagnostic: &Diagnostic, color: bool) -> String {
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
