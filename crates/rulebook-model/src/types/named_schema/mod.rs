//! References to the schemas of a definition: types that have a name, such as `Article`.
//!
//! A schema may refer to itself, for example a category with subcategories. The reference within the schema is then
//! weak, so that the schema does not own itself. A reference from a method owns all schemas of the definition.

mod json_schema;
#[cfg(feature = "documents")]
mod outer_references;
mod recursive_example;
mod references;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};

#[cfg(feature = "documents")]
pub(crate) use json_schema::info_with_type_description;
pub(crate) use json_schema::{add_info, replace_references};
#[cfg(feature = "documents")]
pub(crate) use outer_references::schema_without_outer_references;
pub(crate) use references::{SchemaCells, recursive_reference, schema_reference};

use super::Check;
use super::any::MAX_JSON_DEPTH;
use super::array::count_nested_values;
use crate::call::Value;

/// The prefix of references in JSON Schemas. It is followed by the key of a schema.
pub const SCHEMA_REFERENCE_PREFIX: &str = "#/$defs/";

/// A type with a name, which a definition declares under the key `schemas`.
#[derive(Debug)]
pub struct NamedSchema {
    /// The name that terms use.
    pub name: String,
    /// The name in JSON Schemas; not set until all schemas of the definition are compiled.
    pub(crate) key: OnceLock<String>,
    /// The name in JSON Schemas while the definition is compiled.
    pub(crate) first_key: String,
    /// The description of the schema.
    pub info: String,
    /// The check of the type.
    pub check: Arc<dyn Check>,
    /// The example value that the definition gives for the schema, or `None`.
    pub example: Option<Json>,
    /// The greatest number of schemas that own each other one after the other, beginning with this one.
    pub(crate) depth: usize,
    pub(crate) samples: OnceLock<SampleValues>,
    /// An example that contains values of schemas around this one, if the samples contain none.
    pub(crate) recursive_example: OnceLock<Option<Value<'static>>>,
}

/// Returns `true` if a type is a reference to a schema that is not compiled, or not yet.
pub(super) fn is_unresolved_reference(check: &dyn Check) -> bool {
    check.schema().get("$ref").is_some() && check.referenced_schemas().is_empty()
}

/// Valid values of a schema. They are computed once, because many types can contain the same schema, and schemas that
/// contain each other several times would have an exponential number of values.
#[derive(Debug, Default)]
pub(crate) struct SampleValues {
    boundary_values: Vec<Value<'static>>,
    example: Option<Value<'static>>,
    /// Whether the search for a recursive example, of this schema or of one around it, has found none.
    has_no_example: AtomicBool,
}

/// The maximum number of values that all sample values of a schema contain at all levels of nesting.
const MAX_SAMPLES: usize = 2_000;

fn is_small_sample(value: &Value<'_>) -> bool {
    is_shallow(value) && count_nested_values(value) <= MAX_SAMPLES
}

/// Returns `true` if JSON in a request can have as many levels as a value. Functions on values are recursive.
#[must_use]
pub fn is_shallow(value: &Value<'_>) -> bool {
    fn has_levels(value: &Value<'_>, max: u64) -> bool {
        match value {
            Value::List(items) => max > 0 && items.iter().all(|item| has_levels(item, max - 1)),
            Value::Map(members) => max > 0 && members.iter().all(|(_, member)| has_levels(member, max - 1)),
            _ => true,
        }
    }
    has_levels(value, MAX_JSON_DEPTH)
}

impl SampleValues {
    fn new(schema: &NamedSchema) -> Self {
        let mut boundary_values = schema.check.boundary_values();
        boundary_values.retain(is_shallow);
        let sizes = |values: &[Value<'_>]| values.iter().map(count_nested_values).sum::<usize>();
        let smallest = boundary_values.iter().min_by_key(|value| count_nested_values(value)).cloned();
        if sizes(&boundary_values) > MAX_SAMPLES {
            boundary_values.truncate(1);
            boundary_values.retain(is_small_sample);
        }
        let declared = schema.example.as_ref().map(Value::from);
        let mut examples = declared.or_else(|| schema.check.example()).into_iter().chain(smallest);
        let example = examples.find(is_small_sample);
        Self { boundary_values, example, has_no_example: AtomicBool::new(false) }
    }
}

impl NamedSchema {
    /// Returns the unique name in JSON Schemas (ASCII letters, digits, `_`, `-` and `.`): the name, after that of the
    /// API module if several modules have schemas with this name.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.get().unwrap_or(&self.first_key)
    }

    fn samples(&self) -> &SampleValues {
        // The samples do not depend on the schema for which an example is needed first.
        let generate =
            |schema: &Self| recursive_example::with_known_examples(HashMap::new(), || SampleValues::new(schema));
        self.samples.get_or_init(|| {
            // Those of the schemas in it are generated first, so that schemas in schemas need no deep stack.
            let (mut waiting, mut inner) = (self.check.referenced_schemas(), BTreeMap::new());
            while let Some(schema) = waiting.pop() {
                let is_missing = schema.depth < self.depth && schema.samples.get().is_none();
                if is_missing && !inner.contains_key(&(schema.depth, Arc::as_ptr(&schema))) {
                    waiting.extend(schema.check.referenced_schemas());
                    inner.insert((schema.depth, Arc::as_ptr(&schema)), schema);
                }
            }
            for schema in inner.values() {
                schema.samples.get_or_init(|| generate(schema));
            }
            generate(self)
        })
    }

    /// Returns values of the schema at its limits. The list is shorter than that of its check if they are large.
    #[must_use]
    pub fn boundary_values(&self) -> &[Value<'static>] {
        &self.samples().boundary_values
    }

    /// Returns a typical value of the schema; `None` if no valid value can be generated.
    #[must_use]
    pub fn example_value(&self) -> Option<Value<'static>> {
        self.samples().example.clone().or_else(|| recursive_example::recursive_example(self))
    }

    /// Returns the JSON Schema with description and example. References begin with [`SCHEMA_REFERENCE_PREFIX`].
    #[must_use]
    pub fn schema(&self) -> Json {
        let mut schema = self.check.schema();
        if let Json::Object(members) = &mut schema {
            if !members.contains_key("$ref") {
                add_info(members, &self.info);
            }
            if let Some(example) = &self.example {
                members.insert("examples".to_owned(), json!([example]));
            }
        }
        schema
    }
}

/// Returns the schemas that a type refers to, directly or through other schemas, sorted by their keys.
#[must_use]
pub fn all_referenced_schemas(check: &dyn Check) -> Vec<Arc<NamedSchema>> {
    let mut all: BTreeMap<String, Arc<NamedSchema>> = BTreeMap::new();
    let mut waiting = check.referenced_schemas();
    while let Some(schema) = waiting.pop() {
        if !all.contains_key(schema.key()) {
            waiting.extend(schema.check.referenced_schemas());
            all.insert(schema.key().to_owned(), schema);
        }
    }
    all.into_values().collect()
}

/// Returns the JSON Schema of a type together with the schemas to which it refers, under `$defs`.
#[must_use]
pub fn complete_schema(check: &dyn Check) -> Json {
    let mut schema = check.schema();
    let referenced = all_referenced_schemas(check);
    if let Json::Object(members) = &mut schema
        && !referenced.is_empty()
    {
        let definitions: Json = referenced.iter().map(|schema| (schema.key().to_owned(), schema.schema())).collect();
        members.insert("$defs".to_owned(), definitions);
    }
    schema
}
