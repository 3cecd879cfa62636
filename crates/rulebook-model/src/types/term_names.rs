//! Finds the names of types and schemas in type expressions, without compiling them.

use std::ops::Range;

#[cfg(feature = "documents")]
use serde_json::{Map, Value as Json};

use super::grammar::{BracketContent, MAX_TERM_DEPTH, OutermostLevel, parse_outermost_level};

/// Returns the names in a term that can be names of types or schemas. The words of types such as `enum(a|b)` are not
/// names: `is_term_argument` returns for the name of a type, and for the index of an argument in the parentheses after
/// it, whether this argument is a term.
pub(crate) fn names_in_term<'t>(term: &'t str, is_term_argument: &dyn Fn(&str, usize) -> bool) -> Vec<&'t str> {
    let mut names = Vec::new();
    let start = usize::from(term.starts_with('?'));
    add_names(term, start..term.len(), 0, is_term_argument, &mut names);
    names
}

/// Adds the names in the term at `span` to `names`. A term with a syntax error has no further names. `depth` is the
/// number of terms around this term.
fn add_names<'t>(
    text: &'t str,
    span: Range<usize>,
    depth: usize,
    is_term_argument: &dyn Fn(&str, usize) -> bool,
    names: &mut Vec<&'t str>,
) {
    if span.is_empty() || depth >= MAX_TERM_DEPTH {
        return;
    }
    match parse_outermost_level(text, span) {
        Err(_) => {}
        Ok(OutermostLevel::Nullable(inner) | OutermostLevel::Array(inner)) => {
            add_names(text, inner, depth + 1, is_term_argument, names);
        }
        Ok(OutermostLevel::Named(name, brackets)) => {
            let name = &text[name];
            names.push(name);
            match brackets {
                BracketContent::None => {}
                BracketContent::Term(inner) => add_names(text, inner, depth + 1, is_term_argument, names),
                BracketContent::Arguments(spans) => {
                    let terms = spans.into_iter().enumerate().filter(|(index, _)| is_term_argument(name, *index));
                    terms.for_each(|(_, span)| add_names(text, span, depth + 1, is_term_argument, names));
                }
            }
        }
    }
}

/// Returns the names in a type, without its fields, that can be names of types or schemas. The type is in the canonical
/// notation.
#[cfg(feature = "documents")]
pub(super) fn names_in_type<'t>(term: &'t str, attributes: &'t Map<String, Json>) -> Vec<&'t str> {
    let mut names = names_in_term(term, &super::builtin::is_term_argument);
    let items = attributes.get(super::table::ITEMS_ATTRIBUTE).and_then(Json::as_object);
    names.extend(items.into_iter().flat_map(|items| names_in_type("", items)));
    let of: Vec<&Json> = match attributes.get(super::union::OF_ATTRIBUTE) {
        Some(Json::Array(types)) => types.iter().collect(),
        Some(Json::Object(types)) => types.values().collect(),
        _ => Vec::new(),
    };
    for nested in of.into_iter().chain(attributes.get(super::map::KEYS_ATTRIBUTE)) {
        match nested {
            Json::String(term) => names.extend(names_in_term(term, &super::builtin::is_term_argument)),
            Json::Object(members) => {
                names.extend(names_in_type(members.get("type").and_then(Json::as_str).unwrap_or_default(), members));
            }
            _ => {}
        }
    }
    names
}
