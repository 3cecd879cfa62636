//! One diagnostic for a terminal, in the manner of rustc.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::source::{Location, Source};
use super::{Diagnostic, Sources};
use crate::place::Place;

/// The most characters that are underlined: a place may be a whole object.
const MAX_UNDERLINED: usize = 80;

/// The most lines between two places that share one picture.
const MAX_LINES_BETWEEN: usize = 200;

/// The longest line that is handed over whole, in bytes. Of a longer one the part around its places is: a
/// definition may be one line, and each of its faults has a picture.
const MAX_LINE: usize = 16_000;

/// How much of a longer line is shown on either side of its places, in bytes: more than a terminal has room for.
const AROUND: usize = 400;

/// A place that takes part, with its words.
struct Mark<'a> {
    file: u32,
    source: &'a Source,
    location: Location,
    kind: AnnotationKind,
    words: &'a str,
}

/// Draws a diagnostic: code and words, where, the lines with their carets, help.
/// The text does not end in a line break.
pub(super) fn diagnostic(sources: &Sources, diagnostic: &Diagnostic, color: bool) -> String {
    let title = Level::ERROR.primary_title(diagnostic.message.as_str()).id(diagnostic.code.row().name);
    let mut group = Group::with_title(title);
    for picture in pictures(marks(sources, diagnostic)) {
        group = draw(group, &picture);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The places of a diagnostic, its own first.
fn marks<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Vec<Mark<'a>> {
    let mark = |place: Place, kind, words: &'a str| {
        let source = sources.get(place.file)?;
        Some(Mark { file: place.file, source, location: source.locate(place), kind, words })
    };
    let own = mark(diagnostic.place, AnnotationKind::Primary, &diagnostic.label);
    let others = diagnostic.others.iter();
    let others = others.filter_map(|(place, words)| mark(*place, AnnotationKind::Context, words));
    own.into_iter().chain(others).collect()
}

/// Puts places of one file that are near each other into one picture.
fn pictures(marks: Vec<Mark<'_>>) -> Vec<Vec<Mark<'_>>> {
    let mut pictures: Vec<Vec<Mark<'_>>> = Vec::new();
    for mark in marks {
        let near = |picture: &&mut Vec<Mark<'_>>| {
            picture.iter().any(|other| {
                other.file == mark.file && other.location.line.abs_diff(mark.location.line) <= MAX_LINES_BETWEEN
            })
        };
        match pictures.iter_mut().find(near) {
            Some(picture) => picture.push(mark),
            None => pictures.push(vec![mark]),
        }
    }
    pictures
}

/// Draws the places of one picture.
fn draw<'a>(group: Group<'a>, marks: &[Mark<'a>]) -> Group<'a> {
    let Some(first) = marks.first() else {
        return group;
    };
    let source = first.source;
    let path = normalize_untrusted_str(&source.path.display().to_string());
    if source.text.is_empty() {
        return group.element(Origin::path(path));
    }
    // Only the lines between the first and the last mark are handed over: a
    // picture costs what it shows, not what the file holds.
    let lines = || marks.iter().map(|mark| mark.location.line);
    let top = lines().min().unwrap_or(1);
    let bottom = lines().max().unwrap_or(top);
    let (start, end) = (source.line(top).start, source.line(bottom).end);
    if top < bottom || end - start <= MAX_LINE {
        let snippet = Snippet::source(&source.text[start..end]).path(path).line_start(top);
        return group.element(snippet.annotations(marks.iter().map(|mark| annotation(mark, start))));
    }
    let bytes = || marks.iter().map(|mark| &mark.location.bytes);
    let from = bytes().map(|bytes| bytes.start).min().unwrap_or(start).saturating_sub(AROUND).max(start);
    let to = bytes().map(|bytes| bytes.end.min(bytes.start + MAX_LINE)).max().unwrap_or(end);
    let start = source.boundary(from);
    let end = source.boundary((to + AROUND).min(end));
    // What the picture begins with is not what the line begins with, so where it is cannot be counted from it.
    let origin = Origin::path(path).line(top).char_column(first.location.column);
    let snippet = Snippet::source(&source.text[start..end]).line_start(top);
    group.element(origin).element(snippet.annotations(marks.iter().map(|mark| annotation(mark, start))))
}

fn annotation<'a>(mark: &Mark<'a>, start: usize) -> Annotation<'a> {
    let bytes = &mark.location.bytes;
    let shown = mark.source.text[bytes.clone()].char_indices().nth(MAX_UNDERLINED);
    let end = shown.map_or(bytes.end, |(at, _)| bytes.start + at);
    let label = (!mark.words.is_empty()).then(|| normalize_untrusted_str(mark.words));
    mark.kind.span(bytes.start - start..end - start).label(label)
}
