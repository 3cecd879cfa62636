//! The schemas of an OpenAPI document. The types of the crate `utoipa` do not support all keywords of JSON Schema
//! 2020-12. Therefore values of these types contain a placeholder for each schema. The placeholders are replaced by the
//! schemas after the values are converted to JSON.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::component_name::{folded, to_component_name};
use super::discriminator::complete_discriminators;
use super::plain_keywords::use_plain_keywords;
use crate::distinct_names::with_hash;
use crate::model::{Api, Method};
use crate::types::{Check, NamedSchema, info_with_type_description, replace_references};

/// The maximum size of an inline schema, in bytes of JSON. A larger schema becomes a component, to which each use of
/// the schema refers.
const MAX_INLINE_BYTES: usize = 160;
/// The prefix of a reference to a component.
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
    /// The [folded] names of the components.
    folded_names: HashSet<String>,
    /// The [folded] keys that several parameters at one place, or several outputs, of the described method have.
    alike_keys: HashSet<String>,
    /// The keys of the definition's schemas, which are the names of their components, folded. No other component has
    /// such a name.
    reserved_names: HashSet<String>,
}

impl Schemas {
    /// Creates the schemas of a document without components.
    pub(super) fn new(api: &Api) -> Self {
        let of_modules = api.modules.iter().flat_map(|module| &module.schemas);
        let reserved_names = api.schemas.iter().chain(of_modules).map(|schema| folded(&schema.key)).collect();
        Self { reserved_names, ..Self::default() }
    }

    /// Begins the description of a method.
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

    /// Lets the references in a JSON Schema lead to components. Returns the schemas to which it refers and that are not
    /// components yet. `check` is the check to which the JSON Schema belongs.
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

    /// Returns a reference to the component that contains this schema at this place. If the method has no such
    /// component yet, it is added.
    pub(super) fn component_reference(&mut self, place: SchemaPlace<'_>, schema: Json) -> Json {
        self.named_component_reference(place.method, self.component_name(place), schema)
    }

    /// Returns a reference to the component that contains this schema, for a method. If the method has no such
    /// component yet, it is added. Its name is `name`, or begins with it.
    pub(super) fn named_component_reference(&mut self, method: &str, name: String, schema: Json) -> Json {
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

    /// Returns the schema of a type. If the type is an object with declared members, or a list of such objects, a large
    /// object schema becomes a component to which the result refers.
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

    /// Returns the names of the components, [folded].
    pub(super) fn folded_names(&self) -> &HashSet<String> {
        &self.folded_names
    }

    pub(super) fn component_placeholders(&self) -> BTreeMap<String, RefOr<Schema>> {
        let placeholder = |index: &usize| RefOr::Ref(Ref::new(format!("{PLACEHOLDER_PREFIX}{index}")));
        self.components.iter().map(|(name, index)| (name.clone(), placeholder(index))).collect()
    }

    /// Replaces the placeholders in a part of the document by the schemas. Placeholders are not searched for in the
    /// schemas. Therefore an example of the definition is never mistaken for a placeholder, because examples are parts
    /// of schemas.
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

/// Returns the description in the schema of a type as a sentence. Types describe the rules that their schemas cannot
/// express, such as the bounds of a `datetime`.
pub(super) fn description_of(schema: &Json) -> Option<String> {
    schema.get("description").and_then(Json::as_str).map(|description| format!("{description}."))
}

/// Adds a description to a schema, before the description of the type. Also adds the default and the example, if they
/// are given.
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
