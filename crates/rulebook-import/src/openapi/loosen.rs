//! Replaces types of the definition by looser ones.

use serde_json::{Map, Value as Json};

use super::repair::member_mut;
use super::schema::ORIGIN_KEY;
use crate::members::MemberPath;

/// Replaces the type of the innermost parameter, output, field or schema on a path by a looser one. Returns its path
/// and the new type; `None` if no type is looser.
pub(super) fn loosen_nearest(content: &mut Json, path: &[String]) -> Option<(MemberPath, String)> {
    for length in (1..=path.len()).rev() {
        let Some(value) = member_mut(content, &path[..length]) else { continue };
        let is_schema = length == 2 && path[0] == "schemas";
        let Some(object) = value.as_object().filter(|object| object.contains_key(ORIGIN_KEY)) else { continue };
        let term = object.get("type").and_then(Json::as_str);
        if term.is_none() && !is_schema {
            return None;
        }
        let is_capture = path[length - 1].starts_with('{');
        let optional = if term.is_some_and(|term| term.starts_with('?')) && !is_capture { "?" } else { "" };
        let looser = if is_capture { "string".to_owned() } else { format!("{optional}any") };
        if term == Some(&looser) && object.len() <= 3 {
            return None;
        }
        loosen(value, &looser);
        return Some((path[..length].to_vec(), looser));
    }
    None
}

/// Replaces the type of a parameter, an output, a field or a schema, and removes its attributes.
pub(super) fn loosen(value: &mut Json, term: &str) {
    let Some(object) = value.as_object_mut() else { return };
    let mut looser = Map::new();
    for key in ["info", "name"] {
        looser.extend(object.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    looser.insert("type".to_owned(), term.into());
    looser.extend(object.shift_remove(ORIGIN_KEY).map(|value| (ORIGIN_KEY.to_owned(), value)));
    *object = looser;
}

/// Makes the fields of a schema that are schemas optional. Returns their number.
pub(super) fn make_references_optional(schema: &mut Json) -> usize {
    let Some(fields) = schema.get_mut("fields").and_then(Json::as_object_mut) else { return 0 };
    let mut count = 0;
    for field in fields.values_mut() {
        let Some(term) = field.get("type").and_then(Json::as_str) else { continue };
        let is_array = term.starts_with("array<") && field.get("min").is_none();
        let is_open = term.starts_with(|char: char| char.is_ascii_uppercase() || char == '_') || term == "object";
        if !is_array && (is_open || !term.starts_with('?')) {
            let optional = format!("?{term}");
            field["type"] = optional.into();
            count += 1;
        }
    }
    count
}
