//! The shapes of paths. The shape of a path is the path without the names of its captures, such as `/articles/{`. Two
//! paths with the same shape match the same requests.

use crate::model::Segment;

/// The notation of a capture in a shape. It is unambiguous, because static segments contain no braces. It is as long as
/// the shortest value of a capture, so that a shape is never longer than a path that it describes.
const CAPTURE_SHAPE: &str = "/{";

/// Returns the shape of a path. The shape of the root path is empty.
pub(crate) fn path_shape(path: &[Segment]) -> String {
    let mut shape = String::new();
    for segment in path {
        push_segment_shape(&mut shape, segment.static_text());
    }
    shape
}

/// Adds the shape of one more segment to the shape of a path. `static_text` is the text of a static segment; `None` if
/// the segment is a capture or a position.
pub(crate) fn push_segment_shape(shape: &mut String, static_text: Option<&str>) {
    match static_text {
        Some(text) => shape.extend(["/", text]),
        None => shape.push_str(CAPTURE_SHAPE),
    }
}

/// Converts a segment or a shape to lower case, for comparisons that ignore case.
pub(crate) fn fold_case(text: &str) -> String {
    text.to_lowercase()
}
