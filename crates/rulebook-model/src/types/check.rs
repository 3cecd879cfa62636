//! The traits of types: [`Type`] compiles terms, [`Check`] validates values.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{ArgumentError, TypeArguments};
use crate::call::{TypeMismatch, Value};

/// A type that definitions can name. Programs add types with `Rulebook::add_type`.
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
///     fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
///         match value {
///             Value::Int(int) if int % 2 == 0 => Ok(value),
///             _ => Err(TypeMismatch::new(self.expected(), &value)),
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
/// assert!(Even.check(Value::Int(8)).is_ok());
/// assert!(Even.check(Value::Int(7)).is_err());
/// ```
pub trait Type: Send + Sync {
    /// Returns the name of the type in terms: ASCII letters, digits, `_` and `-`. The first character must be a letter
    /// or `_`.
    fn name(&self) -> &str;

    /// Returns a sentence that describes the values of the type, for documentation.
    fn info(&self) -> &str;

    /// Returns the attributes that a definition can give this type. Any other attribute is an error.
    fn attributes(&self) -> &[&str] {
        &[]
    }

    /// Returns `true` if the argument at `index` in parentheses, counted from 0, is a type instead of a word.
    fn argument_is_type(&self, _index: usize) -> bool {
        false
    }

    /// Compiles a term that names this type.
    ///
    /// # Errors
    /// Fails if an argument or attribute is invalid, or contradicts another one.
    fn compile(&self, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>;
}

/// A compiled type, which decodes and validates values.
///
/// A value that arrives as text (in a path, query, form, header or cookie) is first [decoded](Check::decode); then
/// every value is [checked](Check::check). A value should be valid exactly if it is valid against the
/// [schema](Check::schema).
pub trait Check: Send + Sync + Debug {
    /// Converts a text of the request to a value of this type. A text that cannot be converted is returned as it is, so
    /// that [`check`](Check::check) rejects it.
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        Value::Text(text)
    }

    /// Converts the texts of a parameter that occurs several times in the request. Called only if
    /// [`arity`](Check::arity) is [`Arity::Many`].
    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        Value::List(texts.into_iter().map(Value::Text).collect())
    }

    /// Validates a value, and returns it in the form that handlers receive.
    ///
    /// # Errors
    /// Fails if the value is not of this type; the error describes the expected and the received value.
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch>;

    /// Returns a description of a valid value, as it follows "expected" in an error message: "a whole number from 1 to
    /// 5".
    fn expected(&self) -> Cow<'static, str>;

    /// Returns the type as JSON Schema 2020-12.
    fn schema(&self) -> Json;

    /// Returns the canonical notation of the type in a definition. Types with the same notation are equal.
    fn type_expr(&self) -> TypeExpr;

    /// Returns valid values at the limits of the type, such as the smallest and the largest number, in the form that
    /// [`check`](Check::check) receives. At start the server deserializes them into the arguments of handlers, to prove
    /// that the handlers accept every valid value. The list is empty if no value can be generated, as for files.
    fn boundary_values(&self) -> Vec<Value<'static>>;

    /// Returns a typical valid value for documentation, in the form that [`check`](Check::check) receives. Every call
    /// returns the same value; `None` if no value can be generated.
    fn example(&self) -> Option<Value<'static>> {
        self.boundary_values().into_iter().next()
    }

    /// Returns a text that [`decode`](Check::decode) and [`check`](Check::check) convert to `value`, which is the value
    /// of a variable in a permission such as `author[7]`. The default returns `value` itself; types whose check changes
    /// the value override it. `None` if no such text exists or if it cannot be determined.
    fn text_for(&self, value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    /// Returns whether a parameter of this type takes one or many values, or one or many files.
    fn arity(&self) -> Arity {
        Arity::One
    }

    /// Returns `true` if null is a valid value.
    fn accepts_null(&self) -> bool {
        false
    }

    /// Returns the maximum size of a valid value. While a body is received, these limits apply to the parameter instead
    /// of the general limits of the API.
    fn max_size(&self) -> MaxSize {
        MaxSize::default()
    }

    /// Returns `true` if a file with this name and detected media type can be valid. Called after the first bytes of
    /// the file have been received; a file that cannot be valid is received but not stored.
    fn accepts_file(&self, _filename: &str, _media_type: &str) -> bool {
        true
    }

    /// Returns `true` if a value can be checked as soon as it has been received, and again when all parameters are
    /// checked. If the early check fails, the files that follow in the body are received but not stored. Return `true`
    /// only if [`check`](Check::check) has no side effects.
    fn can_check_early(&self) -> bool {
        false
    }
}

/// The maximum size of a valid value; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxSize {
    /// The number of items of an array.
    pub items: Option<u64>,
    /// The size of a file in bytes, of each file if there are several.
    pub bytes: Option<u64>,
}

/// How many values of a request form the value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// One value; a second one is an error.
    One,
    /// Any number of values.
    Many,
    /// One uploaded file.
    File,
    /// Any number of uploaded files.
    Files,
}

/// The notation of a type in a definition: a term, and attributes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypeExpr {
    /// The term, without the `?` of an optional parameter.
    pub term: String,
    /// The attributes, in the order `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `params`, `items`,
    /// `fields`.
    pub attributes: Map<String, Json>,
}

impl TypeExpr {
    /// Creates a type notation without attributes.
    pub fn term(term: impl Into<String>) -> Self {
        Self { term: term.into(), attributes: Map::new() }
    }
}

/// Returns the candidates that are valid, without duplicates.
pub(super) fn keep_valid(check: &dyn Check, candidates: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut valid = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if check.check(candidate.clone()).is_ok() && !valid.contains(&candidate) {
            valid.push(candidate);
        }
    }
    valid
}

/// Returns the first valid candidate, or the first boundary value of `check`.
pub(super) fn first_valid(
    check: &dyn Check,
    candidates: impl IntoIterator<Item = Value<'static>>,
) -> Option<Value<'static>> {
    let mut candidates = candidates.into_iter();
    let valid = candidates.find(|candidate| check.check(candidate.clone()).is_ok());
    valid.or_else(|| check.boundary_values().into_iter().next())
}
