//! The checks of references to schemas.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use serde_json::{Value as Json, json};

use super::recursive_example::example_within;
use super::{NamedSchema, SCHEMA_REFERENCE_PREFIX};
use crate::call::{PhpArray, TypeMismatch, Value};
use crate::types::{ArgumentError, Check, ObjectShape, Structure, TypeExpr};

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

/// A reference to a schema around it, of which it has no boundary values, because these would never end.
#[derive(Debug)]
struct RecursiveReference {
    name: String,
    /// The key of the schema while it is being compiled.
    first_key: String,
    cell: Weak<OnceLock<Arc<NamedSchema>>>,
}

impl RecursiveReference {
    /// Returns the schema; `None` while it is being compiled.
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
