//! The names with brackets, such as `x[]` and `x[key]`, under which a query or a form can contain a parameter that is
//! an array or an object.

use std::collections::HashSet;

use serde_json::Value as Json;

use crate::model::{Location, Parameter};
use crate::types::{Check, SCHEMA_REFERENCE_PREFIX};

/// The key of a member in an example, if the type of the object declares no members.
const EXAMPLE_KEY: &str = "key";
/// The maximum number of references to schemas that lead from one to the next.
const MAX_DEPTH: usize = 8;

/// Returns an example of a field name with brackets that contains an item or a member of the parameter's value. Returns
/// `None` if the parameter is neither an array nor an object, or is not in a query or a body, or if its value has no
/// part that is a text.
pub(super) fn bracket_name(parameter: &Parameter) -> Option<String> {
    let is_field = matches!(parameter.from, Location::Query | Location::Body | Location::Any);
    if !is_field {
        return None;
    }
    let check = &*parameter.r#type.check;
    let keys = Search::default().keys_of_value(&check.schema(), check)?;
    (!keys.is_empty()).then(|| format!("{}{keys}", parameter.key))
}

/// The search for a part of a value that a field can contain as text.
#[derive(Default)]
struct Search {
    /// The keys of the schemas in which the search was made, or is being made. A recursive schema has no end.
    searched: HashSet<String>,
    /// The number of references that led to the current JSON Schema.
    depth: usize,
}

impl Search {
    /// Returns the brackets in the name of a field for a text in a value with this JSON Schema; empty if the value
    /// itself can be a text. `check` is the check of the type to which the JSON Schema belongs. Returns `None` if no
    /// part of the value can be a text.
    fn keys_of_value(&mut self, schema: &Json, check: &dyn Check) -> Option<String> {
        let reference = schema.get("$ref").and_then(Json::as_str);
        if let Some(key) = reference.and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
            if self.depth == MAX_DEPTH || !self.searched.insert(key.to_owned()) {
                return None;
            }
            let target = check.referenced_schemas().into_iter().find(|schema| schema.key() == key)?;
            self.depth += 1;
            let keys = self.keys_of_value(&target.check.schema(), &*target.check);
            self.depth -= 1;
            return keys;
        }
        let is = |kind: &str| match schema.get("type") {
            Some(Json::Array(kinds)) => kinds.iter().any(|name| name == kind),
            Some(name) => name == kind,
            None => false,
        };
        let mut inner = |schema: Option<&Json>| schema.map_or(Some(String::new()), |s| self.keys_of_value(s, check));
        if is("array") {
            let keys = inner(schema.get("items"))?;
            return Some(if keys.is_empty() { "[]".to_owned() } else { format!("[0]{keys}") });
        }
        if is("object") {
            let Some(members) = schema.get("properties").and_then(Json::as_object) else {
                let of_values = schema.get("additionalProperties").filter(|schema| schema.is_object());
                let key = schema.pointer("/propertyNames/enum/0").and_then(Json::as_str).unwrap_or(EXAMPLE_KEY);
                return Some(format!("[{key}]{}", inner(of_values)?));
            };
            return members.iter().find_map(|(name, member)| Some(format!("[{name}]{}", inner(Some(member))?)));
        }
        let keywords = ["anyOf", "oneOf", "allOf"];
        let Some(branches) = keywords.iter().find_map(|keyword| schema.get(*keyword)?.as_array()) else {
            return schema.get("type").is_none_or(|kind| kind != "null").then(String::new);
        };
        let keys: Vec<String> = branches.iter().filter_map(|branch| inner(Some(branch))).collect();
        let with_brackets = keys.iter().find(|keys| !keys.is_empty()).cloned();
        with_brackets.or_else(|| keys.into_iter().next())
    }
}
