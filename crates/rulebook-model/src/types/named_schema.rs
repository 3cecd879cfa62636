//! References to the schemas of a definition: types that have a name, such as `Article`.
//!
//! A schema may refer to itself, for example a category with subcategories. The reference within the schema is then
//! weak, so that the schema does not own itself. A reference from a method owns all schemas of the definition.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use serde_json::{Map, Value as Json, json};

use super::array::count_nested_values;
#[cfg(feature = "documents")]
use super::reference_key;
use super::simple_type::MAX_JSON_DEPTH;
use super::{ArgumentError, Check, ObjectShape, Structure, TypeExpr, for_each_inner_schema};
use crate::call::{PhpArray, TypeMismatch, Value};

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

/// A reference to a schema that is not compiled, or not yet.
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
        let generate = |schema: &Self| with_known_examples(HashMap::new(), || SampleValues::new(schema));
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
        self.samples().example.clone().or_else(|| recursive_example(self))
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

/// The schemas of a definition. Each is set as soon as it is compiled.
pub(crate) type SchemaCells = Vec<Arc<OnceLock<Arc<NamedSchema>>>>;

/// Returns a reference to a compiled schema. `all` has all schemas; it is `None` for references within schemas.
pub(crate) fn schema_reference(schema: Arc<NamedSchema>, all: Option<Arc<SchemaCells>>) -> Arc<dyn Check> {
    Arc::new(SchemaReference { schema, _all: all })
}

/// Returns a reference to a schema that contains this reference, and is not compiled yet.
pub(crate) fn recursive_reference(
    name: &str,
    first_key: &str,
    cell: &Arc<OnceLock<Arc<NamedSchema>>>,
) -> Arc<dyn Check> {
    Arc::new(RecursiveReference { name: name.to_owned(), first_key: first_key.to_owned(), cell: Arc::downgrade(cell) })
}

fn reference_to(key: &str) -> Json {
    json!({ "$ref": format!("{SCHEMA_REFERENCE_PREFIX}{key}") })
}

struct SchemaReference {
    schema: Arc<NamedSchema>,
    /// All schemas of the definition, which must exist as long as weak references to them.
    _all: Option<Arc<SchemaCells>>,
}

/// Shows only the name of the schema: schemas that contain each other could be too large.
impl fmt::Debug for SchemaReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SchemaReference").field(&self.schema.name).finish()
    }
}

impl Check for SchemaReference {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.schema.check)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        self.schema.check.check(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        self.schema.check.expected()
    }

    /// Returns the name of the schema, because descriptions of schemas that contain each other could grow without end.
    fn in_words(&self) -> Cow<'static, str> {
        self.schema.name.clone().into()
    }

    /// Returns nothing, because the error is reported where the schema is declared.
    fn late_error(&self) -> Option<ArgumentError> {
        None
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        vec![Arc::clone(&self.schema)]
    }

    fn structure(&self) -> Structure {
        Structure::Schema(Arc::clone(&self.schema))
    }

    fn schema(&self) -> Json {
        reference_to(self.schema.key())
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.schema.name.clone())
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.schema.boundary_values().to_vec()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.schema.example_value()
    }
}

/// A reference from inside of a schema to this schema. It has no boundary values, because these would never end.
#[derive(Debug)]
struct RecursiveReference {
    name: String,
    /// The key of the schema while it is being compiled.
    first_key: String,
    cell: Weak<OnceLock<Arc<NamedSchema>>>,
}

impl RecursiveReference {
    /// `None` while the schema is being compiled.
    fn schema(&self) -> Option<Arc<NamedSchema>> {
        self.cell.upgrade().and_then(|cell| cell.get().cloned())
    }
}

impl Check for RecursiveReference {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match self.schema() {
            Some(schema) => schema.check.decode(text),
            None => Value::Text(text),
        }
    }

    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        match self.schema() {
            Some(schema) => schema.check.decode_array(array),
            None => array.into_value(),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match self.schema() {
            Some(schema) => schema.check.check(value),
            None => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let unresolved = || format!("a value of the schema `{}`", self.name).into();
        self.schema().map_or_else(unresolved, |schema| schema.check.expected())
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.name.clone().into()
    }

    fn object_shape(&self) -> Option<ObjectShape> {
        self.schema()?.check.object_shape()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.schema().into_iter().collect()
    }

    fn structure(&self) -> Structure {
        self.schema().map_or(Structure::Scalar, Structure::Schema)
    }

    fn schema(&self) -> Json {
        reference_to(self.schema().as_ref().map_or(&self.first_key, |schema| schema.key()))
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.name.clone())
    }

    fn reads_null_text(&self) -> bool {
        self.schema().is_some_and(|schema| schema.check.reads_null_text())
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }

    fn example(&self) -> Option<Value<'static>> {
        example_within(&*self.schema()?)
    }
}

// Examples of schemas whose values contain values of a schema around them, so that they have no samples.

thread_local! {
    /// The examples of schemas by their keys, while values of other schemas are generated from them; otherwise `None`.
    static KNOWN: RefCell<Option<HashMap<String, Value<'static>>>> = const { RefCell::new(None) };
}

/// Restores the known examples of the thread at the end, even if a type of the program panics.
struct Restore(Option<HashMap<String, Value<'static>>>);

impl Drop for Restore {
    fn drop(&mut self) {
        KNOWN.set(self.0.take());
    }
}

/// Runs `generate`, in which schemas without samples have only these examples.
fn with_known_examples<T>(examples: HashMap<String, Value<'static>>, generate: impl FnOnce() -> T) -> T {
    let _restore = Restore(KNOWN.replace(Some(examples)));
    generate()
}

fn recursive_example(schema: &NamedSchema) -> Option<Value<'static>> {
    let is_searched = || schema.samples().has_no_example.load(Ordering::Relaxed);
    let search = || if is_searched() { None } else { find_example(schema) };
    let find = || schema.recursive_example.get_or_init(search).clone();
    known_example(schema).unwrap_or_else(find)
}

/// Returns the example of a schema for a value in it. The samples of the schema may be generated from this value.
fn example_within(schema: &NamedSchema) -> Option<Value<'static>> {
    known_example(schema).unwrap_or_else(|| schema.example_value())
}

/// Returns the known example of a schema; `None` if no values are generated from known examples.
fn known_example(schema: &NamedSchema) -> Option<Option<Value<'static>>> {
    KNOWN.with_borrow(|known| known.as_ref().map(|known| known.get(schema.key()).cloned()))
}

/// Generates examples of the schemas to which `schema` refers, until there is one of `schema`.
fn find_example(schema: &NamedSchema) -> Option<Value<'static>> {
    let mut missing = all_referenced_schemas(&*schema.check);
    let mut examples = HashMap::new();
    missing.retain(|other| match &other.samples().example {
        Some(example) => {
            examples.insert(other.key().to_owned(), example.clone());
            false
        }
        None => true,
    });
    let generate = |check: &dyn Check| check.example().filter(is_small_sample);
    with_known_examples(examples, || {
        loop {
            if let Some(example) = generate(&*schema.check) {
                return Some(example);
            }
            let count = missing.len();
            missing.retain(|other| match generate(&*other.check) {
                Some(example) => {
                    KNOWN.with_borrow_mut(|known| {
                        known.get_or_insert_default().insert(other.key().to_owned(), example);
                    });
                    false
                }
                None => true,
            });
            if missing.len() == count {
                // Each of them refers only to schemas that have been searched.
                missing.iter().for_each(|other| other.samples().has_no_example.store(true, Ordering::Relaxed));
                return None;
            }
        }
    })
}

/// Replaces each reference to a schema by the text that `reference` returns for its key. Examples are not changed.
pub(crate) fn replace_references(schema: &mut Json, reference: &mut dyn FnMut(&str) -> String) {
    let Json::Object(keywords) = schema else { return };
    for_each_inner_schema(keywords, |_, schema| replace_references(schema, reference));
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "$ref" => replace_reference(value, reference),
            "propertyNames" => replace_references(value, reference),
            "discriminator" => {
                let mapping = value.get_mut("mapping").and_then(Json::as_object_mut);
                mapping.into_iter().flat_map(Map::values_mut).for_each(|target| replace_reference(target, reference));
            }
            _ => {}
        }
    }
}

fn replace_reference(value: &mut Json, reference: &mut dyn FnMut(&str) -> String) {
    if let Some(key) = value.as_str().and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        *value = Json::String(reference(key));
    }
}

/// Adds the description that the definition gives for a value, before the description of the value's type.
pub(crate) fn add_info(schema: &mut Map<String, Json>, info: &str) {
    let description = info_with_type_description(info, schema);
    if !description.is_empty() {
        schema.insert("description".to_owned(), Json::String(description));
    }
}

/// Returns the description of a value, with the description of its type (in `schema`) in another paragraph.
pub(crate) fn info_with_type_description(info: &str, schema: &Map<String, Json>) -> String {
    match schema.get("description").and_then(Json::as_str) {
        Some(of_type) if !info.contains(of_type) => {
            let separator = if info.trim().is_empty() { "" } else { "\n\n" };
            format!("{info}{separator}{of_type}.")
        }
        _ => info.to_owned(),
    }
}

/// Returns the JSON Schema of a type without references at the outermost level and as the type of items.
#[cfg(feature = "documents")]
pub(crate) fn schema_without_outer_references(check: &dyn Check) -> Json {
    let mut schema = check.schema();
    let referenced = check.referenced_schemas();
    if !referenced.is_empty() {
        replace_outer_references(&mut schema, &referenced, 0);
    }
    schema
}

#[cfg(feature = "documents")]
const MAX_CHAIN: usize = 32;

#[cfg(feature = "documents")]
fn replace_outer_references(schema: &mut Json, referenced: &[Arc<NamedSchema>], depth: usize) {
    if let Some(target) = reference_key(schema).and_then(|key| referenced.iter().find(|schema| schema.key() == key)) {
        *schema = target.check.schema();
        let referenced = target.check.referenced_schemas();
        if depth < MAX_CHAIN && !referenced.is_empty() && schema.get("properties").is_none() {
            replace_outer_references(schema, &referenced, depth + 1);
        }
        return;
    }
    if let Some(items) = schema.get_mut("items") {
        replace_outer_references(items, referenced, depth);
    }
    for keyword in ["anyOf", "oneOf"] {
        for branch in schema.get_mut(keyword).and_then(Json::as_array_mut).into_iter().flatten() {
            replace_outer_references(branch, referenced, depth);
        }
    }
}
