//! The functions of the attributes `after` and `callback`: those of the program, and some PHP functions.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::call::{CustomError, TypeMismatch, Value, Violation};

/// A function of the program. It receives a value and the attribute `params`, and returns the value for handlers.
type CustomFunction = dyn Fn(&Json, Option<&Json>) -> Result<Json, CustomError> + Send + Sync;

/// The functions that definitions can name: the functions of the program and the built-in functions.
#[derive(Clone, Default)]
pub struct Functions {
    custom_functions: BTreeMap<String, Arc<CustomFunction>>,
}

impl Functions {
    /// Adds a function of the program. If a function with this name was added before, it is replaced.
    pub fn add<F>(&mut self, name: impl Into<String>, function: F)
    where
        F: Fn(&Json, Option<&Json>) -> Result<Json, CustomError> + Send + Sync + 'static,
    {
        self.custom_functions.insert(name.into(), Arc::new(function));
    }

    /// Returns the names of the functions that the program has added.
    pub fn custom_names(&self) -> impl Iterator<Item = &str> {
        self.custom_functions.keys().map(String::as_str)
    }

    /// Returns the name and description of each built-in function. Names are compared without regard to case.
    pub fn builtin_names_and_descriptions() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILTIN_FUNCTIONS.iter().map(|builtin| (builtin.name, builtin.description))
    }

    /// Returns the program's function with this name, or else the built-in function if `include_builtin` is `true`.
    fn find(&self, name: &str, include_builtin: bool) -> Option<Function> {
        let is_named = |builtin: &&BuiltinFunction| include_builtin && builtin.name.eq_ignore_ascii_case(name);
        let custom = self.custom_functions.get(name).cloned().map(Function::Custom);
        custom.or_else(|| BUILTIN_FUNCTIONS.iter().find(is_named).map(Function::Builtin))
    }

    pub(crate) fn contains(&self, name: &str, include_builtin: bool) -> bool {
        self.find(name, include_builtin).is_some()
    }

    pub(super) fn named(&self, name: String, include_builtin: bool) -> NamedFunction {
        NamedFunction { function: self.find(&name, include_builtin), name }
    }
}

impl Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.custom_names()).finish()
    }
}

/// A function that a definition names.
#[derive(Debug)]
pub(super) struct NamedFunction {
    pub(super) name: String,
    /// The function; `None` if the program has not registered it. The command line can then describe the definition,
    /// but the server does not start.
    pub(super) function: Option<Function>,
}

impl NamedFunction {
    /// Replaces a value by the result of the function, which also receives `params` if it is one of the program.
    pub(super) fn apply(&self, value: &mut Value<'_>, params: Option<&Json>) -> Result<(), TypeMismatch> {
        let result = match &self.function {
            None => return Ok(()),
            Some(Function::Custom(custom)) => {
                custom(&value.to_json(), params).map(|json| Value::from(&json).into_owned())
            }
            Some(Function::Builtin(builtin)) => Ok((builtin.transform)(value.reborrow()).into_owned()),
        };
        *value = result.map_err(|error| {
            TypeMismatch::new(self.accepted_values(), value).with_violation(Violation::Custom(error))
        })?;
        Ok(())
    }

    pub(super) fn accepted_values(&self) -> String {
        format!("a value that `{}` accepts", self.name)
    }
}

#[derive(Clone)]
pub(super) enum Function {
    Custom(Arc<CustomFunction>),
    Builtin(&'static BuiltinFunction),
}

impl Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Custom(_) => "custom",
            Self::Builtin(builtin) => builtin.name,
        })
    }
}

/// A built-in function, which has the name and the effect of a PHP function.
pub(super) struct BuiltinFunction {
    name: &'static str,
    description: &'static str,
    /// Returns the changed value. A value of a kind that the function cannot change is returned unchanged.
    transform: for<'a> fn(Value<'a>) -> Value<'a>,
}

/// The built-in functions: the PHP functions whose effect on UTF-8 texts and on arrays is unambiguous.
static BUILTIN_FUNCTIONS: &[BuiltinFunction] = &[
    builtin("trim", "Removes white space from both ends of a text.", |value| {
        map_text_to_slice(value, |text| text.trim_matches(TRIMMED_CHARACTERS))
    }),
    builtin("ltrim", "Removes white space from the start of a text.", |value| {
        map_text_to_slice(value, |text| text.trim_start_matches(TRIMMED_CHARACTERS))
    }),
    builtin("rtrim", "Removes white space from the end of a text.", |value| {
        map_text_to_slice(value, |text| text.trim_end_matches(TRIMMED_CHARACTERS))
    }),
    builtin("strtolower", "Converts the letters A to Z to lower case.", |value| {
        map_text(value, str::to_ascii_lowercase)
    }),
    builtin("strtoupper", "Converts the letters a to z to upper case.", |value| {
        map_text(value, str::to_ascii_uppercase)
    }),
    builtin("array_unique", "Removes duplicate items from an array, except for the first of equal items.", |value| {
        map_items(value, |items| {
            let mut seen = HashSet::with_capacity(items.len());
            items.retain(|item| seen.insert(comparison_text(item)));
        })
    }),
    builtin("array_reverse", "Reverses the order of the items of an array.", |value| {
        map_items(value, |items| items.reverse())
    }),
];

const fn builtin(
    name: &'static str,
    description: &'static str,
    transform: for<'a> fn(Value<'a>) -> Value<'a>,
) -> BuiltinFunction {
    BuiltinFunction { name, description, transform }
}

/// The characters that PHP's `trim` removes.
const TRIMMED_CHARACTERS: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\x0b'];

/// Replaces a text by the part of it that `slice` returns. A borrowed text stays borrowed, so nothing is copied.
fn map_text_to_slice<'a>(value: Value<'a>, slice: fn(&str) -> &str) -> Value<'a> {
    match value {
        Value::Text(Cow::Borrowed(text)) => Value::Text(Cow::Borrowed(slice(text))),
        other => map_text(other, |text| slice(text).to_owned()),
    }
}

fn map_text(value: Value<'_>, change: impl Fn(&str) -> String) -> Value<'_> {
    match value {
        Value::Text(text) => Value::from(change(&text)),
        other => other,
    }
}

fn map_items(mut value: Value<'_>, change: fn(&mut Vec<Value<'_>>)) -> Value<'_> {
    if let Value::List(items) = &mut value {
        change(items);
    }
    value
}

/// Returns the text by which two items of an array are compared. The number 1 and the text `1` are equal, as in PHP.
fn comparison_text(item: &Value<'_>) -> String {
    match item {
        Value::Text(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}
