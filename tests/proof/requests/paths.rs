//! The paths of requests.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value as Json;

/// Returns `true` if a target also matches another path of the document, which has a static segment where this path has
/// a template. The server then prefers the other path, although the schema of the parameter accepts the text of the
/// segment.
pub(super) fn matches_other_path(document: &Json, path: &str, target: &str) -> bool {
    let segments = |path: &str| -> Vec<String> {
        let path = path.split('?').next().unwrap_or_default();
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().to_lowercase();
        path.split('/').skip(1).map(decode).collect()
    };
    let is_template = |segment: &str| segment.starts_with('{');
    let (path, target) = (segments(path), segments(target));
    let is_preferred = |other: &str| {
        let mut other = segments(other);
        // A service also has the paths that omit its last positions, if only with an error.
        let is_position = |segment: &String| is_template(segment);
        while other.len() > target.len() && other.last().is_some_and(is_position) {
            other.pop();
        }
        let matches = other.len() <= target.len()
            && other.iter().zip(&target).all(|(other, sent)| is_template(other) || other == sent);
        matches && other.iter().zip(&path).any(|(other, segment)| !is_template(other) && is_template(segment))
    };
    document["paths"].as_object().into_iter().flatten().any(|(other, _)| is_preferred(other))
}

/// Percent-encodes all characters of a text except letters and digits.
pub(super) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
