//! The type `callable`: any value that a function of the program accepts, which no JSON Schema can describe.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::functions::NamedFunction;
use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

const CALLBACK_ATTRIBUTE: &str = "callback";

/// The name of the attribute whose value is passed to the function as its second argument.
const PARAMS_ATTRIBUTE: &str = "params";

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
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
