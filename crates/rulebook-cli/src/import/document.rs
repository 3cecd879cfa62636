//! The description as a JSON value, in which references are followed.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::losses::Place;
use super::schema::Values;

/// The pointer of the schemas that have names.
const SCHEMAS_POINTER: &str = "/components/schemas/";

/// The maximum number of references that are followed to one value.
const MAX_CHAIN: usize = 32;

/// An OpenAPI description.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub root: &'a Json,
    /// The kinds of values of schemas, by the addresses of the schemas.
    pub known_values: &'a RefCell<HashMap<*const Json, Values>>,
}

impl<'a> Document<'a> {
    /// Returns the value to which a reference leads, and its place. Returns `None` for references to other files, and
    /// for those that lead nowhere.
    pub(super) fn find(self, reference: &str) -> Option<(&'a Json, Place)> {
        let pointer = decode_percent(reference.strip_prefix('#')?);
        Some((self.root.pointer(&pointer)?, Place::new(&pointer)))
    }

    /// Follows the references of a value that is not a schema, such as a parameter. Returns the value and its place, or
    /// the reference that leads nowhere.
    pub(super) fn resolve(self, value: &'a Json, place: &Place) -> Result<(&'a Json, Place), String> {
        let (mut value, mut place) = (value, place.clone());
        for _ in 0..MAX_CHAIN {
            let Some(reference) = reference_of(value) else { return Ok((value, place)) };
            (value, place) = self.find(reference).ok_or_else(|| reference.to_owned())?;
        }
        Err(reference_of(value).unwrap_or_default().to_owned())
    }

    /// Returns the schemas that have names.
    pub(super) fn schemas(self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        let schemas = self.root.pointer(SCHEMAS_POINTER.trim_end_matches('/'));
        members(schemas).iter().map(|(name, schema)| (name.as_str(), schema))
    }
}

/// Returns the reference that a value consists of.
pub(super) fn reference_of(value: &Json) -> Option<&str> {
    value.get("$ref").and_then(Json::as_str)
}

/// Returns the key in `components/schemas` to which a reference leads; `None` if it leads elsewhere.
pub(super) fn schema_key(reference: &str) -> Option<String> {
    let pointer = decode_percent(reference.strip_prefix('#')?);
    let key = pointer.strip_prefix(SCHEMAS_POINTER).filter(|key| !key.contains('/'))?;
    Some(key.replace("~1", "/").replace("~0", "~"))
}

/// Returns the place of a schema that has a name.
pub(super) fn schema_place(key: &str) -> Place {
    Place::new(SCHEMAS_POINTER.trim_end_matches('/')).member(key)
}

/// Returns the members of an object; none if the value is missing or another value.
pub(super) fn members(value: Option<&Json>) -> &Map<String, Json> {
    static EMPTY: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Json::as_object).unwrap_or(&EMPTY)
}

/// Returns the items of an array; none if the value is missing or another value.
pub(super) fn items(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the text of a member that is not blank.
pub(super) fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// Returns `true` if a member is `true`.
pub(super) fn is_true(value: &Json, key: &str) -> bool {
    value.get(key).and_then(Json::as_bool) == Some(true)
}

/// Decodes the percent-encoding of a reference. An invalid escape is kept.
fn decode_percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let decoded = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).filter(|_| *first == b'%');
        match decoded.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
