//! Parses the path of a service, such as `/article/{id}`, into segments.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::Segment;
use crate::span::{Span, Spanned};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathError {
    /// The range of the error in the path, in bytes.
    pub range: Range<usize>,
    pub message: String,
    /// The short text that is shown below the marked range.
    pub label: &'static str,
    /// The advice how to fix the error.
    pub help: String,
}

impl PathError {
    /// Converts the error to a diagnostic. `span` is the span of `range` in the definition file.
    pub(crate) fn into_diagnostic(self, span: Span) -> Diagnostic {
        Diagnostic::new(DiagnosticCode::BadUri, span, self.message).label(self.label).help(self.help)
    }
}

/// Parses the path of a service, or the base path of the API. Returns all errors of the path.
pub(crate) fn parse_path(path: &str) -> Result<Vec<Segment>, Vec<PathError>> {
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
    // Only one error is reported for consecutive empty segments, and only one for a path that lacks the `/` at the
    // beginning and has empty segments.
    let mut is_reported = start == 0;
    let count = path[start..].split('/').count();
    for (index, text) in path[start..].split('/').enumerate() {
        let range = at..at + text.len();
        at = range.end + 1;
        if text.is_empty() {
            if !is_reported {
                errors.push(empty_segment_error(path, range.start, index > 0 && index + 1 == count));
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

/// Returns the error for an empty segment at the byte `at` of `path`. `is_last` is `true` if it is the last segment.
fn empty_segment_error(path: &str, at: usize, is_last: bool) -> PathError {
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

/// Parses one segment of a path, which must not be empty. An error is the label and the help of the diagnostic.
fn parse_segment(text: &str) -> Result<Segment, (&'static str, &'static str)> {
    let capture = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match capture {
        Some("") => Err(("capture without a name", "name the capture: `{id}`")),
        Some(name) if !name.contains(['{', '}']) => {
            if is_capture_name(name) {
                Ok(Segment::Capture(name.to_owned()))
            } else {
                Err(("invalid capture name", CAPTURE_NAME_RULE))
            }
        }
        _ if text.contains(['{', '}']) => {
            Err(("a capture must be a whole segment", "write the capture between two `/`, or remove the braces"))
        }
        // Clients remove the segments `.` and `..` before they send a request (RFC 3986 section 5.2.4).
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

/// The rule for capture names, as the help text of a diagnostic.
pub(crate) const CAPTURE_NAME_RULE: &str =
    "a capture name begins with an ASCII letter or `_`, followed by ASCII letters, digits, `_` and `-`";

pub(crate) fn is_capture_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '_' | '-'))
}

/// Returns the span of the bytes `range` of a path, and `true` if these bytes are in the last key of the path. Only the
/// span of the last of the nested keys is known, so a range in an earlier key gets the span of the last key.
pub(crate) fn span_of_range(path: &Spanned<String>, range: &Range<usize>) -> (Span, bool) {
    let key_len = path.span.end.saturating_sub(path.span.start) as usize;
    let key_start = path.value.len().checked_sub(key_len);
    let key = key_start.and_then(|start| path.value.get(start..).map(|key| (start, key)));
    // If the key has JSON escape sequences, its span can be longer than the path, or `key_start` can be within a
    // character.
    let Some((key_start, key)) = key else { return (path.span, range.end == path.value.len()) };
    if range.start < key_start {
        return (path.span, range.end >= key_start);
    }
    let key = Spanned::new(key.to_owned(), path.span);
    (key.part(range.start - key_start, range.end - key_start), true)
}
