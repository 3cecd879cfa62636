//! The path of a service: from its text to segments.

use std::collections::HashSet;
use std::ops::Range;

use super::lower::inside;
use crate::model::Segment;
use crate::place::{Place, Placed};

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathFault {
    /// The part at fault, in bytes of the path.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// A few words beside the caret.
    pub label: &'static str,
    /// What to do.
    pub help: Option<String>,
}

/// The segments of a path, or everything that is wrong with it.
pub(super) fn segments(path: &str) -> Result<Vec<Segment>, Vec<PathFault>> {
    if path == "/" {
        return Ok(Vec::new());
    }
    let mut faults = Vec::new();
    let start = match path.strip_prefix('/') {
        Some(_) => 1,
        None => {
            faults.push(PathFault {
                range: 0..path.len(),
                message: match path {
                    "" => "the path is empty".to_owned(),
                    _ => format!("the path `{path}` does not begin with `/`"),
                },
                label: "no `/` in front",
                help: Some(format!("write `/{}`", path.trim_matches('/'))),
            });
            0
        }
    };
    let mut segments = Vec::new();
    let mut captures = HashSet::new();
    let mut at = start;
    // Empty segments in a row are one fault, and so are a missing `/` in front with one too many at the end.
    let mut told = start == 0;
    let count = path[start..].split('/').count();
    for (index, text) in path[start..].split('/').enumerate() {
        let range = at..at + text.len();
        at = range.end + 1;
        if text.is_empty() {
            if !told {
                faults.push(empty(path, range.start, index > 0 && index + 1 == count));
            }
            told = true;
            continue;
        }
        told = start == 0;
        match segment(text) {
            Ok(Segment::Capture(name)) if !captures.insert(text) => {
                faults.push(PathFault {
                    range,
                    message: format!("the capture `{{{name}}}` stands twice in the path `{path}`"),
                    label: "the second one",
                    help: Some("give each capture of a path a name of its own".to_owned()),
                });
            }
            Ok(segment) => segments.push(segment),
            Err((label, help)) => faults.push(PathFault {
                range,
                message: format!("`{}` is no segment of a path", text.escape_debug()),
                label,
                help: Some(help.to_owned()),
            }),
        }
    }
    if faults.is_empty() { Ok(segments) } else { Err(faults) }
}

/// An empty segment that begins at byte `at`.
fn empty(path: &str, at: usize, last: bool) -> PathFault {
    if last {
        return PathFault {
            range: at.saturating_sub(1)..at,
            message: format!("the path `{path}` ends in `/`"),
            label: "one `/` too many",
            help: Some(format!("write `{}`", path.trim_end_matches('/'))),
        };
    }
    PathFault {
        range: at.saturating_sub(1)..at,
        message: format!("the path `{path}` has an empty segment"),
        label: "nothing between two `/`",
        help: Some("a path is segments that each stand behind one `/`".to_owned()),
    }
}

/// One segment that is not empty, or what is wrong with it and what to do.
fn segment(text: &str) -> Result<Segment, (&'static str, &'static str)> {
    let capture = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match capture {
        Some("") => Err(("a capture without a name", "name what it captures: `{id}`")),
        Some(name) if !name.contains(['{', '}']) => {
            if is_capture_name(name) {
                Ok(Segment::Capture(name.to_owned()))
            } else {
                Err(("not a name of a capture", CAPTURE_NAME))
            }
        }
        _ if text.contains(['{', '}']) => {
            Err(("a capture is a whole segment", "put the capture between two `/`: `/{id}/`, or leave the braces out"))
        }
        // RFC 3986 section 5.2.4.
        _ if matches!(text, "." | "..") => Err((
            "clients take it out before they send",
            "give the segment another name: `.` and `..` lead elsewhere in every URL",
        )),
        _ if text.chars().any(char::is_control) => {
            Err(("it has a control character", "leave it out; a segment is written decoded, with any other character"))
        }
        _ => Ok(Segment::Static(text.to_owned())),
    }
}

/// What a capture can be called.
pub(super) const CAPTURE_NAME: &str = "it begins with a letter or `_`; letters, digits, `_` and `-` of ASCII follow";

/// Whether a capture can be called so.
pub(super) fn is_capture_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '_' | '-'))
}

/// Where the part `range` of a path is written, as far as the path's own key says it: the keys above it are
/// written elsewhere. The second is whether the part lies in the own key.
pub(super) fn place(path: &Placed<String>, range: &Range<usize>) -> (Place, bool) {
    let written = path.place.end.saturating_sub(path.place.start) as usize;
    let above = path.value.len().checked_sub(written);
    let own = above.and_then(|above| path.value.get(above..).map(|own| (above, own)));
    // Only a key that is written with escapes is longer than the path or ends within a character.
    let Some((above, own)) = own else { return (path.place, range.end == path.value.len()) };
    if range.start < above {
        return (path.place, range.end >= above);
    }
    let own = Placed::new(own.to_owned(), path.place);
    (inside(&own, range.start - above, range.end - above), true)
}
