//! The kinds of JSON values that a schema accepts.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{is_true, items, members, reference_of, type_names};
use crate::import::document::Document;

/// The kinds of JSON values, without null. A whole number is a number.
pub(super) const KINDS: [&str; 5] = ["boolean", "number", "string", "array", "object"];

/// The maximum depth of references and branches that is searched.
const MAX_DEPTH: usize = 32;

/// The maximum number of schemas that are searched for one. Schemas that refer twice to others would be searched very
/// often.
const MAX_SEARCHED: usize = 2000;

/// What is known of the values of a schema.
#[derive(Debug, Clone, Default)]
pub(in crate::import) struct Values {
    /// For each of [`KINDS`], whether a value can have this kind.
    pub kinds: [bool; 5],
    /// All values, if they are constants.
    pub constants: Option<Vec<Json>>,
    /// `true` if all numbers are whole.
    pub is_whole: bool,
}

impl Values {
    fn anything() -> Self {
        Self { kinds: [true; 5], ..Self::default() }
    }

    fn of_constants(constants: &[Json]) -> Self {
        let mut kinds = [false; 5];
        for constant in constants {
            if let Some(index) = kind_index(constant) {
                kinds[index] = true;
            }
        }
        Self { kinds, constants: Some(constants.to_vec()), is_whole: false }
    }
}

impl<'a> Document<'a> {
    /// Returns the kinds of the values of a schema.
    pub(super) fn values(self, schema: &'a Json) -> Values {
        let key = std::ptr::from_ref(schema);
        if let Some(known) = self.known_values.borrow().get(&key) {
            return known.clone();
        }
        let values = self.values_at(schema, 0, &mut 0);
        self.known_values.borrow_mut().insert(key, values.clone());
        values
    }

    fn values_at(self, schema: &'a Json, depth: usize, searched: &mut usize) -> Values {
        *searched += 1;
        if depth > MAX_DEPTH || *searched > MAX_SEARCHED || schema.is_boolean() {
            return Values::anything();
        }
        if let Some(reference) = reference_of(schema) {
            let target = self.find(reference);
            return target.map_or_else(Values::anything, |(target, _)| self.values_at(target, depth + 1, searched));
        }
        if let Some(constant) = schema.get("const") {
            return Values::of_constants(std::slice::from_ref(constant));
        }
        if let Some(constants) = schema.get("enum").and_then(Json::as_array) {
            return Values::of_constants(constants);
        }
        let mut values = Values { is_whole: true, ..Values::default() };
        let names = match type_names(schema) {
            names if names.is_empty() => self.implied_type(schema).into_iter().collect(),
            names => names,
        };
        for name in &names {
            let kind = if *name == "integer" { "number" } else { name };
            values.is_whole &= *name != "number";
            KINDS.iter().zip(&mut values.kinds).for_each(|(known, accepts)| *accepts |= *known == kind);
        }
        if !names.is_empty() {
            return values;
        }
        // All parts of `allOf` accept a value; one of them says of which kind it is.
        let mut parts = items(schema.get("allOf")).iter().map(|part| self.values_at(part, depth + 1, searched));
        if let Some(part) = parts.find(|part| part.kinds.contains(&false)) {
            return part;
        }
        let Some(branches) = ["oneOf", "anyOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array()) else {
            return Values::anything();
        };
        let mut constants = Some(Vec::new());
        for branch in branches.iter().filter(|branch| !is_null(branch)) {
            let branch = self.values_at(branch, depth + 1, searched);
            values.kinds.iter_mut().zip(branch.kinds).for_each(|(kind, more)| *kind |= more);
            values.is_whole &= branch.is_whole;
            constants = constants.zip(branch.constants).map(|(one, other)| [one, other].concat());
        }
        Values { constants, ..values }
    }

    /// Returns the type of a schema without `type` that its keywords imply. Keywords of texts and numbers imply no
    /// type: other values are valid, too.
    pub(super) fn implied_type(self, schema: &Json) -> Option<&'static str> {
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.get(*keyword).is_some());
        if has(&["properties", "additionalProperties", "patternProperties", "propertyNames", "required"]) {
            Some("object").filter(|_| !has(&["allOf", "oneOf", "anyOf"]) || has(&["properties"]))
        } else {
            has(&["items", "minItems", "maxItems"]).then_some("array")
        }
    }

    /// Returns `true` if a schema accepts null.
    pub(in crate::import) fn is_nullable(self, schema: &'a Json) -> bool {
        self.is_nullable_at(schema, 0, &mut HashSet::new())
    }

    fn is_nullable_at(self, schema: &'a Json, depth: usize, seen: &mut HashSet<&'a str>) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        if let Some(reference) = reference_of(schema) {
            if is_true(schema, "nullable") {
                return true;
            }
            let target = self.find(reference).filter(|_| seen.insert(reference));
            return target.is_some_and(|(target, _)| self.is_nullable_at(target, depth + 1, seen));
        }
        if is_true(schema, "nullable") || is_null(schema) {
            return true;
        }
        if items(schema.get("type")).iter().any(|name| name == "null")
            || items(schema.get("enum")).contains(&Json::Null)
        {
            return true;
        }
        let mut branches = ["oneOf", "anyOf"].iter().flat_map(|keyword| items(schema.get(*keyword)));
        if branches.any(|branch| self.is_nullable_at(branch, depth + 1, seen)) {
            return type_names(schema).is_empty();
        }
        // Null is a value of all parts. A part without a type, such as a note, accepts it, too.
        let parts = items(schema.get("allOf"));
        let is_note = |part: &&'a Json| {
            let values = self.values(part);
            values.kinds == [true; 5] && values.constants.is_none() && reference_of(part).is_none()
        };
        let mut typed = parts.iter().filter(|part| !is_note(part)).peekable();
        typed.peek().is_some() && typed.all(|part| self.is_nullable_at(part, depth + 1, seen))
    }
}

/// Returns `true` if null is the only value of a schema.
pub(super) fn is_null(schema: &Json) -> bool {
    let is_null_constant = |constants: &[Json]| !constants.is_empty() && constants.iter().all(Json::is_null);
    schema.get("type").is_some_and(|name| name == "null")
        || schema.get("const").is_some_and(Json::is_null)
        || is_null_constant(items(schema.get("enum")))
        // OpenAPI 3.0 has no type for null; descriptions write an empty schema that is nullable.
        || (is_true(schema, "nullable") && members(Some(schema)).len() == 1)
}

/// Returns the index in [`KINDS`] of a value's kind; `None` for null.
fn kind_index(json: &Json) -> Option<usize> {
    match json {
        Json::Null => None,
        Json::Bool(_) => Some(0),
        Json::Number(_) => Some(1),
        Json::String(_) => Some(2),
        Json::Array(_) => Some(3),
        Json::Object(_) => Some(4),
    }
}
