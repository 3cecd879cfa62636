//! The attribute `after`, which names functions that are called one after the other with a valid value.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::functions::{Function, Functions, NamedFunction};
use super::{ArgumentError, ArgumentErrorKind, Arity, Check, ObjectShape, Structure, TypeExpr};
use crate::call::{TypeMismatch, Value};

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
