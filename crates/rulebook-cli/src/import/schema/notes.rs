//! Reports the parts of schemas that types do not have: notes for readers, and keywords.

use serde_json::{Value as Json, json};

use super::{Converter, LossKind, Place, items, members, text, type_names};

/// The maximum size of an example, in bytes.
const MAX_EXAMPLE_BYTES: usize = 300;

/// The keywords that are notes for readers. A definition has neither these nor anything instead.
const NOTES: [&str; 7] = ["deprecated", "externalDocs", "readOnly", "writeOnly", "xml", "$comment", "discriminator"];

/// The keywords that every schema can have, and that [`Converter::convert`] or its callers read.
pub(super) const COMMON_KEYWORDS: [&str; 19] = [
    "$anchor",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "description",
    "enum",
    "example",
    "examples",
    "nullable",
    "oneOf",
    "required",
    "title",
    "type",
];

/// The common keywords that limit the values of the reference next to them.
const LIMITS: [&str; 6] = ["allOf", "anyOf", "const", "enum", "oneOf", "required"];

/// The keywords that require something only of values of one type.
const KEYWORDS_OF_TYPES: [(&str, &[&str]); 4] = [
    (
        "array",
        &["contains", "items", "maxContains", "maxItems", "minContains", "minItems", "prefixItems", "uniqueItems"],
    ),
    ("number", &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"]),
    (
        "object",
        &["additionalProperties", "maxProperties", "minProperties", "patternProperties", "properties", "propertyNames"],
    ),
    ("string", &["contentEncoding", "contentMediaType", "maxLength", "minLength", "pattern"]),
];

impl Converter<'_> {
    /// Returns the example of a schema, if it is short.
    pub(in crate::import) fn example(&mut self, schema: &Json, place: &Place) -> Option<Json> {
        let example = schema.get("example").or_else(|| schema.get("examples")?.as_array()?.first())?;
        if items(schema.get("examples")).len() > 1 {
            self.losses.add(LossKind::Example, &place.member("examples"), "only the first example is imported");
        }
        if example.is_null() {
            return None;
        }
        if example.to_string().len() > MAX_EXAMPLE_BYTES {
            let key = if schema.get("example").is_some() { "example" } else { "examples" };
            self.losses.add(LossKind::Example, &place.member(key), "the example is too long");
            return None;
        }
        Some(example.clone())
    }

    /// Reports notes for readers.
    pub(super) fn report_notes(&mut self, schema: &Json, place: &Place) {
        for note in NOTES {
            // A discriminator that `union` has read is not reported here.
            let is_union = ["oneOf", "anyOf"].iter().any(|keyword| schema.get(*keyword).is_some());
            if schema.get(note).is_some_and(|value| *value != json!(false)) && (note != "discriminator" || !is_union) {
                self.losses.add(LossKind::Annotation, &place.member(note), "the definition has no such note");
            }
        }
        if text(schema, "title").is_some() && text(schema, "description").is_some() {
            self.losses.add(LossKind::Annotation, &place.member("title"), "there is a description, too");
        }
    }

    /// Reports the branches next to the keyword that is converted.
    pub(super) fn report_branches(&mut self, schema: &Json, place: &Place, converted: &str) {
        for keyword in ["oneOf", "anyOf"] {
            if keyword != converted && schema.get(keyword).is_some() {
                let message = "the branches limit the values of the schema next to them";
                self.losses.add(LossKind::Constraint, &place.member(keyword), message);
            }
        }
    }

    /// Reports the keywords next to a reference.
    pub(super) fn report_siblings(&mut self, schema: &Json, place: &Place) {
        let is_kept = |keyword: &str| {
            (COMMON_KEYWORDS.contains(&keyword) && !LIMITS.contains(&keyword)) || keyword.starts_with("x-")
        };
        for keyword in members(Some(schema)).keys().filter(|keyword| !is_kept(keyword)) {
            self.losses.add(LossKind::Keyword, &place.member(keyword), "the keyword is next to a reference");
        }
    }

    /// Reports the keywords of a schema that no attribute expresses. `supported` are those that the type reads.
    pub(super) fn report_unsupported(&mut self, schema: &Json, place: &Place, supported: &[&str]) {
        // A keyword that is `false`, such as `uniqueItems`, requires nothing.
        let keywords = members(Some(schema)).iter().filter(|(_, value)| **value != json!(false));
        for keyword in keywords.map(|(keyword, _)| keyword.as_str()) {
            let is_known = supported.contains(&keyword) || COMMON_KEYWORDS.contains(&keyword);
            if !is_known && applies_to_type(keyword, schema) && !NOTES.contains(&keyword) && !keyword.starts_with("x-")
            {
                let message = "the type has no attribute for this keyword";
                self.losses.add(LossKind::Keyword, &place.member(keyword), message);
            }
        }
    }
}

/// Returns `true` if a keyword can require something of the values of a schema.
fn applies_to_type(keyword: &str, schema: &Json) -> bool {
    let names = type_names(schema);
    let row = KEYWORDS_OF_TYPES.iter().find(|(_, keywords)| keywords.contains(&keyword));
    let is_of_type = |name: &str| names.iter().any(|known| *known == name || (name == "number" && *known == "integer"));
    names.is_empty() || row.is_none_or(|(name, _)| is_of_type(name))
}
