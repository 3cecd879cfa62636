//! How a request writes parameters that are arrays or objects: the names with brackets, such as `x[]` and `x[key]`,
//! under which a query or a form can contain them, and lists whose items are in one text.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::model::{Location, Parameter};
use crate::types::{Arity, Check, NamedSchema, kinds, reference_key};

/// The key of a member in an example, if the type of the object declares no members.
const EXAMPLE_KEY: &str = "key";
/// The maximum number of references to schemas that lead from one to the next.
const MAX_DEPTH: usize = 8;

/// An example of a field name with brackets that contains an item or a member of the value. `None` if the parameter is
/// neither an array nor an object, is not in a query or a body, or if its value has no part that is a text.
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
    depth: usize,
}

impl Search {
    /// The brackets in the name of a field for a text in the value; empty if the value itself can be a text, `None` if
    /// no part of it can. `check` is the check of the type to which the JSON Schema belongs.
    fn keys_of_value(&mut self, schema: &Json, check: &dyn Check) -> Option<String> {
        if let Some(key) = reference_key(schema) {
            if self.depth == MAX_DEPTH || !self.searched.insert(key.to_owned()) {
                return None;
            }
            let target = check.referenced_schemas().into_iter().find(|schema| schema.key() == key)?;
            self.depth += 1;
            let keys = self.keys_of_value(&target.check.schema(), &*target.check);
            self.depth -= 1;
            return keys;
        }
        let kinds = kinds(schema.get("type"));
        let mut inner = |schema: Option<&Json>| schema.map_or(Some(String::new()), |s| self.keys_of_value(s, check));
        if kinds.contains(&"array") {
            let keys = inner(schema.get("items"))?;
            return Some(if keys.is_empty() { "[]".to_owned() } else { format!("[0]{keys}") });
        }
        if kinds.contains(&"object") {
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

// The formats `explode` and `list` of arrays: how the items of a list are written in one text of a request.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListFormat<'a> {
    pub(super) separator: &'a str,
    /// `true` if blanks around the items are removed.
    pub(super) trims_items: bool,
}

impl<'a> ListFormat<'a> {
    /// `None` if a text contains only one item, or is JSON.
    pub(super) fn from_attributes(attributes: &'a Map<String, Json>) -> Option<Self> {
        let attribute = |name: &str| attributes.get(name).and_then(Json::as_str);
        let trims_items = match attribute("format") {
            Some("explode") => false,
            Some("list") => true,
            _ => return None,
        };
        Some(Self { separator: attribute("separator").unwrap_or(","), trims_items })
    }

    /// Returns the name of the separator in a sentence: "commas", or the separator itself in code.
    pub(super) fn separator_in_words(self, code: impl Fn(&str) -> String) -> String {
        match self.separator {
            "," => "commas".to_owned(),
            " " => "spaces".to_owned(),
            other => code(other),
        }
    }
}

/// If the type is the name of a schema, these are the attributes of the schema's type.
pub(super) fn type_attributes(check: &dyn Check) -> Map<String, Json> {
    let mut schema = schema_of_reference(check);
    while let Some(next) = schema.as_ref().and_then(|schema| schema_of_reference(&*schema.check)) {
        schema = Some(next);
    }
    schema.map_or_else(|| check.type_expr(), |schema| schema.check.type_expr()).attributes
}

fn schema_of_reference(check: &dyn Check) -> Option<Arc<NamedSchema>> {
    let referenced = check.referenced_schemas();
    let reference = (!referenced.is_empty()).then(|| check.schema())?;
    let key = reference_key(&reference)?;
    referenced.into_iter().find(|schema| schema.key() == key)
}

/// Returns a text such as "in a form, the items are separated by commas"; `None` if the parameter has no such format.
pub(super) fn describe_list_format(parameter: &Parameter) -> Option<String> {
    let check = &*parameter.r#type.check;
    let attributes = (check.arity() == Arity::Many).then(|| type_attributes(check))?;
    let format = ListFormat::from_attributes(&attributes)?;
    // In a JSON body, the list is a JSON array.
    let place = match parameter.from {
        Location::Body => "in a form, ",
        Location::Any => "in the query or a form, ",
        Location::Path | Location::Position(_) | Location::Query | Location::Header | Location::Cookie => "",
        Location::WholeBody => return None,
    };
    let separator = format.separator_in_words(|text| Json::from(text).to_string());
    let blanks = if format.trims_items { ", and blanks around them are removed" } else { "" };
    Some(format!("{place}the items are separated by {separator}{blanks}"))
}
