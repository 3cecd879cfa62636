//! The schemas of an OpenAPI document and the names of its components. The types of the crate `utoipa` do not support
//! all keywords of JSON Schema 2020-12. Therefore values of these types contain a placeholder for each schema. The
//! placeholders are replaced by the schemas after the values are converted to JSON.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::distinct_names::{candidates, distinct_names, with_hash};
use crate::model::{Api, Method};
use crate::types::{
    Check, NamedSchema, for_each_inner_schema, info_with_type_description, kinds, replace_references, schemas_in,
};

/// In bytes of JSON. A larger schema becomes a component.
const MAX_INLINE_BYTES: usize = 160;
pub(super) const COMPONENT_PREFIX: &str = "#/components/schemas/";
/// The prefix of a placeholder, which is a reference (`$ref`). The prefix is followed by the index of the schema.
const PLACEHOLDER_PREFIX: &str = "placeholder:";

/// The place of a schema in the definition, from which the name of its component is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct SchemaPlace<'a> {
    /// The name of the method in the document; empty for a schema that belongs to no method.
    pub(super) method: &'a str,
    /// The part of the method, such as `body`.
    pub(super) part: &'a str,
    /// The parameter or output; empty for the whole part.
    pub(super) key: &'a str,
}

/// All schemas of an OpenAPI document, including the components.
#[derive(Default)]
pub(super) struct Schemas {
    schemas: Vec<Json>,
    /// The index in `schemas` of each component, by the name of the component.
    components: BTreeMap<String, usize>,
    /// The name of each component that is not a schema of the definition, by the method to which it belongs and the
    /// JSON text of its schema. Methods do not share such components, so that their names depend on one method only.
    names_by_schema: HashMap<(String, String), String>,
    folded_names: HashSet<String>,
    /// The [folded] keys that several parameters at one place, or several outputs, of the described method have.
    alike_keys: HashSet<String>,
    /// The [folded] keys of the definition's schemas, which no other component has as its name.
    reserved_names: HashSet<String>,
}

impl Schemas {
    pub(super) fn new(api: &Api) -> Self {
        let of_modules = api.modules.iter().flat_map(|module| &module.schemas);
        let reserved_names = api.schemas.iter().chain(of_modules).map(|schema| folded(&schema.key)).collect();
        Self { reserved_names, ..Self::default() }
    }

    pub(super) fn begin_method(&mut self, method: &Method) {
        self.alike_keys.clear();
        let parameters = || method.parameters.iter().map(|parameter| (Some(parameter.from), parameter));
        let keys = parameters().map(|(from, parameter)| (from, &parameter.key));
        let names = parameters().map(|(from, parameter)| (from, &parameter.name));
        let outputs = method.body_outputs().map(|output| (None, &output.name));
        for keys in [keys.collect::<Vec<_>>(), names.collect(), outputs.collect()] {
            let mut seen = HashMap::new();
            for (from, key) in keys {
                let component = folded(&to_component_name(key));
                if seen.insert((from, component.clone()), key).is_some_and(|other| other != key) {
                    self.alike_keys.insert(component);
                }
            }
        }
    }

    /// Returns the name of a component, such as `article.create.body.lines`.
    fn component_name(&self, SchemaPlace { method, part, key }: SchemaPlace<'_>) -> String {
        let parts = [method, part, key].into_iter().filter(|part| !part.is_empty());
        let name = parts.map(to_component_name).collect::<Vec<_>>().join(".");
        let is_alike = !key.is_empty() && self.alike_keys.contains(&folded(&to_component_name(key)));
        if is_alike { with_hash(&name, ".", key) } else { name }
    }

    /// Makes the schemas of the definition to which `schema` refers components, and lets the references lead to them.
    /// Also completes the discriminators of unions. `check` is the check to which the JSON Schema belongs.
    pub(super) fn add_referenced(&mut self, mut schema: Json, check: &dyn Check, place: SchemaPlace<'_>) -> Json {
        let mut waiting = self.lead_to_components(&mut schema, check);
        while let Some(named) = waiting.pop() {
            if self.components.contains_key(named.key()) {
                continue;
            }
            let mut content = named.schema();
            waiting.extend(self.lead_to_components(&mut content, &*named.check));
            complete_discriminators(&mut content, named.key(), named.key(), self);
            self.insert_component(named.key().to_owned(), content);
        }
        let name = self.component_name(place);
        complete_discriminators(&mut schema, place.method, &name, self);
        schema
    }

    /// Returns the schemas that are not components yet.
    fn lead_to_components(&self, schema: &mut Json, check: &dyn Check) -> Vec<Arc<NamedSchema>> {
        let mut keys = HashSet::new();
        replace_references(schema, &mut |key| {
            if !self.components.contains_key(key) {
                keys.insert(key.to_owned());
            }
            format!("{COMPONENT_PREFIX}{key}")
        });
        // The schema of a form field contains what a named schema contains, so that it can refer to schemas of schemas.
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut waiting = if keys.is_empty() { Vec::new() } else { check.referenced_schemas() };
        while !keys.is_empty()
            && let Some(named) = waiting.pop()
        {
            if seen.insert(named.key().to_owned()) {
                waiting.extend(named.check.referenced_schemas());
                if keys.remove(named.key()) {
                    found.push(named);
                }
            }
        }
        found
    }

    pub(super) fn add_with_placeholder(&mut self, mut schema: Json) -> RefOr<Schema> {
        use_plain_keywords(&mut schema);
        self.schemas.push(schema);
        RefOr::Ref(Ref::new(format!("{PLACEHOLDER_PREFIX}{}", self.schemas.len() - 1)))
    }

    fn insert_component(&mut self, name: String, mut schema: Json) {
        use_plain_keywords(&mut schema);
        self.folded_names.insert(folded(&name));
        self.components.insert(name, self.schemas.len());
        self.schemas.push(schema);
    }

    /// If the method has no such component yet, it is added.
    pub(super) fn component_reference(&mut self, place: SchemaPlace<'_>, schema: Json) -> Json {
        self.named_component_reference(place.method, self.component_name(place), schema)
    }

    /// If the method has no such component yet, it is added. Its name is `name`, or begins with it.
    fn named_component_reference(&mut self, method: &str, name: String, schema: Json) -> Json {
        let key = (method.to_owned(), schema.to_string());
        if let Some(name) = self.names_by_schema.get(&key) {
            return schema_reference(name);
        }
        let is_used = |name: &str| {
            let name = folded(name);
            self.folded_names.contains(&name) || self.reserved_names.contains(&name)
        };
        // Only in this rare case, the name depends on the content. Names of the schemas of methods hardly ever clash.
        let distinct = [with_hash(&name, ".", &name), with_hash(&name, ".", &key.1)];
        let name = [name].into_iter().chain(distinct).find(|name| !is_used(name)).unwrap_or_else(|| "_".to_owned());
        self.insert_component(name.clone(), schema);
        let reference = schema_reference(&name);
        self.names_by_schema.insert(key, name);
        reference
    }

    /// Returns a small schema unchanged. Adds a large schema as a component, and returns a reference to the component.
    pub(super) fn inline_or_component(&mut self, place: SchemaPlace<'_>, schema: Json) -> Json {
        if schema.to_string().len() <= MAX_INLINE_BYTES { schema } else { self.component_reference(place, schema) }
    }

    /// A large schema of an object with declared members, or of the items of a list, becomes a component.
    pub(super) fn type_schema_or_reference(&mut self, place: SchemaPlace<'_>, mut schema: Json) -> Json {
        if schema.get("properties").is_some() {
            return self.inline_or_component(place, schema);
        }
        if let Some(items) = schema.get_mut("items") {
            let schema = std::mem::take(items);
            *items = self.type_schema_or_reference(place, schema);
        }
        schema
    }

    pub(super) fn folded_names(&self) -> &HashSet<String> {
        &self.folded_names
    }

    pub(super) fn component_placeholders(&self) -> BTreeMap<String, RefOr<Schema>> {
        let placeholder = |index: &usize| RefOr::Ref(Ref::new(format!("{PLACEHOLDER_PREFIX}{index}")));
        self.components.iter().map(|(name, index)| (name.clone(), placeholder(index))).collect()
    }

    /// Placeholders are not searched for in the schemas. Therefore an example of the definition is never mistaken for a
    /// placeholder, because examples are parts of schemas.
    pub(super) fn fill_placeholders(&mut self, part: &mut Json) {
        match part {
            Json::Object(members) => match placeholder_index(members) {
                Some(index) => *part = self.schemas.get_mut(index).map(std::mem::take).unwrap_or_default(),
                None => members.values_mut().for_each(|member| self.fill_placeholders(member)),
            },
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill_placeholders(item)),
            _ => {}
        }
    }
}

fn placeholder_index(members: &Map<String, Json>) -> Option<usize> {
    members.get("$ref")?.as_str()?.strip_prefix(PLACEHOLDER_PREFIX)?.parse().ok()
}

fn schema_reference(name: &str) -> Json {
    json!({ "$ref": format!("{COMPONENT_PREFIX}{name}") })
}

/// Returns the description as a sentence. Types describe the rules that their schemas cannot express, such as the
/// bounds of a `datetime`.
pub(super) fn description_of(schema: &Json) -> Option<String> {
    schema.get("description").and_then(Json::as_str).map(|description| format!("{description}."))
}

/// `info` comes before the description of the type.
pub(super) fn with_description(schema: Json, info: &str, default: Option<Json>, example: Option<&Json>) -> Json {
    let mut schema = match schema {
        Json::Object(schema) => schema,
        // The schemas `true` and `false` are not objects, so that no description can be added to them.
        other => return other,
    };
    let description = info_with_type_description(info, &schema);
    schema.insert("description".to_owned(), description.into());
    schema.extend(default.map(|default| ("default".to_owned(), default)));
    schema.extend(example.map(|example| ("examples".to_owned(), json!([example]))));
    Json::Object(schema)
}

// Discriminators of unions with a tag. A discriminator maps each value of the tag to a component, so that the types of
// a union cannot be written inside of it.

/// Completes the discriminators in a schema. The types of a union that are not components become components of the
/// method or the schema `owner`, whose names begin with `name`.
fn complete_discriminators(schema: &mut Json, owner: &str, name: &str, schemas: &mut Schemas) {
    let Json::Object(keywords) = schema else { return };
    for_each_inner_schema(keywords, |member, schema| match member {
        Some(key) => {
            complete_discriminators(schema, owner, &format!("{name}.{}", to_component_name(key)), schemas);
        }
        None => complete_discriminators(schema, owner, name, schemas),
    });
    if let Some(discriminator) = keywords.get("discriminator") {
        match complete_mapping(discriminator.clone(), keywords.get_mut("oneOf"), (owner, name), schemas) {
            Some(discriminator) => keywords.insert("discriminator".to_owned(), discriminator),
            None => keywords.shift_remove("discriminator"),
        };
    }
}

/// `None` if the tag of a branch can have several values.
fn complete_mapping(
    mut discriminator: Json,
    branches: Option<&mut Json>,
    (owner, name): (&str, &str),
    schemas: &mut Schemas,
) -> Option<Json> {
    let tag = discriminator.get("propertyName")?.as_str()?.to_owned();
    let known = discriminator.get("mapping").and_then(Json::as_object).cloned().unwrap_or_default();
    let branches = branches?.as_array_mut()?;
    let value_of = |branch: &Json| match branch.get("$ref") {
        Some(reference) => known.iter().find(|(_, target)| *target == reference).map(|(value, _)| value.clone()),
        None => tag_value(branch, &tag).map(str::to_owned),
    };
    let values = branches.iter().map(value_of).collect::<Option<Vec<String>>>()?;
    let names = |value: &String| candidates(vec![format!("{name}.{}", to_component_name(value))], ".", value);
    let names = distinct_names(values.iter().map(names), folded);
    let mut mapping = Map::new();
    for ((value, component), branch) in values.into_iter().zip(names).zip(branches) {
        if branch.get("$ref").is_none() {
            *branch = schemas.named_component_reference(owner, component, branch.take());
        }
        mapping.insert(value, branch.get("$ref")?.clone());
    }
    discriminator["mapping"] = json!(mapping);
    Some(discriminator)
}

fn tag_value<'s>(schema: &'s Json, tag: &str) -> Option<&'s str> {
    let mut schemas = std::iter::once(schema).chain(schemas_in(schema, "allOf"));
    schemas.find_map(|schema| schema.get("properties")?.get(tag)?.get("const")?.as_str())
}

// Names stay distinct in the code that generators write for the document: generators remove the signs from names and
// change their case, so that `iapi.NoRoom` and `iapi.no_room` are the same name to them.

/// Returns what a generator can keep of a name: its letters and digits, in lower case.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// ASCII letters, digits, `.`, `-` and `_` are allowed (OpenAPI 3.1.1 section 4.8.7). Braces are removed, and other
/// letters become their code points, such as `u4e2d`.
pub(super) fn to_component_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !matches!(char, '{' | '}')) {
        match char {
            char if char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_') => name.push(char),
            char if char.is_alphanumeric() => name.push_str(&format!("u{:x}", u32::from(char))),
            _ => name.push('_'),
        }
    }
    if name.is_empty() { "_".to_owned() } else { name }
}

// Keywords in the way that generators of code understand: a list of values has a type, an array has `items`, and an
// empty array or object is not a constant. The schemas accept the same values as before.

/// Rewrites a schema, and the schemas in it.
fn use_plain_keywords(schema: &mut Json) {
    let Json::Object(keywords) = schema else { return };
    for_each_inner_schema(keywords, |_, schema| use_plain_keywords(schema));
    replace_empty_constant(keywords);
    let values: Vec<&Json> = match (keywords.get("const"), keywords.get("enum")) {
        (Some(value), _) => vec![value],
        (None, Some(Json::Array(values))) => values.iter().collect(),
        _ => Vec::new(),
    };
    if !values.is_empty() && !keywords.contains_key("type") {
        let has = |is_kind: fn(&Json) -> bool| values.iter().any(|value| is_kind(value));
        let is_integer = |value: &Json| value.is_i64() || value.is_u64();
        let is_other_number = |value: &Json| value.is_f64();
        let kinds = [
            ("string", has(Json::is_string)),
            ("number", has(is_other_number)),
            ("integer", has(is_integer) && !has(is_other_number)),
            ("boolean", has(Json::is_boolean)),
            ("null", has(Json::is_null)),
            ("array", has(Json::is_array)),
            ("object", has(Json::is_object)),
        ];
        let kinds: Vec<&str> = kinds.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect();
        let has_both_booleans = values.contains(&&json!(true)) && values.contains(&&json!(false));
        let is_complete = kinds.iter().all(|kind| matches!(*kind, "boolean" | "null"));
        if kinds.contains(&"boolean") && has_both_booleans && is_complete {
            keywords.shift_remove("enum");
        }
        let kind = if let [kind] = kinds[..] { json!(kind) } else { json!(kinds) };
        add_first(keywords, "type", kind);
    }
    if kinds(keywords.get("type")).contains(&"array")
        && !keywords.contains_key("items")
        && !keywords.contains_key("prefixItems")
    {
        keywords.insert("items".to_owned(), json!({}));
    }
}

/// Replaces the constants `[]` and `{}`, which few generators know.
fn replace_empty_constant(keywords: &mut Map<String, Json>) {
    let (kind, max) = match keywords.get("const") {
        Some(Json::Array(items)) if items.is_empty() => ("array", "maxItems"),
        Some(Json::Object(members)) if members.is_empty() => ("object", "maxProperties"),
        _ => return,
    };
    keywords.shift_remove("const");
    keywords.insert("type".to_owned(), kind.into());
    keywords.insert(max.to_owned(), 0.into());
}

fn add_first(keywords: &mut Map<String, Json>, keyword: &str, value: Json) {
    let others = std::mem::take(keywords);
    keywords.insert(keyword.to_owned(), value);
    keywords.extend(others);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_names_of_components() {
        for (text, name) in [("a.{id}.get", "a.id.get"), ("a$1%", "a_1_"), ("", "_"), ("中é", "u4e2due9")] {
            assert_eq!(to_component_name(text), name);
        }
        assert_eq!([folded("iapi.NoRoom"), folded("iapi.no_room")], ["iapinoroom"; 2]);
    }

    #[test]
    fn schemas_are_written_with_keywords_that_generators_know() {
        for (mut schema, expected) in [
            (json!({ "const": [] }), json!({ "type": "array", "maxItems": 0, "items": {} })),
            (json!({ "const": {} }), json!({ "type": "object", "maxProperties": 0 })),
            (json!({ "const": true }), json!({ "type": "boolean", "const": true })),
            (json!({ "enum": [0, 1] }), json!({ "type": "integer", "enum": [0, 1] })),
            (json!({ "enum": [0, 1.5] }), json!({ "type": "number", "enum": [0, 1.5] })),
            (json!({ "enum": ["a", null] }), json!({ "type": ["string", "null"], "enum": ["a", null] })),
            (json!({ "enum": [null, true, false] }), json!({ "type": ["boolean", "null"] })),
            (json!({ "type": ["array", "null"] }), json!({ "type": ["array", "null"], "items": {} })),
            (
                json!({ "properties": { "const": { "const": [] } }, "examples": [{ "const": [] }] }),
                json!({
                    "properties": { "const": { "type": "array", "maxItems": 0, "items": {} } },
                    "examples": [{ "const": [] }],
                }),
            ),
            (json!({ "anyOf": [{ "type": "array" }] }), json!({ "anyOf": [{ "type": "array", "items": {} }] })),
        ] {
            use_plain_keywords(&mut schema);
            assert_eq!(schema, expected);
        }
    }
}
