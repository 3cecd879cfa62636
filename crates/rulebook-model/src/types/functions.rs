//! The functions that definitions name: those of the program, and some PHP functions.
//!
//! The attribute `after` of any type names functions that are called one after the other with a valid value. The type
//! `callable` accepts any value that the function in its attribute `callback` accepts, which no JSON Schema can
//! describe.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, ArgumentErrorKind, Arity, Check, ObjectShape, Structure, TypeArguments, TypeExpr};
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

    fn named(&self, name: String, include_builtin: bool) -> NamedFunction {
        NamedFunction { function: self.find(&name, include_builtin), name }
    }
}

impl Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.custom_names()).finish()
    }
}

#[derive(Debug)]
struct NamedFunction {
    pub(super) name: String,
    /// The function; `None` if the program has not registered it. The command line can then describe the definition,
    /// but the server does not start.
    pub(super) function: Option<Function>,
}

impl NamedFunction {
    /// The function also receives `params` if it is one of the program.
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

    fn accepted_values(&self) -> String {
        format!("a value that `{}` accepts", self.name)
    }
}

#[derive(Clone)]
enum Function {
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

struct BuiltinFunction {
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

pub(crate) const AFTER_ATTRIBUTE: &str = "after";

pub(super) fn with_after_functions(
    check: Arc<dyn Check>,
    attribute: &Json,
    functions: &Functions,
) -> Result<Arc<dyn Check>, ArgumentError> {
    let error = |message| ArgumentError::new(ArgumentErrorKind::Invalid, message).at(AFTER_ATTRIBUTE);
    let names = after_function_names(attribute).ok_or_else(|| {
        error("`after` must be a list of function names")
            .help("write `[\"trim\", \"strtolower\"]`, or `\"trim|strtolower\"`")
    })?;
    if matches!(check.arity(), Arity::File | Arity::Files) {
        return Err(error("`after` is not allowed for files").help("process the file in the handler"));
    }
    let functions: Vec<_> = names.into_iter().map(|name| functions.named(name, true)).collect();
    Ok(if functions.is_empty() { check } else { Arc::new(CheckThenFunctions { check, functions }) })
}

/// Returns the function names in the value of the attribute `after`: a list, or a text that is split at `|`. Blank
/// names are ignored, as in PhalApi. Returns `None` if the value is neither a list of texts nor a text.
pub(crate) fn after_function_names(attribute: &Json) -> Option<Vec<String>> {
    let names: Vec<&str> = match attribute {
        Json::String(text) => text.split('|').collect(),
        Json::Array(items) => items.iter().map(Json::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    Some(names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// A check whose valid values are passed to functions, which change only what handlers receive.
#[derive(Debug)]
struct CheckThenFunctions {
    check: Arc<dyn Check>,
    functions: Vec<NamedFunction>,
}

impl Check for CheckThenFunctions {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.check)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        self.check.check(value)?;
        self.functions.iter().try_for_each(|function| function.apply(value, None))
    }

    fn expected(&self) -> Cow<'static, str> {
        self.check.expected()
    }

    // Nothing is known of the values that the functions return.

    fn object_shape(&self) -> Option<ObjectShape> {
        None
    }

    fn structure(&self) -> Structure {
        Structure::Scalar
    }

    fn point_in_time(&self, _value: &Value<'_>) -> Option<(i64, u32)> {
        None
    }

    /// Returns `false`, because a function can have side effects.
    fn can_check_early(&self) -> bool {
        false
    }

    fn schema(&self) -> Json {
        self.check.schema()
    }

    fn has_exact_schema(&self) -> bool {
        false
    }

    fn type_expr(&self) -> TypeExpr {
        let names: Json = self.functions.iter().map(|after| after.name.as_str()).collect();
        self.check.type_expr().with(AFTER_ATTRIBUTE, Some(names))
    }

    /// Returns no values if a function belongs to the program: it may reject them, and is not called at start.
    fn boundary_values(&self) -> Vec<Value<'static>> {
        let has_custom = self.functions.iter().any(|after| !matches!(after.function, Some(Function::Builtin(_))));
        if has_custom { Vec::new() } else { self.check.boundary_values() }
    }

    /// Returns no example if a function belongs to the program, because it may reject the example.
    fn example(&self) -> Option<Value<'static>> {
        let has_custom = self.functions.iter().any(|after| matches!(after.function, Some(Function::Custom(_))));
        if has_custom { None } else { self.check.example() }
    }
}

const CALLBACK_ATTRIBUTE: &str = "callback";

/// The name of the attribute whose value is passed to the function as its second argument.
const PARAMS_ATTRIBUTE: &str = "params";

pub(super) fn compile_callable(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let Some(attribute) = arguments.attributes.get(CALLBACK_ATTRIBUTE) else {
        let error = arguments.error("`callable` requires the name of a function");
        return Err(error.help("add the attribute `\"callback\": \"Class::method\"`"));
    };
    let name = callback_function_name(attribute).ok_or_else(|| {
        arguments
            .error("`callback` must be the name of one function")
            .at(CALLBACK_ATTRIBUTE)
            .help("write `\"Class::method\"` or `[\"Class\", \"method\"]`")
    })?;
    let function = arguments.functions.named(name, false);
    Ok(Arc::new(CallableCheck { function, params: arguments.attributes.get(PARAMS_ATTRIBUTE).cloned() }))
}

/// Returns the function name in the attribute `callback`: a text, or a list of a class and a method.
pub(crate) fn callback_function_name(attribute: &Json) -> Option<String> {
    let name = match attribute {
        Json::String(name) => name.clone(),
        Json::Array(parts) => match &parts[..] {
            [Json::String(class), Json::String(method)] => format!("{class}::{method}"),
            _ => return None,
        },
        _ => return None,
    };
    (!name.trim().is_empty()).then_some(name)
}

#[derive(Debug)]
struct CallableCheck {
    function: NamedFunction,
    params: Option<Json>,
}

impl Check for CallableCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if let Value::Null | Value::File(_) = value {
            return Err(TypeMismatch::new(self.expected(), value));
        }
        self.function.apply(value, self.params.as_ref())
    }

    fn expected(&self) -> Cow<'static, str> {
        self.function.accepted_values().into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        "a value that the API checks".into()
    }

    /// Returns a JSON Schema that excludes only null, because a JSON Schema cannot describe the function.
    fn schema(&self) -> Json {
        json!({ "not": { "type": "null" } })
    }

    fn has_exact_schema(&self) -> bool {
        false
    }

    fn type_expr(&self) -> TypeExpr {
        let type_expr = TypeExpr::term("callable").with(CALLBACK_ATTRIBUTE, Some(self.function.name.as_str()));
        type_expr.with(PARAMS_ATTRIBUTE, self.params.clone())
    }

    /// Returns no values. Only the function decides which values are valid, and the function is not called at start.
    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }

    /// Returns an example only if the function is missing, because every value is valid then.
    fn example(&self) -> Option<Value<'static>> {
        self.function.function.is_none().then_some(Value::Text(Cow::Borrowed("anything")))
    }
}
