//! What a type is, and what a compiled one does.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{ArgumentError, Arguments};
use crate::call::{Mismatch, Value};

/// A kind of values that definitions can name. Users add their own to the table.
///
/// ```
/// use std::borrow::Cow;
/// use std::sync::Arc;
///
/// use rulebook::types::{ArgumentError, Arguments, Check, Type, Written};
/// use rulebook::{Mismatch, Rulebook, Unbound, Value};
/// use serde_json::{Value as Json, json};
///
/// /// `even`: whole numbers that two divides.
/// #[derive(Debug, Clone, Copy)]
/// struct Even;
///
/// impl Type for Even {
///     fn name(&self) -> &str {
///         "even"
///     }
///
///     fn info(&self) -> &str {
///         "a whole number that two divides"
///     }
///
///     fn compile(&self, _: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
///         Ok(Arc::new(*self))
///     }
/// }
///
/// impl Check for Even {
///     fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
///         text.parse().map_or(Value::Text(text), Value::Int)
///     }
///
///     fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
///         match value {
///             Value::Int(int) if int % 2 == 0 => Ok(value),
///             _ => Err(Mismatch::new(self.expected(), &value)),
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
///     fn written(&self) -> Written {
///         Written::term("even")
///     }
///
///     fn extremes(&self) -> Vec<Value<'static>> {
///         vec![Value::Int(i64::MIN), Value::Int(i64::MAX - 1)]
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let definition = r#"{ "/": { "half": { "GET": { "info": "Halves it", "in": {
/// #     "GET@of": { "info": "Of what", "type": "even", "name": "of" } } } } } }"#;
/// let rulebook = Rulebook::read(vec![("half.json".into(), definition.into())]).add_type(Even);
/// let engine = rulebook.unbound(Unbound::Echo).build()?;
/// assert!(engine.call("GET /half?of=8").send().await.error().is_none());
/// let refused = engine.call("GET /half?of=7").send().await;
/// assert_eq!(refused.error().unwrap().to_string(), "of in the query: expected an even number, got 7");
/// # Ok(()) })
/// # }
/// ```
pub trait Type: Send + Sync {
    /// Its name in terms: ASCII letters, digits, `_` and `-`, not beginning with a digit or `-`.
    fn name(&self) -> &str;

    /// What it takes, in a sentence for documents.
    fn info(&self) -> &str;

    /// The attributes that may stand beside a term of this type; any other is refused.
    fn attributes(&self) -> &[&str] {
        &[]
    }

    /// Whether the n-th argument in round brackets, counted from 0, is a type and no word.
    fn takes_type(&self, _argument: usize) -> bool {
        false
    }

    /// Makes the check for a term of this type.
    ///
    /// # Errors
    /// An argument or attribute is wrong, or contradicts another.
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

    /// Values at the edges of what passes, for trying handlers out at start, as
    /// they are before the check. All of them pass; there are none where none
    /// can be made, as of files.
    fn extremes(&self) -> Vec<Value<'static>>;

    /// A value that shows what passes, for documents: pleasant to read, as it is before the check, and always the same.
    /// None where none can be made.
    fn example(&self) -> Option<Value<'static>> {
        self.extremes().into_iter().next()
    }

    /// A client's text of which the check makes this value, which stands as a text in a permission: the same text,
    /// unless the check gives handlers something else than came. None where there is none, or where it cannot be found.
    fn text_for(&self, value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    /// Whether one value, several, or files fill a parameter of this type.
    fn takes(&self) -> Takes {
        Takes::One
    }

    /// Whether null is one of its values.
    fn takes_null(&self) -> bool {
        false
    }

    /// How much passes at most, where that is known before there is a value: a body is held to it while it comes, in
    /// place of the limits for all.
    fn most(&self) -> Most {
        Most::default()
    }

    /// Whether a file can pass that the client called so, and that was recognised as of this media type. Asked when its
    /// first bytes have come: one that cannot is received, but not kept.
    fn may_take(&self, _filename: &str, _media_type: &str) -> bool {
        true
    }

    /// Whether a value may be checked as soon as it has come, and once more in its turn: files behind one that does not
    /// pass are received, but not kept. Only where a check does nothing but look.
    fn is_early(&self) -> bool {
        false
    }
}

/// How much of a body passes a check at most; none where any number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Most {
    /// Items of a list.
    pub items: Option<u64>,
    /// Bytes of a file, of each where it is a list of them.
    pub bytes: Option<u64>,
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
    /// `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `params`, `items`, `fields`, in this order, as far as there are any.
    pub attributes: Map<String, Json>,
}

impl Written {
    /// A term without attributes.
    pub fn term(term: impl Into<String>) -> Self {
        Self { term: term.into(), attributes: Map::new() }
    }
}

/// Those of `candidates` that `check` lets pass: extremes that are guessed first and tried then.
pub(super) fn passing(check: &dyn Check, candidates: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut passing = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if check.check(candidate.clone()).is_ok() && !passing.contains(&candidate) {
            passing.push(candidate);
        }
    }
    passing
}

/// The first of `candidates` that `check` lets pass, else its first extreme.
pub(super) fn example(
    check: &dyn Check,
    candidates: impl IntoIterator<Item = Value<'static>>,
) -> Option<Value<'static>> {
    let mut candidates = candidates.into_iter();
    let passing = candidates.find(|candidate| check.check(candidate.clone()).is_ok());
    passing.or_else(|| check.extremes().into_iter().next())
}
