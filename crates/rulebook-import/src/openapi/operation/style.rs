//! Converts how values of parameters and fields of forms are sent as texts.

use serde_json::{Map, Value as Json, json};

use crate::openapi::losses::{LossKind, Place};
use crate::openapi::schema::Converter;

/// Returns the attributes for an array that is sent as one text, and reports the serializations that a definition
/// cannot express. `object` can have the keys `style` and `explode`. `location` is that of the values: `query`, also
/// for the fields of a form, `header`, `path` or `cookie`. `term` is the type that was made of `schema`.
pub(super) fn style_attributes<'a>(
    converter: &mut Converter<'a>,
    (object, place): (&Json, &Place),
    location: &str,
    term: &str,
    schema: &'a Json,
) -> Map<String, Json> {
    let document = converter.document;
    let is_form = matches!(location, "query" | "cookie");
    let name = document.read_text(object, "style").unwrap_or(if is_form { "form" } else { "simple" });
    document.read_flag(object, "explode");
    let explode = object.get("explode").and_then(Json::as_bool).unwrap_or(name == "form");
    let term = term.trim_start_matches('?');
    let is_array = term.starts_with("array<");
    let separator = match name {
        "simple" => Some(","),
        "form" if !explode || location == "cookie" => Some(","),
        "spaceDelimited" if !explode => Some(" "),
        "pipeDelimited" if !explode => Some("|"),
        _ => None,
    };
    // Only the type `array` itself has these attributes, but not a schema with a name, or a union.
    let kinds = document.values(schema).kinds;
    let is_split = separator.is_some() && kinds[3] && kinds != [true; 5];
    let is_object = ["object", "map<"].iter().any(|name| term.starts_with(name));
    let is_expressible = match name {
        "form" | "simple" | "spaceDelimited" | "pipeDelimited" => !is_object && (is_array || !is_split),
        "deepObject" => true,
        _ => false,
    };
    if !is_expressible {
        let message = format!("the style `{}` of this parameter cannot be expressed", name.escape_debug());
        converter.losses.add(LossKind::STYLE, place, message);
    }
    let mut attributes = Map::new();
    if let Some(separator) = separator.filter(|_| is_array) {
        attributes.insert("format".to_owned(), json!("explode"));
        if separator != "," {
            attributes.insert("separator".to_owned(), json!(separator));
        }
    }
    attributes
}
