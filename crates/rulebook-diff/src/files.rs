//! Compares the types of uploaded files, which have no JSON Schema.

use rulebook_model::types::{Arity, Check};
use serde_json::Value as Json;

use crate::includes::Inclusion;

/// Returns whether `wide` accepts all files of `narrow`; `None` if neither of them is a type of files. `limits` are the
/// limits `part` of both, which count without `max`.
pub(crate) fn includes_files(wide: &dyn Check, narrow: &dyn Check, limits: (u64, u64)) -> Option<Inclusion> {
    let is_file = |check: &dyn Check| matches!(check.arity(), Arity::File | Arity::Files);
    match (is_file(wide), is_file(narrow)) {
        (false, false) => return None,
        (true, true) => {}
        _ => return Some(Inclusion::Excluded(None)),
    }
    let [wide, narrow] = [wide, narrow].map(|check| check.type_expr().attributes);
    let number = |attributes: &serde_json::Map<String, Json>, name: &str| attributes.get(name).and_then(Json::as_u64);
    let is_min_included = number(&wide, "min").unwrap_or(0) <= number(&narrow, "min").unwrap_or(0);
    let max = |attributes, limit| number(attributes, "max").unwrap_or(limit);
    let is_max_included = max(&wide, limits.0) >= max(&narrow, limits.1);
    let is_listed = |name: &str| match (wide.get(name).and_then(Json::as_array), narrow.get(name)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(allowed), Some(narrow)) => {
            narrow.as_array().into_iter().flatten().all(|word| allowed.iter().any(|allowed| covers(allowed, word)))
        }
    };
    let is_included = is_min_included && is_max_included && is_listed("range") && is_listed("ext");
    Some(if is_included { Inclusion::Included } else { Inclusion::Excluded(None) })
}

/// Returns `true` if a media type or extension is another one, or a range such as `image/*` that contains it.
fn covers(allowed: &Json, word: &Json) -> bool {
    let (Some(range), Some(text)) = (allowed.as_str(), word.as_str()) else { return false };
    let in_range = |prefix: &str| text.starts_with(prefix);
    range == text || range == "*/*" || range.strip_suffix('*').filter(|it| it.ends_with('/')).is_some_and(in_range)
}
