//! The type `partial<T>`: the object schema `T` in which every field is optional, for requests that change a part.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::named_schema::is_unresolved_reference;
use super::nullable::not_null_check;
use super::object::object_check;
use super::{
    ArgumentError, Check, NamedSchema, ObjectField, ObjectShape, Structure, TypeArgument, TypeArguments, TypeExpr,
};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct PartialCheck {
    schema: Arc<dyn Check>,
    object: Arc<dyn Check>,
}

/// The maximum number of fields, including those of the fields' types. Each `partial` in a `partial` multiplies them.
const MAX_FIELDS: usize = 5_000;

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let [TypeArgument::Type(schema)] = arguments.positional else {
        return Err(arguments.error("`partial` has one argument, a schema, in `<>`").help("write `partial<Article>`"));
    };
    let is_object = schema.type_expr().attributes.is_empty() && !schema.type_expr().term.starts_with("object");
    let Some(shape) = schema.object_shape().filter(|_| is_object) else {
        let term = schema.type_expr().term;
        // A reference to a schema that is being compiled does not lead to the schema yet.
        if is_unresolved_reference(&**schema) {
            let message = format!("`partial<{term}>` cannot be a part of the schema `{term}`");
            return Err(arguments
                .error(message)
                .help("declare another schema with these fields, and refer to it here"));
        }
        let message = format!("`{term}` is not a schema of objects");
        return Err(arguments.error(message).help("`partial` makes all fields of a schema with `fields` optional"));
    };
    // A field that the whole value requires can be left out, but not be null, unless its type says so.
    let fields = shape.fields.into_iter().map(|field| match field.optional || field.check.accepts_null() {
        true => ObjectField { optional: true, ..field },
        false => ObjectField { optional: true, check: not_null_check(field.check), ..field },
    });
    let fields = fields.collect();
    // A part of a value may omit what the whole value must contain.
    let mut constraints = shape.constraints;
    constraints.retain(|constraint| constraint.kind.holds_for_parts());
    let object = object_check(ObjectShape { fields, constraints, min: None, ..shape });
    if has_too_many_fields(&object) {
        let term = schema.type_expr().term;
        let error = arguments.error(format!("`partial<{term}>` has more than {MAX_FIELDS} fields in all"));
        return Err(error.help("its fields have types with `partial` themselves, whose fields are part of it"));
    }
    Ok(Arc::new(PartialCheck { schema: Arc::clone(schema), object }))
}

impl Check for PartialCheck {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.object)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        self.object.check(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        self.object.expected()
    }

    fn in_words(&self) -> Cow<'static, str> {
        format!("{}, with some of its members", self.schema.in_words()).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        let mut schemas = self.schema.referenced_schemas();
        schemas.extend(self.object.referenced_schemas());
        schemas
    }

    fn schema(&self) -> Json {
        self.object.schema()
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(format!("partial<{}>", self.schema.type_expr().term))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.object.boundary_values()
    }
}

/// Returns `true` if the JSON Schema of a type has too many fields, without those of schemas to which it refers.
fn has_too_many_fields(check: &Arc<dyn Check>) -> bool {
    let mut waiting = vec![Arc::clone(check)];
    let mut count = 0;
    while let Some(check) = waiting.pop() {
        match check.structure() {
            Structure::Schema(_) => {}
            Structure::Array(inner) | Structure::Map(inner) | Structure::Nullable(inner) => waiting.push(inner),
            Structure::Union(branches) => waiting.extend(branches),
            Structure::TaggedUnion { branches, .. } => waiting.extend(branches.into_iter().map(|(_, branch)| branch)),
            Structure::Scalar | Structure::Object(_) => {
                count += check.members().len();
                waiting.extend(check.members().iter().map(|field| Arc::clone(&field.check)));
            }
        }
        if count > MAX_FIELDS {
            return true;
        }
    }
    false
}
