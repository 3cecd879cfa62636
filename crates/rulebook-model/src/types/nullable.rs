//! Types whose values may be missing: the check of a nullable type, `?T`, within an array or an attribute such as `of`,
//! that of an optional value that can be left out, but cannot be null, and the type `partial<T>`, the object schema `T`
//! in which every field is optional, for requests that change a part.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::named_schema::is_unresolved_reference;
use super::object::object_check;
use super::{
    ArgumentError, ArgumentErrorKind, Check, NamedSchema, ObjectField, ObjectShape, Structure, TypeArgument,
    TypeArguments, TypeExpr,
};
use crate::call::{TypeMismatch, Value};

pub(super) const NULLABLE_ATTRIBUTE: &str = "nullable";

#[derive(Debug)]
struct NullableCheck(Arc<dyn Check>);

/// The check of a value that cannot be null. If it is optional, it can only be left out.
#[derive(Debug)]
struct NotNullCheck(Arc<dyn Check>);

/// Returns the check of a value beside the attribute `nullable`. An optional value can be null unless it says
/// otherwise.
pub(super) fn with_nullable(
    check: Arc<dyn Check>,
    is_optional: bool,
    attribute: &Json,
) -> Result<Arc<dyn Check>, ArgumentError> {
    let error = |message| ArgumentError::new(ArgumentErrorKind::Invalid, message).at(NULLABLE_ATTRIBUTE);
    match attribute {
        Json::Bool(true) if is_optional => Ok(check),
        Json::Bool(false) => Ok(not_null_check(check)),
        Json::Bool(true) => Err(error("a required value cannot be null").help("write the type with `?`")),
        _ => Err(error("`nullable` must be true or false")),
    }
}

fn not_null_check(check: Arc<dyn Check>) -> Arc<dyn Check> {
    Arc::new(NotNullCheck(check))
}

pub(super) fn nullable_check(check: Arc<dyn Check>) -> Arc<dyn Check> {
    if check.accepts_null() { check } else { Arc::new(NullableCheck(check)) }
}

/// Returns the JSON Schema of an optional value, which can be null unless its type refuses it.
pub(crate) fn optional_schema(check: &dyn Check, schema: Json) -> Json {
    if check.accepts_null() || check.refuses_null() { schema } else { nullable_schema(schema) }
}

pub(crate) fn nullable_schema(mut schema: Json) -> Json {
    // If the schema has one of these keywords, adding "null" to the keyword `type` is not enough to make null valid.
    let only_type = ["enum", "const", "anyOf", "allOf", "oneOf"].iter().all(|keyword| schema.get(keyword).is_none());
    match schema.get_mut("type") {
        Some(name @ Json::String(_)) if only_type => {
            *name = json!([name.take(), "null"]);
            schema
        }
        _ => {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut nullable = json!({ "anyOf": [schema, { "type": "null" }] });
            if let Some(description) = description {
                nullable["description"] = description;
            }
            nullable
        }
    }
}

impl Check for NullableCheck {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.0)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if let Value::Null = value {
            return Ok(());
        }
        self.0.check(value).map_err(|mut mismatch| {
            if mismatch.path.is_empty() {
                mismatch.expected = self.expected();
            }
            mismatch
        })
    }

    fn expected(&self) -> Cow<'static, str> {
        let expected = self.0.expected();
        // A schema in itself may accept null, which is known only after this check has been compiled.
        let is_named = self.0.checked(Value::Null).is_ok();
        if is_named { expected } else { format!("{expected} or null").into() }
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = self.0.in_words();
        let is_list_or_object = words.contains(", ") || words.contains("; ");
        // Without "either", null would look like an alternative to the items.
        let either = if is_list_or_object && !words.starts_with("either ") { "either " } else { "" };
        let comma = if is_list_or_object || words.starts_with("either ") { "," } else { "" };
        format!("{either}{words}{comma} or null").into()
    }

    fn object_shape(&self) -> Option<ObjectShape> {
        None
    }

    fn structure(&self) -> Structure {
        Structure::Nullable(Arc::clone(&self.0))
    }

    fn schema(&self) -> Json {
        nullable_schema(self.0.schema())
    }

    fn type_expr(&self) -> TypeExpr {
        let written = self.0.type_expr();
        TypeExpr { term: format!("?{}", written.term), attributes: written.attributes }
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let mut boundary_values = self.0.boundary_values();
        boundary_values.push(Value::Null);
        boundary_values
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example().or(Some(Value::Null))
    }

    fn accepts_null(&self) -> bool {
        true
    }
}

impl Check for NotNullCheck {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.0)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        self.0.check(value)?;
        // A type that accepts null can also read a text as null.
        if *value == Value::Null { Err(TypeMismatch::new(self.expected(), value)) } else { Ok(()) }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.0.accepts_null() { "a value other than null".into() } else { self.0.expected() }
    }

    fn schema(&self) -> Json {
        self.0.schema()
    }

    fn type_expr(&self) -> TypeExpr {
        self.0.type_expr().with(NULLABLE_ATTRIBUTE, Some(false))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.0.boundary_values()
    }

    fn accepts_null(&self) -> bool {
        false
    }

    fn refuses_null(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct PartialCheck {
    schema: Arc<dyn Check>,
    object: Arc<dyn Check>,
}

/// The maximum number of fields, including those of the fields' types. Each `partial` in a `partial` multiplies them.
const MAX_FIELDS: usize = 5_000;

pub(super) fn compile_partial(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
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
