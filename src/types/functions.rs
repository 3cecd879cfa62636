//! Functions that definitions name: the program's own, and those of PHP that only change a text or a list.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::call::{Objection, Value};

/// A function of the program: it is given a value and the `params` of its rule, and gives what handlers get.
type Own = dyn Fn(&Json, Option<&Json>) -> Result<Json, Objection> + Send + Sync;

/// The functions that definitions can name.
#[derive(Clone, Default)]
pub struct Functions {
    own: BTreeMap<String, Arc<Own>>,
}

impl Functions {
    /// Adds a function of the program; one of the same name is replaced.
    pub fn add<F>(&mut self, name: impl Into<String>, function: F)
    where
        F: Fn(&Json, Option<&Json>) -> Result<Json, Objection> + Send + Sync + 'static,
    {
        self.own.insert(name.into(), Arc::new(function));
    }

    /// The names of the program's functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str)
    }

    /// The functions of PHP that are known without the program's, each with what it does. Their names compare
    /// without regard to case, as in PHP.
    pub fn builtin() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILTIN.iter().map(|known| (known.name, known.info))
    }

    /// The program's function of this name.
    pub(super) fn own(&self, name: &str) -> Option<Function> {
        self.own.get(name).cloned().map(Function::Own)
    }

    /// The program's function of this name, or the known one.
    pub(super) fn any(&self, name: &str) -> Option<Function> {
        let known = || BUILTIN.iter().find(|known| known.name.eq_ignore_ascii_case(name)).map(Function::Builtin);
        self.own(name).or_else(known)
    }

    /// Whether there is a function of this name: one of the program's, or also a known one.
    pub(crate) fn has(&self, name: &str, known_too: bool) -> bool {
        if known_too { self.any(name).is_some() } else { self.own.contains_key(name) }
    }
}

impl Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// A function that was found.
#[derive(Clone)]
pub(super) enum Function {
    Own(Arc<Own>),
    Builtin(&'static Builtin),
}

impl Function {
    /// Calls it.
    pub(super) fn call<'a>(&self, value: Value<'a>, params: Option<&Json>) -> Result<Value<'a>, Objection> {
        match self {
            Self::Own(own) => own(&value.to_json(), params).map(|json| Value::from(&json)),
            Self::Builtin(known) => Ok((known.change)(value)),
        }
    }
}

impl Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own(_) => "own",
            Self::Builtin(known) => known.name,
        })
    }
}

/// A known function.
pub(super) struct Builtin {
    name: &'static str,
    info: &'static str,
    change: for<'a> fn(Value<'a>) -> Value<'a>,
}

/// Those whose meaning for texts of UTF-8 and for lists is beyond doubt. What they do not take stays as it is.
static BUILTIN: &[Builtin] = &[
    Builtin { name: "trim", info: "Leaves out blanks at both ends.", change: trim },
    Builtin { name: "ltrim", info: "Leaves out blanks at the beginning.", change: ltrim },
    Builtin { name: "rtrim", info: "Leaves out blanks at the end.", change: rtrim },
    Builtin { name: "strtolower", info: "Makes the letters A to Z small.", change: strtolower },
    Builtin { name: "strtoupper", info: "Makes the letters a to z capital.", change: strtoupper },
    Builtin { name: "array_unique", info: "Leaves out items that are there already.", change: array_unique },
    Builtin { name: "array_reverse", info: "Turns the order of items round.", change: array_reverse },
];

/// What PHP's `trim` takes for blank.
const BLANK: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\x0b'];

fn trim(value: Value<'_>) -> Value<'_> {
    part(value, |text| text.trim_matches(BLANK))
}

fn ltrim(value: Value<'_>) -> Value<'_> {
    part(value, |text| text.trim_start_matches(BLANK))
}

fn rtrim(value: Value<'_>) -> Value<'_> {
    part(value, |text| text.trim_end_matches(BLANK))
}

/// A part of a text, borrowed where the text is.
fn part<'a>(value: Value<'a>, of: fn(&str) -> &str) -> Value<'a> {
    match value {
        Value::Text(Cow::Borrowed(text)) => Value::Text(Cow::Borrowed(of(text))),
        Value::Text(Cow::Owned(text)) => Value::from(of(&text).to_owned()),
        other => other,
    }
}

fn strtolower(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Text(text) => Value::from(text.to_ascii_lowercase()),
        other => other,
    }
}

fn strtoupper(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Text(text) => Value::from(text.to_ascii_uppercase()),
        other => other,
    }
}

fn array_unique(value: Value<'_>) -> Value<'_> {
    match value {
        Value::List(mut items) => {
            let mut seen = HashSet::with_capacity(items.len());
            items.retain(|item| seen.insert(text(item)));
            Value::List(items)
        }
        other => other,
    }
}

/// What two items are compared by: PHP takes the number 1 and the text `1` for the same.
fn text(item: &Value<'_>) -> String {
    match item {
        Value::Text(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}

fn array_reverse(value: Value<'_>) -> Value<'_> {
    match value {
        Value::List(mut items) => {
            items.reverse();
            Value::List(items)
        }
        other => other,
    }
}
