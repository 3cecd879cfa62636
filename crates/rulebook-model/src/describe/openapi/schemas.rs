//! The schemas of a document. The types of utoipa do not have all keywords of JSON Schema 2020-12, so they hold a
//! placeholder for each schema, which is replaced when they have been converted to JSON.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The maximum size of a schema, in bytes of JSON, that is repeated wherever it is used instead of being a component.
const MAX_INLINE: usize = 160;
/// The prefix of the references that are placeholders. The index of the schema follows.
const PLACEHOLDER: &str = "placeholder:";

/// The schemas of a document.
#[derive(Default)]
pub(super) struct Schemas {
    all: Vec<Json>,
    /// The indexes of the components in `all`, by name.
    components: BTreeMap<String, usize>,
    /// The names of the components by the JSON of their schemas.
    names: HashMap<String, String>,
}

impl Schemas {
    /// Adds a schema and returns the placeholder for it.
    pub(super) fn add(&mut self, schema: Json) -> RefOr<Schema> {
        self.all.push(schema);
        RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{}", self.all.len() - 1)))
    }

    /// Returns a reference to the component for a schema, and adds the component unless it exists. Its name is the
    /// first of `names` that is free; if none is, the last one with a number.
    pub(super) fn component(&mut self, names: &[&str], schema: Json) -> Json {
        let text = schema.to_string();
        if let Some(name) = self.names.get(&text) {
            return reference(name);
        }
        let name = self.free_name(names);
        self.components.insert(name.clone(), self.all.len());
        self.all.push(schema);
        let reference = reference(&name);
        self.names.insert(text, name);
        reference
    }

    /// Returns a small schema itself, and a reference to a component for a large one.
    pub(super) fn compact(&mut self, names: &[&str], schema: Json) -> Json {
        if schema.to_string().len() <= MAX_INLINE { schema } else { self.component(names, schema) }
    }

    /// Returns the schema of a type in which objects with declared members are components.
    pub(super) fn of_type(&mut self, names: &[&str], mut schema: Json) -> Json {
        if schema.get("properties").is_some() {
            return self.compact(names, schema);
        }
        if let Some(items) = schema.get_mut("items") {
            let schema = std::mem::take(items);
            *items = self.of_type(names, schema);
        }
        schema
    }

    fn free_name(&self, names: &[&str]) -> String {
        let last = names.last().map(|name| component_name(name)).unwrap_or_default();
        let names = names.iter().map(|name| component_name(name));
        let numbered = (2..).map(|number| format!("{last}.{number}"));
        // There are more numbers than components.
        names.chain(numbered).find(|name| !self.components.contains_key(name)).unwrap_or(last)
    }

    /// Returns the placeholder of every component, by name.
    pub(super) fn components(&self) -> BTreeMap<String, RefOr<Schema>> {
        let placeholder = |index: &usize| RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{index}")));
        self.components.iter().map(|(name, index)| (name.clone(), placeholder(index))).collect()
    }

    /// Replaces the placeholders in a part of the document by their schemas. Text of a definition cannot be taken for a
    /// placeholder: its examples are inside of schemas, which are not searched.
    pub(super) fn fill(&mut self, part: &mut Json) {
        match part {
            Json::Object(members) => match placeholder_index(members) {
                Some(index) => *part = self.all.get_mut(index).map(std::mem::take).unwrap_or_default(),
                None => members.values_mut().for_each(|member| self.fill(member)),
            },
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            _ => {}
        }
    }
}

fn placeholder_index(members: &Map<String, Json>) -> Option<usize> {
    members.get("$ref")?.as_str()?.strip_prefix(PLACEHOLDER)?.parse().ok()
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns a text as the name of a component: ASCII letters, digits, `.`, `-` and `_` (OpenAPI 3.1.1 section 4.8.7).
pub(super) fn component_name(text: &str) -> String {
    let name: String = text
        .chars()
        .filter(|c| !matches!(c, '{' | '}'))
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// Adds a description, a default and an example to a schema.
pub(super) fn with_description(schema: Json, info: &str, default: Option<Json>, example: Option<&Json>) -> Json {
    let mut schema = match schema {
        Json::Object(schema) => schema,
        // The schemas `true` and `false` have no members.
        other => return other,
    };
    schema.insert("description".to_owned(), info.into());
    schema.extend(default.map(|default| ("default".to_owned(), default)));
    schema.extend(example.map(|example| ("examples".to_owned(), json!([example]))));
    Json::Object(schema)
}
