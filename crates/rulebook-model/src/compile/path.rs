//! Parses the path of a service into segments.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::Segment;
use crate::span::{Span, Spanned};

/// An error in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathError {
    /// The erroneous part, in bytes of the path.
    pub range: Range<usize>,
    /// The message of the diagnostic.
    pub message: String,
    /// The label of the erroneous part.
    pub label: &'static str,
    /// The help of the diagnostic: how to fix the error.
    pub help: String,
}

impl PathError {
    /// Returns the diagnostic for this error. `span` is the span of its range.
    pub(crate) fn into_diagnostic(self, span: Span) -> Diagnostic {
        Diagnostic::new(DiagnosticCode::BadUri, span, self.message).label(self.label).help(self.help)
    }
}

/// Parses a path.
///
/// # Errors
///
/// Returns every error of the path.
pub(crate) fn segments(path: &str) -> Result<Vec<Segment>, Vec<PathError>> {
    if path == "/" {
        return Ok(Vec::new());
    }
    let mut errors = Vec::new();
    let start = match path.strip_prefix('/') {
        Some(_) => 1,
        None => {
            errors.push(PathError {
                range: 0..path.len(),
                message: match path {
                    "" => "the path is empty".to_owned(),
                    _ => format!("the path `{path}` does not begin with `/`"),
                },
                label: "expected `/` at the beginning",
                help: format!("write `/{}`", path.trim_matches('/')),
            });
            0
        }
    };
    let mut segments = Vec::new();
    let mut captures = HashSet::new();
    let mut at = start;
    // Consecutive empty segments are one error. So are a missing `/` at the beginning and an additional `/` at the end.
    let mut is_reported = start == 0;
    let count = path[start..].split('/').count();
    for (index, text) in path[start..].split('/').enumerate() {
        let range = at..at + text.len();
        at = range.end + 1;
        if text.is_empty() {
            if !is_reported {
                errors.push(empty_segment(path, range.start, index > 0 && index + 1 == count));
            }
            is_reported = true;
            continue;
        }
        is_reported = start == 0;
        match parse_segment(text) {
            Ok(Segment::Capture(name)) if !captures.insert(text) => {
                errors.push(PathError {
                    range,
                    message: format!("the capture `{{{name}}}` occurs twice in the path `{path}`"),
                    label: "second occurrence",
                    help: "give each capture of a path a different name".to_owned(),
                });
            }
            Ok(segment) => segments.push(segment),
            Err((label, help)) => errors.push(PathError {
                range,
                message: format!("`{}` is not a valid path segment", text.escape_debug()),
                label,
                help: help.to_owned(),
            }),
        }
    }
    if errors.is_empty() { Ok(segments) } else { Err(errors) }
}

/// Returns the error for an empty segment that begins at byte `at`.
fn empty_segment(path: &str, at: usize, is_last: bool) -> PathError {
    if is_last {
        return PathError {
            range: at.saturating_sub(1)..at,
            message: format!("the path `{path}` ends in `/`"),
            label: "unexpected `/`",
            help: format!("write `{}`", path.trim_end_matches('/')),
        };
    }
    PathError {
        range: at.saturating_sub(1)..at,
        message: format!("the path `{path}` has an empty segment"),
        label: "nothing between two `/`",
        help: "separate the segments by a single `/`".to_owned(),
    }
}

/// Parses a segment, which must not be empty. If it is invalid, returns the label and the help of the diagnostic.
fn parse_segment(text: &str) -> Result<Segment, (&'static str, &'static str)> {
    let capture = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match capture {
        Some("") => Err(("capture without a name", "name the capture: `{id}`")),
        Some(name) if !name.contains(['{', '}']) => {
            if is_capture_name(name) {
                Ok(Segment::Capture(name.to_owned()))
            } else {
                Err(("invalid capture name", CAPTURE_NAME))
            }
        }
        _ if text.contains(['{', '}']) => {
            Err(("a capture must be a whole segment", "write the capture between two `/`, or remove the braces"))
        }
        // RFC 3986 section 5.2.4: `.` and `..` are removed before a request is sent.
        _ if matches!(text, "." | "..") => Err((
            "clients remove this segment before they send the request",
            "rename the segment: `.` and `..` are relative references in every URL",
        )),
        _ if text.chars().any(char::is_control) => Err((
            "contains a control character",
            "remove it; any other character can be written as it is, without percent-encoding",
        )),
        _ => Ok(Segment::Static(text.to_owned())),
    }
}

/// The rule for capture names, as the help of a diagnostic.
pub(crate) const CAPTURE_NAME: &str =
    "a capture name begins with an ASCII letter or `_`, followed by ASCII letters, digits, `_` and `-`";

/// Returns `true` if a capture may have this name.
pub(crate) fn is_capture_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '_' | '-'))
}

/// Returns the span of the part `range` of a path, and `true` if that part is in the last key of the path. The spans of
/// the parents' keys are not known, so parts in them get the span of the last key.
pub(crate) fn part_span(path: &Spanned<String>, range: &Range<usize>) -> (Span, bool) {
    let key_len = path.span.end.saturating_sub(path.span.start) as usize;
    let key_start = path.value.len().checked_sub(key_len);
    let key = key_start.and_then(|start| path.value.get(start..).map(|key| (start, key)));
    // If the key has escape sequences, its span can be longer than the path, or the start can be within a character.
    let Some((key_start, key)) = key else { return (path.span, range.end == path.value.len()) };
    if range.start < key_start {
        return (path.span, range.end >= key_start);
    }
    let key = Spanned::new(key.to_owned(), path.span);
    (key.part(range.start - key_start, range.end - key_start), true)
}
