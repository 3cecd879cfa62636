//! The types that parameters can have, each compiled from a term to a check.
//!
//! In charge of what a value must be: the grammar of terms, one file a type,
//! the table of all types, and each type's JSON Schema. Must not know where a
//! value came from.

mod table;

pub use table::{Compiled, Field, TermError, TermErrorKind, TermText, Types};

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::call::{Mismatch, Value};

/// A kind of values that definitions can name. Users add their own to the table.
pub trait Type: Send + Sync {
    /// Its name in terms.
    fn name(&self) -> &str;

    /// What it takes, in a sentence for documents.
    fn info(&self) -> &str;

    /// Makes the check for a term of this type.
    ///
    /// # Errors
    /// An argument or attribute is wrong, contradicts another, or is not one of this type's.
    fn compile(&self, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError>;
}

/// What a compiled term does to the values of a request.
///
/// A value is [decoded](Check::decode) first where it came as text, then
/// [checked](Check::check). A value passes the check exactly if it passes the
/// [schema](Check::schema).
pub trait Check: Send + Sync + Debug {
    /// Reads a client's text as the kind of value that this type takes; what
    /// cannot be read so stays the text that it was, for the check to refuse.
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        Value::Text(text)
    }

    /// Reads the texts of a parameter that stands several times. Only asked of
    /// checks that [take many](Check::takes).
    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        Value::List(texts.into_iter().map(Value::Text).collect())
    }

    /// Lets a value pass, in the form in which handlers get it, or says what was expected.
    ///
    /// # Errors
    /// The value is not one of this type.
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch>;

    /// What passes, to be read behind "expected": "a whole number from 1 to 5".
    fn expected(&self) -> Cow<'static, str>;

    /// The type as JSON Schema 2020-12.
    fn schema(&self) -> Json;

    /// The canonical way to write this type down.
    fn written(&self) -> Written;

    /// Values at the edges of what passes, for trying handlers out at start.
    fn extremes(&self) -> Vec<Value<'static>>;

    /// Whether one value, several, or files fill a parameter of this type.
    fn takes(&self) -> Takes {
        Takes::One
    }

    /// Whether null is one of its values.
    fn takes_null(&self) -> bool {
        false
    }
}

/// How many values of a request make one value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One: a second is refused.
    One,
    /// Any number.
    Many,
    /// One uploaded file.
    File,
    /// Any number of uploaded files.
    Files,
}

/// A type as it is written in a definition: the term, and the attributes beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The term, without the `?` of an optional one.
    pub term: String,
    /// `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `fields`, `params`, in this order, as far as there are any.
    pub attributes: Map<String, Json>,
}

/// What a type is compiled from.
#[derive(Debug)]
pub struct Arguments<'a> {
    /// The arguments in the brackets of the term.
    pub terms: &'a [Argument],
    /// The attributes beside it; a type takes out those that it knows, what is left is refused.
    pub attributes: &'a Map<String, Json>,
    /// The zone of dates and times that name none.
    pub timezone: &'a jiff::tz::TimeZone,
}

/// An argument of a term.
#[derive(Debug, Clone)]
pub enum Argument {
    /// A word, number or `a|b|c`, as it is written.
    Word(String),
    /// A type.
    Type(Arc<dyn Check>),
}

/// Why a term's arguments or attributes do not make a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError {
    /// In which way, which decides the diagnostic's code.
    pub kind: ArgumentErrorKind,
    /// The attribute at fault; none where it is the term.
    pub attribute: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentErrorKind {
    /// Not what the type takes (`bad-type-argument`).
    Bad,
    /// A lower bound over an upper one (`bad-bounds`).
    Bounds,
    /// A set of values that is needed and not there (`missing-range`).
    MissingRange,
    /// An attribute that this type does not have (`bad-option`).
    Unknown,
}
