//! The schemas of a document. The types of utoipa do not support all keywords of JSON Schema 2020-12. Therefore they
//! contain a placeholder for each schema, which is replaced after they are converted to JSON.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The maximum size, in bytes of JSON, of a schema that is repeated at each use. A larger schema becomes a component.
const MAX_INLINE: usize = 160;
/// The prefix of placeholders, which are references. The index of the schema follows the prefix.
const PLACEHOLDER: &str = "placeholder:";

/// The schemas of a document.
#[derive(Default)]
pub(super) struct Schemas {
    all: Vec<Json>,
    /// The indexes of the components in `all`, by their names.
    components: BTreeMap<String, usize>,
    /// The names of the components by the JSON of their schemas.
    names: HashMap<String, String>,
}

impl Schemas {
    /// Adds a schema and returns its placeholder.
    pub(super) fn add(&mut self, schema: Json) -> RefOr<Schema> {
        self.all.push(schema);
        RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{}", self.all.len() - 1)))
    }

    /// Returns a reference to the component for a schema. The component is added if it does not exist. Its name is the
    /// first unused one of `names`, or the last one followed by a number.
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

    /// Returns a small schema unchanged, and a reference to a component for a large schema.
    pub(super) fn inline_or_component(&mut self, names: &[&str], schema: Json) -> Json {
        if schema.to_string().len() <= MAX_INLINE { schema } else { self.component(names, schema) }
    }

    /// Returns the schema of a type. Schemas of objects with declared members become components.
    pub(super) fn type_schema(&mut self, names: &[&str], mut schema: Json) -> Json {
        if schema.get("properties").is_some() {
            return self.inline_or_component(names, schema);
        }
        if let Some(items) = schema.get_mut("items") {
            let schema = std::mem::take(items);
            *items = self.type_schema(names, schema);
        }
        schema
    }

    fn free_name(&self, names: &[&str]) -> String {
        let last = names.last().map(|name| component_name(name)).unwrap_or_default();
        let names = names.iter().map(|name| component_name(name));
        let numbered = (2..).map(|number| format!("{last}.{number}"));
        // There are more numbers than components, so an unused name is always found.
        names.chain(numbered).find(|name| !self.components.contains_key(name)).unwrap_or(last)
    }

    /// Returns the placeholders of all components, by name.
    pub(super) fn components(&self) -> BTreeMap<String, RefOr<Schema>> {
        let placeholder = |index: &usize| RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{index}")));
        self.components.iter().map(|(name, index)| (name.clone(), placeholder(index))).collect()
    }

    /// Replaces the placeholders in a part of the document by their schemas. Text of a definition is not mistaken for a
    /// placeholder, because its examples are in the schemas, which are not searched.
    pub(super) fn fill_placeholders(&mut self, part: &mut Json) {
        match part {
            Json::Object(members) => match placeholder_index(members) {
                Some(index) => *part = self.all.get_mut(index).map(std::mem::take).unwrap_or_default(),
                None => members.values_mut().for_each(|member| self.fill_placeholders(member)),
            },
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill_placeholders(item)),
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

/// Converts a text to a valid component name: ASCII letters, digits, `.`, `-` and `_` (OpenAPI 3.1.1 section 4.8.7).
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
