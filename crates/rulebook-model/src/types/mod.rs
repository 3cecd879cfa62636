//! The types of parameters and outputs. A definition names a type with a *term* such as `array<int(1,5)>`. Each term is
//! compiled to a [`Check`], which validates the values of the type.
//!
//! This file has what every type implements and uses: [`Type`] compiles the terms that name the type, with their
//! [`TypeArguments`], and [`Check`] validates values. The other files have the grammar of terms, the table of all
//! types, and the types with their JSON Schemas. The code in this module must not depend on where a value comes from (a
//! query, a body, a handler).
//!
//! The JSON Schema of a type describes the values after [decoding](Check::decode), which converts the text of a request
//! to a JSON value. Every value that passes the check is valid against the JSON Schema. The reverse is true too, if the
//! validator knows the [formats](SCHEMA_FORMATS) of this module, except for the values that the page `docs/types.md`
//! lists: no keyword of JSON Schema describes why the check rejects them. The JSON Schema of `file` validates nothing,
//! because an uploaded file is never a JSON value.

mod array;
mod bounds;
mod constant;
mod decimal;
mod file;
mod filename;
mod functions;
mod json_schema;
mod loose;
mod map;
mod moment;
mod named_schema;
mod nullable;
mod number;
mod object;
mod pattern;
mod simple_type;
mod string;
mod table;
mod term;
mod text_type;
mod union;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use thiserror::Error;

pub use file::includes_media_type;
pub use functions::Functions;
pub(crate) use functions::{AFTER_ATTRIBUTE, after_function_names, callback_function_name};
pub(crate) use json_schema::{branches, constants, for_each_inner_schema, kinds, reference_key, schemas_in};
#[cfg(feature = "documents")]
pub(crate) use moment::is_moment;
pub(crate) use moment::{datetime_pattern, utc_seconds_of};
pub use named_schema::{NamedSchema, SCHEMA_REFERENCE_PREFIX, all_referenced_schemas, complete_schema, is_shallow};
pub(crate) use named_schema::{SchemaCells, recursive_reference, replace_references, schema_reference};
#[cfg(feature = "documents")]
pub(crate) use named_schema::{add_info, info_with_type_description, schema_without_outer_references};
#[cfg(feature = "documents")]
pub(crate) use nullable::{nullable_schema, optional_schema};
pub use number::compare_numbers;
pub use object::ObjectShape;
pub(crate) use simple_type::{failed_type, is_failed_type};
pub use table::{CompiledTerm, NestedCheck, ObjectField, TermError, TermErrorKind, Types, UncompiledTerm};
pub(crate) use table::{FIELDS_ATTRIBUTE, nested_type_path};
pub(crate) use term::names_in_term;
pub use text_type::{SCHEMA_FORMATS, SchemaFormat};

use crate::call::{PhpArray, PhpItem, TypeMismatch, Value};
use crate::constraint::Constraint;

/// A type that definitions can name in terms such as `int(1,5)`. Programs add types with `Rulebook::add_type`.
///
/// ```
/// use std::borrow::Cow;
/// use std::sync::Arc;
///
/// # mod rulebook { pub mod types { pub use rulebook_model::{TypeMismatch, Value, types::*}; } }
/// use rulebook::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr, TypeMismatch, Value};
/// use serde_json::{Value as Json, json};
///
/// /// `even`: an even whole number.
/// #[derive(Debug, Clone, Copy)]
/// struct Even;
///
/// impl Type for Even {
///     fn name(&self) -> &str {
///         "even"
///     }
///
///     fn info(&self) -> &str {
///         "An even whole number."
///     }
///
///     fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
///         Ok(Arc::new(*self))
///     }
/// }
///
/// impl Check for Even {
///     fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
///         text.parse().map_or(Value::Text(text), Value::Int)
///     }
///
///     fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
///         match value {
///             Value::Int(int) if *int % 2 == 0 => Ok(()),
///             _ => Err(TypeMismatch::new(self.expected(), value)),
///         }
///     }
///
///     fn expected(&self) -> Cow<'static, str> {
///         "an even number".into()
///     }
///
///     fn schema(&self) -> Json {
///         json!({ "type": "integer", "multipleOf": 2 })
///     }
///
///     fn type_expr(&self) -> TypeExpr {
///         TypeExpr::term("even")
///     }
///
///     fn boundary_values(&self) -> Vec<Value<'static>> {
///         vec![Value::Int(i64::MIN), Value::Int(i64::MAX - 1)]
///     }
/// }
///
/// assert!(Even.check(&mut Value::Int(8)).is_ok());
/// assert!(Even.check(&mut Value::Int(7)).is_err());
/// ```
pub trait Type: Send + Sync {
    /// Returns the name in terms: ASCII letters, digits, `_` and `-`, beginning with a letter or `_`.
    fn name(&self) -> &str;

    /// Returns a sentence that describes the values of the type. The documentation shows the sentence.
    fn info(&self) -> &str;

    /// Returns the names of the attributes, such as `min`, that a definition can write next to a term.
    fn attributes(&self) -> &[&str] {
        &[]
    }

    /// Returns `true` if the argument at `index` (from 0) in parentheses is the term of a type, and no word.
    fn argument_is_type(&self, _index: usize) -> bool {
        false
    }

    /// Compiles a term that names this type to the check of its values.
    ///
    /// # Errors
    /// Fails if an argument or attribute is invalid, or contradicts another argument or attribute.
    fn compile(&self, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>;
}

/// A compiled type, which decodes and validates values.
///
/// A value that arrives as text (in a path, query, form, header field or cookie) is first [decoded](Check::decode).
/// Then the value is [checked](Check::check), like every other value. Implement the trait so that a value passes the
/// check exactly if it is valid against the [schema](Check::schema).
///
/// A type that extends another one returns the check of that type as its [base](Check::base). The provided methods then
/// return what the base returns.
pub trait Check: Send + Sync + Debug {
    /// Returns the check that the provided methods call.
    fn base(&self) -> Option<&dyn Check> {
        None
    }

    /// Converts a text of the request to a value of this type. If the text cannot be converted, the function returns
    /// the text unchanged, and [`check`](Check::check) rejects it.
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match self.base() {
            Some(base) => base.decode(text),
            None => Value::Text(text),
        }
    }

    /// Converts the text of a field such as `x[]` to an item or a member. As in PHP, it is not parsed as JSON if the
    /// type is `any`.
    fn decode_item<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match self.base() {
            Some(base) => base.decode_item(text),
            None => self.decode(text),
        }
    }

    /// Converts all texts of a parameter that occurs several times in the request to one value. The function is called
    /// only if [`arity`](Check::arity) is [`Arity::Many`].
    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        match self.base() {
            Some(base) => base.decode_many(texts),
            None => Value::List(texts.into_iter().map(Value::Text).collect()),
        }
    }

    /// Converts fields such as `x[]` and `x[a][b]` to one value. By default, every item remains a text, and
    /// [`check`](Check::check) rejects the value.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        match self.base() {
            Some(base) => base.decode_array(array),
            None => array.into_value(),
        }
    }

    /// Validates a value, and changes it to the form that handlers receive. Most types do not change their values. The
    /// value stays in its place, because moving each value of a large request takes as long as checking it.
    ///
    /// # Errors
    /// Fails if the value is not of this type. The error describes the expected and the received value. Parts of the
    /// value may have been changed.
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch>;

    /// Does the same as [`check`](Check::check) for a value that is passed by value.
    ///
    /// # Errors
    /// Fails if the value is not of this type.
    fn checked<'a>(&self, mut value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
        self.check(&mut value)?;
        Ok(value)
    }

    /// Returns a description of the valid values, such as "a whole number from 1 to 5". An error message inserts the
    /// description after the word "expected".
    fn expected(&self) -> Cow<'static, str>;

    /// Returns a description of the values for readers of the documentation, who do not know the types of definitions,
    /// such as "1 to 5 letters".
    fn in_words(&self) -> Cow<'static, str> {
        self.base().map_or_else(|| self.expected(), Check::in_words)
    }

    /// Returns the members of an object, or of the objects in an array, that the definition lists.
    fn members(&self) -> &[ObjectField] {
        self.base().map_or(&[], |base| base.members())
    }

    /// Returns the members that the definition lists if the type is an object, and `None` for other types.
    fn object_shape(&self) -> Option<ObjectShape> {
        self.base()?.object_shape()
    }

    /// Returns what the values of the type consist of, in the form that handlers receive.
    fn structure(&self) -> Structure {
        self.base().map_or(Structure::Scalar, Check::structure)
    }

    /// Compares two values that passed the check. Only numbers have an order by default.
    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        self.base().map_or_else(|| number::compare_numbers(one, other), |base| base.compare(one, other))
    }

    /// Returns the point in time that a value denotes: the seconds since 1970-01-01T00:00:00Z, and the nanoseconds from
    /// 0 to 999,999,999. Returns `None` if the type is not `datetime`, or if the value is not a text of it.
    fn point_in_time(&self, value: &Value<'_>) -> Option<(i64, u32)> {
        self.base()?.point_in_time(value)
    }

    /// Returns an error that is found only when all schemas of the definition are compiled.
    fn late_error(&self) -> Option<ArgumentError> {
        self.base()?.late_error()
    }

    /// Returns the schemas of the definition that this type refers to. Schemas to which only these schemas refer are
    /// not included; [`all_referenced_schemas`] returns them too.
    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.base().map(Check::referenced_schemas).unwrap_or_default()
    }

    /// Returns the JSON Schema (version 2020-12) of the values of this type. A reference to a schema of the definition
    /// begins with [`SCHEMA_REFERENCE_PREFIX`].
    fn schema(&self) -> Json;

    /// Returns `true` if the check accepts every value that is valid against the [schema](Check::schema), apart from
    /// reasons in the types of items and members. The page `docs/types.md` lists the built-in types whose checks reject
    /// some of these values.
    fn has_exact_schema(&self) -> bool {
        self.base().is_none_or(Check::has_exact_schema)
    }

    /// Returns the canonical notation of the type. Two checks are equal exactly if their notations are equal.
    fn type_expr(&self) -> TypeExpr;

    /// Returns valid values at the limits of the type, such as the smallest and the largest number, in the form that
    /// [`check`](Check::check) receives. At start, the server deserializes these values into the argument types of
    /// handlers, to prove that the handlers accept every valid value. The list is empty if no valid value can be
    /// generated, as for files.
    fn boundary_values(&self) -> Vec<Value<'static>>;

    /// Returns a typical valid value for the documentation, in the form that [`check`](Check::check) receives, or
    /// `None` if no valid value can be generated. Every call returns the same value.
    fn example(&self) -> Option<Value<'static>> {
        self.base().map_or_else(|| self.boundary_values().into_iter().next(), Check::example)
    }

    /// Returns a text that [`decode`](Check::decode) and [`check`](Check::check) convert to the value of a variable in
    /// a permission, such as 7 in `author[7]`; `None` if no text is known. By default, this is the value itself.
    fn text_for(&self, value: &str) -> Option<String> {
        self.base().map_or_else(|| Some(value.to_owned()), |base| base.text_for(value))
    }

    /// Returns whether a parameter of this type has one value, many values, one file or many files.
    fn arity(&self) -> Arity {
        self.base().map_or(Arity::One, Check::arity)
    }

    /// Returns `true` if null is a valid value of this type.
    fn accepts_null(&self) -> bool {
        self.base().is_some_and(Check::accepts_null)
    }

    /// Returns `true` if an optional value of the type can be left out, but cannot be null.
    fn refuses_null(&self) -> bool {
        self.base().is_some_and(Check::refuses_null)
    }

    /// Returns `true` if the text `null` in JSON is the value null, so that it does not count as a given value.
    fn reads_null_text(&self) -> bool {
        self.base().is_some_and(Check::reads_null_text)
    }

    /// Returns the maximum size of a valid value, which precedes the general limits of the API.
    fn max_size(&self) -> MaxSize {
        self.base().map(Check::max_size).unwrap_or_default()
    }

    /// Returns the media types that a file can have, such as `image/png`, or `image/*` for all images. If the list is
    /// empty, a file can have every media type.
    fn media_types(&self) -> &[String] {
        self.base().map_or(&[], Check::media_types)
    }

    /// Returns `true` if a file with this name and detected media type can be valid. Others are received but not
    /// stored.
    fn accepts_file(&self, filename: &str, media_type: &str) -> bool {
        self.base().is_none_or(|base| base.accepts_file(filename, media_type))
    }

    /// Returns `true` if the server may check a value before and again with all parameters, because the check has no
    /// side effects. If the early check fails, the files that follow in the body are not stored.
    fn can_check_early(&self) -> bool {
        self.base().is_some_and(Check::can_check_early)
    }
}

/// Returns the type in Python to which the library for Python converts the arguments of a type, if an annotation names
/// it; `None` for types whose values stay as they are in JSON.
#[must_use]
pub fn python_type(check: &dyn Check) -> Option<&'static str> {
    let term = check.type_expr().term;
    match term.split('(').next().unwrap_or_default() {
        "decimal" => Some("Decimal"),
        "uuid" => Some("UUID"),
        "date" => Some("date"),
        "datetime" => Some("datetime"),
        "time" => Some("time"),
        _ => None,
    }
}

/// The maximum size of a valid value of a type. `None` in a field means that the size is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxSize {
    /// The maximum number of items of an array.
    pub items: Option<u64>,
    /// The maximum size of a file in bytes. If a parameter has several files, the maximum applies to each file.
    pub bytes: Option<u64>,
}

/// The number of values in a request that together form the value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// The parameter has one value; a second value in the request is an error.
    One,
    /// The parameter has any number of values.
    Many,
    /// The parameter has one uploaded file.
    File,
    /// The parameter has any number of uploaded files.
    Files,
}

/// The notation of a type in a definition: a term such as `int`, and attributes such as `"min": 1`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypeExpr {
    /// The term, without the `?` that marks an optional parameter.
    pub term: String,
    /// The attributes of the type, in the order `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `params`,
    /// `value`, `tag`, `of`, `keys`, `items`, `fields`.
    pub attributes: Map<String, Json>,
}

impl TypeExpr {
    /// Creates the notation of a type without attributes.
    pub fn term(term: impl Into<String>) -> Self {
        Self { term: term.into(), attributes: Map::new() }
    }

    /// Adds an attribute if it has a value.
    fn with(mut self, attribute: &str, value: Option<impl Into<Json>>) -> Self {
        self.attributes.extend(value.map(|value| (attribute.to_owned(), value.into())));
        self
    }

    /// Returns the names in the type, without its fields, that can be the names of schemas.
    #[cfg(feature = "documents")]
    pub(crate) fn names(&self) -> Vec<String> {
        term::names_in_type(&self.term, &self.attributes).into_iter().map(str::to_owned).collect()
    }

    /// Returns the type as an attribute contains it: the term, or an object if there are attributes.
    fn into_json(self) -> Json {
        if self.attributes.is_empty() { Json::String(self.term) } else { self.into_object() }
    }

    /// Returns the type as an object with the term under `type` and with the attributes.
    fn into_object(self) -> Json {
        let Self { term, attributes } = self;
        Json::Object([("type".to_owned(), Json::String(term))].into_iter().chain(attributes).collect())
    }
}

/// Decodes an item of an array that the names of fields describe. `check` is the check of the item's type.
fn decode_item<'a>(check: &dyn Check, item: PhpItem<'a>) -> Value<'a> {
    match item {
        PhpItem::Value(Value::Text(text)) => check.decode_item(text),
        PhpItem::Value(value) => value,
        PhpItem::Array(array) => check.decode_array(*array),
    }
}

/// Equal values are kept once.
fn keep_valid_values(check: &dyn Check, candidates: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut valid = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if check.checked(candidate.clone()).is_ok() && !valid.contains(&candidate) {
            valid.push(candidate);
        }
    }
    valid
}

/// Returns the first candidate that passes `check`, or else the first boundary value.
fn first_valid_value(
    check: &dyn Check,
    candidates: impl IntoIterator<Item = Value<'static>>,
) -> Option<Value<'static>> {
    let mut candidates = candidates.into_iter();
    let valid = candidates.find(|candidate| check.checked(candidate.clone()).is_ok());
    valid.or_else(|| check.boundary_values().into_iter().next())
}

/// The arguments and attributes that a definition writes for a type.
#[derive(Debug)]
pub struct TypeArguments<'a> {
    /// The name of the type in the definition, such as `int` in `int(1,5)`. It may be a synonym, such as `varchar`.
    pub name: &'a str,
    /// The arguments in the brackets of the term, for example `1` and `5` in `int(1,5)`.
    pub positional: &'a [TypeArgument],
    /// The attributes next to the term, such as `min`. The type [knows](Type::attributes) all of them.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`; `None` if the definition or the type does not have it.
    pub fields: Option<&'a [ObjectField]>,
    /// The constraints of the schemas whose fields an object extends.
    inherited_constraints: &'a [Constraint],
    /// `true` if fields of the object are missing because of an error, so that an unknown field is not a further error.
    has_missing_fields: bool,
    /// The time zone that applies to dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
    /// The functions that the attribute `callback` can name.
    functions: &'a Functions,
    /// The types in the attributes of the whole type expression.
    nested_types: &'a [NestedCheck],
    /// The path of the attributes, which precedes the name of an attribute in [`NestedCheck::attribute`].
    path: &'a str,
}

/// An argument in the brackets of a term.
#[derive(Debug, Clone)]
pub enum TypeArgument {
    /// A word, a number or a list such as `a|b|c`, as the definition writes it.
    Word(String),
    /// The compiled check of another type, such as `int` in `array<int>`.
    Type(Arc<dyn Check>),
}

/// An error in the arguments or attributes that a definition writes for a type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ArgumentError {
    /// The kind of error, which determines the code of the diagnostic.
    pub kind: ArgumentErrorKind,
    /// The path of the invalid attribute, such as `items.max`. `None` if the error is in the term.
    pub attribute: Option<String>,
    /// The text that describes the error.
    pub message: String,
    /// A sentence that explains how to fix the error.
    pub help: Option<String>,
    /// Further errors in the attributes of the same type.
    others: Vec<Self>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// The type does not accept an argument, or does not accept the value of an attribute (`bad-type-argument`).
    Invalid,
    /// The lower bound is above the upper bound, or a bound is given twice (`bad-bounds`).
    Bounds,
    /// The type requires a set of allowed values, which is missing (`missing-range`).
    MissingRange,
    /// The type does not have this attribute (`bad-option`).
    UnknownAttribute,
    /// A value could have two of the types of a union (`union-overlap`).
    Overlap,
    /// A constraint between the fields of an object has an error (`bad-constraint`).
    Constraint,
}

impl ArgumentError {
    /// Creates an error in the term of a type. [`at`](Self::at) changes it to an error in an attribute.
    pub fn new(kind: ArgumentErrorKind, message: impl Into<String>) -> Self {
        Self { kind, attribute: None, message: message.into(), help: None, others: Vec::new() }
    }

    /// Sets the name of the attribute that has the error.
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.to_owned());
        self
    }

    /// Adds a sentence that explains how to fix the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Joins several errors, because the compilation of a type returns one error. Returns `None` without errors.
    fn join(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.others.extend(errors.flat_map(Self::into_all));
        Some(first)
    }

    /// Returns the error and the errors that are joined with it.
    pub(crate) fn into_all(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.others);
        std::iter::once(self).chain(others).collect()
    }
}

impl TypeArguments<'_> {
    /// Checks that the term has no arguments in brackets.
    ///
    /// # Errors
    /// Fails if the term has arguments.
    pub fn expect_no_arguments(&self) -> Result<(), ArgumentError> {
        if self.positional.is_empty() {
            return Ok(());
        }
        let name = self.name;
        Err(self.error(format!("`{name}` has no arguments")).help(format!("write `{name}`")))
    }

    /// Returns the value of the attribute with this name, which must be a text. Returns `None` if the definition does
    /// not have the attribute.
    ///
    /// # Errors
    /// Fails if the attribute's value is not a text.
    pub fn text(&self, attribute: &str) -> Result<Option<&str>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(format!("`{attribute}` must be a string")).at(attribute)),
        }
    }

    /// Returns the value of the attribute with this name, which must be a list of texts. A single text is split at
    /// commas; numbers in a list are converted to text. Returns `None` if the definition does not have the attribute.
    ///
    /// # Errors
    /// Fails if the attribute's value is neither a text nor a list of texts and numbers.
    pub fn texts(&self, attribute: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        let error = || self.error(format!("`{attribute}` must be a list of strings")).at(attribute);
        let to_text = |item: &Json| match item {
            Json::String(text) => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            _ => Err(error()),
        };
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.split(',').map(|part| part.trim().to_owned()).collect())),
            Some(Json::Array(items)) => items.iter().map(to_text).collect::<Result<_, _>>().map(Some),
            Some(_) => Err(error()),
        }
    }

    /// Returns the types in the attribute with this name, in the order of the definition.
    fn types_in(&self, attribute: &str) -> impl Iterator<Item = &NestedCheck> {
        let is_in = move |nested: &&NestedCheck| nested.attribute.strip_prefix(self.path) == Some(attribute);
        self.nested_types.iter().filter(is_in)
    }

    /// Creates an error of the kind [`ArgumentErrorKind::Invalid`] in the term of the type.
    fn error(&self, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(ArgumentErrorKind::Invalid, message)
    }
}

/// What the values of a type consist of. Generators of code read it from [`Check::structure`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Structure {
    /// A single value, or a value without a known structure.
    Scalar,
    /// A list of values of this type.
    Array(Arc<dyn Check>),
    /// An object with members of any names, whose values have this type.
    Map(Arc<dyn Check>),
    /// An object with these members.
    Object(ObjectShape),
    /// Null, or a value of this type.
    Nullable(Arc<dyn Check>),
    /// A value of a schema of the definition.
    Schema(Arc<NamedSchema>),
    /// A value of one of these types. No value has two of them.
    Union(Vec<Arc<dyn Check>>),
    /// An object of one of several types.
    TaggedUnion {
        /// The name of the member that identifies the type of an object.
        tag: String,
        /// The values of this member, each with the type of the objects.
        branches: Vec<(String, Arc<dyn Check>)>,
    },
}
