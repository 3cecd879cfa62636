//! The attribute `after`, which names functions that are called in order with a valid value. The first function
//! receives the value; each further function receives the result of the function before it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value as Json;

use super::functions::{Function, Functions};
use super::{ArgumentError, ArgumentErrorKind, Arity, Check, MaxSize, NamedSchema, ObjectField, TypeExpr};
use crate::call::{PhpArray, TypeMismatch, Value, Violation};

/// The name of the attribute that lists the functions.
pub(crate) const AFTER_ATTRIBUTE: &str = "after";

/// Returns a check that applies `check` and then calls the functions that the attribute's value `attribute` lists.
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
    let resolve = |name: String| NamedFunction { function: functions.find_by_name(&name), name };
    let functions: Vec<_> = names.into_iter().map(resolve).collect();
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

/// A check whose valid values are passed to functions. Its JSON Schema and its description are those of the inner
/// check, because the functions change only what handlers receive.
#[derive(Debug)]
struct CheckThenFunctions {
    check: Arc<dyn Check>,
    functions: Vec<NamedFunction>,
}

/// A function that the attribute `after` names.
#[derive(Debug)]
struct NamedFunction {
    name: String,
    /// The function itself, or `None` if the program has not registered a function with this name. The server does not
    /// start then, but the command line can check and describe a definition without the program. The missing function
    /// is not called.
    function: Option<Function>,
}

impl Check for CheckThenFunctions {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.check.decode(text)
    }

    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        self.check.decode_many(texts)
    }

    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        self.check.decode_array(array)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let functions = self.functions.iter().filter_map(|after| Some((&after.name, after.function.as_ref()?)));
        self.check.check(value)?;
        for (name, function) in functions {
            let result = function.call(value.reborrow(), None).map(Value::into_owned);
            *value = result.map_err(|error| {
                TypeMismatch::new(format!("a value that `{name}` accepts"), value)
                    .with_violation(Violation::Custom(error))
            })?;
        }
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        self.check.expected()
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.check.in_words()
    }

    fn members(&self) -> &[ObjectField] {
        self.check.members()
    }

    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        self.check.compare(one, other)
    }

    fn late_error(&self) -> Option<ArgumentError> {
        self.check.late_error()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.check.referenced_schemas()
    }

    fn schema(&self) -> Json {
        self.check.schema()
    }

    fn type_expr(&self) -> TypeExpr {
        let mut type_expr = self.check.type_expr();
        let names = self.functions.iter().map(|after| after.name.as_str()).collect();
        type_expr.attributes.insert(AFTER_ATTRIBUTE.to_owned(), names);
        type_expr
    }

    /// Returns the boundary values of the inner check. The list is empty if one of the functions belongs to the
    /// program, because such a function may reject a value and is not called at start.
    fn boundary_values(&self) -> Vec<Value<'static>> {
        let has_custom = self.functions.iter().any(|after| !matches!(after.function, Some(Function::Builtin(_))));
        if has_custom { Vec::new() } else { self.check.boundary_values() }
    }

    /// Returns the example of the inner check, or `None` if one of the functions belongs to the program, because such a
    /// function may reject the example.
    fn example(&self) -> Option<Value<'static>> {
        let has_custom = self.functions.iter().any(|after| matches!(after.function, Some(Function::Custom(_))));
        if has_custom { None } else { self.check.example() }
    }

    fn text_for(&self, value: &str) -> Option<String> {
        self.check.text_for(value)
    }

    fn arity(&self) -> Arity {
        self.check.arity()
    }

    fn accepts_null(&self) -> bool {
        self.check.accepts_null()
    }

    fn max_size(&self) -> MaxSize {
        self.check.max_size()
    }
}
