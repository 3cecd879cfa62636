//! The schemas of a document, kept aside until its frame is JSON: the frame's own type of schemas does not hold all
//! keywords of JSON Schema 2020-12.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::{Ref, RefOr, Schema};

/// How many bytes of JSON a schema has at most that is written again wherever it stands.
const SMALL: usize = 160;
/// What a place in the frame refers to before its schema is put there; a number follows.
const PLACEHOLDER: &str = "placeholder:";

/// The schemas of a document.
#[derive(Default)]
pub(super) struct Schemas {
    all: Vec<Json>,
    /// The components' places in `all`, by their names.
    components: BTreeMap<String, usize>,
    /// The components' names by their text.
    names: HashMap<String, String>,
}

impl Schemas {
    /// A place in the frame for a schema.
    pub(super) fn place(&mut self, schema: Json) -> RefOr<Schema> {
        self.all.push(schema);
        RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{}", self.all.len() - 1)))
    }

    /// A reference to a component. `names`: what it may be called, the best first; a number is added where others
    /// have all of these names.
    pub(super) fn component(&mut self, names: &[&str], schema: Json) -> Json {
        let text = schema.to_string();
        if let Some(name) = self.names.get(&text) {
            return reference(name);
        }
        let name = self.free(names);
        self.components.insert(name.clone(), self.all.len());
        self.all.push(schema);
        let reference = reference(&name);
        self.names.insert(text, name);
        reference
    }

    /// The schema itself where it is small, else a reference to it as a component.
    pub(super) fn compact(&mut self, names: &[&str], schema: Json) -> Json {
        if schema.to_string().len() <= SMALL { schema } else { self.component(names, schema) }
    }

    /// The schema of a type, its objects with known members as components: they are what has a meaning of its own.
    pub(super) fn of_type(&mut self, names: &[&str], mut schema: Json) -> Json {
        if schema.get("properties").is_some() {
            return self.compact(names, schema);
        }
        if let Some(items) = schema.get_mut("items") {
            let own = std::mem::take(items);
            *items = self.of_type(names, own);
        }
        schema
    }

    fn free(&self, names: &[&str]) -> String {
        let last = names.last().map(|name| name_of(name)).unwrap_or_default();
        let names = names.iter().map(|name| name_of(name));
        let numbered = (2..).map(|number| format!("{last}.{number}"));
        // There are more numbers than components.
        names.chain(numbered).find(|name| !self.components.contains_key(name)).unwrap_or(last)
    }

    /// Every component's place in the frame.
    pub(super) fn components(&self) -> BTreeMap<String, RefOr<Schema>> {
        let place = |index: &usize| RefOr::Ref(Ref::new(format!("{PLACEHOLDER}{index}")));
        self.components.iter().map(|(name, index)| (name.clone(), place(index))).collect()
    }

    /// Puts every schema in its place in a part of the frame. Nothing but a placeholder may be an object of one member
    /// `$ref` with a placeholder's text: what a definition shows as an example stands in schemas.
    pub(super) fn fill(&mut self, part: &mut Json) {
        match part {
            Json::Object(members) => match placeholder(members) {
                Some(index) => *part = self.all.get_mut(index).map(std::mem::take).unwrap_or_default(),
                None => members.values_mut().for_each(|member| self.fill(member)),
            },
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            _ => {}
        }
    }
}

fn placeholder(members: &Map<String, Json>) -> Option<usize> {
    members.get("$ref")?.as_str()?.strip_prefix(PLACEHOLDER)?.parse().ok()
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A name as the keys of components take it: ASCII letters, digits, `.`, `-` and `_`.
pub(super) fn name_of(text: &str) -> String {
    let name: String = text
        .chars()
        .filter(|c| !matches!(c, '{' | '}'))
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// A schema with what documents want to know of it.
pub(super) fn described(schema: Json, info: &str, default: Option<Json>, example: Option<&Json>) -> Json {
    let mut schema = match schema {
        Json::Object(schema) => schema,
        // A schema that is `true` or `false` has no room for words.
        other => return other,
    };
    schema.insert("description".to_owned(), info.into());
    schema.extend(default.map(|default| ("default".to_owned(), default)));
    schema.extend(example.map(|example| ("examples".to_owned(), json!([example]))));
    Json::Object(schema)
}
