//! Renders a diagnostic for a terminal, in the style of rustc.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::source::{Source, SourcePosition};
use super::{Diagnostic, Sources};
use crate::span::Span;

/// The maximum number of characters that are underlined, because a span may be a whole object.
const MAX_UNDERLINED: usize = 80;

/// The maximum number of lines between two spans that are shown in the same snippet.
const MAX_LINE_GAP: usize = 200;

/// The maximum length in bytes of a line that is shown in full. Of a longer line, only the parts around the spans are
/// shown, because a whole definition may be one line, and each of its errors would repeat that line.
const MAX_LINE_BYTES: usize = 16_000;

/// The number of bytes that are shown before and after the spans in a longer line; more than a terminal can show.
const CONTEXT_BYTES: usize = 400;

/// A span of a diagnostic with its label.
struct Marker<'a> {
    file: u32,
    source: &'a Source,
    position: SourcePosition,
    kind: AnnotationKind,
    label: &'a str,
}

/// Renders a diagnostic: the code and the message, the position, the lines with the marked text, and the help. The
/// result does not end in a line break.
pub(super) fn render_diagnostic(sources: &Sources, diagnostic: &Diagnostic, color: bool) -> String {
    let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.code.entry().name);
    let mut group = Group::with_title(title);
    for snippet in group_into_snippets(diagnostic_markers(sources, diagnostic)) {
        group = render_snippet(group, &snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// Returns the spans of a diagnostic, beginning with the span of the error itself.
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

/// Groups markers that are close to each other in the same file.
fn group_into_snippets(markers: Vec<Marker<'_>>) -> Vec<Vec<Marker<'_>>> {
    let mut snippets: Vec<Vec<Marker<'_>>> = Vec::new();
    for marker in markers {
        let is_close = |snippet: &&mut Vec<Marker<'_>>| {
            snippet.iter().any(|other| {
                other.file == marker.file && other.position.line.abs_diff(marker.position.line) <= MAX_LINE_GAP
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
    // The renderer receives only the lines from the first to the last marker, so its cost does not depend on the file
    // size.
    let lines = || markers.iter().map(|marker| marker.position.line);
    let top = lines().min().unwrap_or(1);
    let bottom = lines().max().unwrap_or(top);
    let (start, end) = (source.line(top).start, source.line(bottom).end);
    if top < bottom || end - start <= MAX_LINE_BYTES {
        let snippet = Snippet::source(&source.text[start..end]).path(path).line_start(top);
        return group.element(snippet.annotations(markers.iter().map(|marker| marker_annotation(marker, start))));
    }
    let bytes = || markers.iter().map(|marker| &marker.position.bytes);
    let from = bytes().map(|bytes| bytes.start).min().unwrap_or(start).saturating_sub(CONTEXT_BYTES).max(start);
    let to = bytes().map(|bytes| bytes.end.min(bytes.start + MAX_LINE_BYTES)).max().unwrap_or(end);
    let start = source.char_boundary(from);
    let end = source.char_boundary((to + CONTEXT_BYTES).min(end));
    // The snippet does not begin at the beginning of the line, so the renderer cannot compute the column.
    let origin = Origin::path(path).line(top).char_column(first.position.column);
    let snippet = Snippet::source(&source.text[start..end]).line_start(top);
    group.element(origin).element(snippet.annotations(markers.iter().map(|marker| marker_annotation(marker, start))))
}

fn marker_annotation<'a>(marker: &Marker<'a>, start: usize) -> Annotation<'a> {
    let bytes = &marker.position.bytes;
    let limit = marker.source.text[bytes.clone()].char_indices().nth(MAX_UNDERLINED);
    let end = limit.map_or(bytes.end, |(at, _)| bytes.start + at);
    let label = (!marker.label.is_empty()).then(|| normalize_untrusted_str(marker.label));
    marker.kind.span(bytes.start - start..end - start).label(label)
}
