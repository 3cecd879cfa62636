//! `callable`: whatever a function of the program lets pass. A format type: its schema lets anything pass.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::functions::Function;
use super::{ArgumentError, Arguments, Check, Written};
use crate::call::{Broken, Mismatch, Value};

/// The attribute that names the function.
const CALLBACK: &str = "callback";

/// The attribute that the function is given beside the value.
const PARAMS: &str = "params";

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    let Some(written) = arguments.attributes.get(CALLBACK) else {
        let error = arguments.bad("`callable` does not say which function is called");
        return Err(error.help("name it beside the type: `\"callback\": \"Class::method\"`"));
    };
    let name = callback(written).ok_or_else(|| {
        arguments
            .bad("a `callback` is the name of one function")
            .at(CALLBACK)
            .help("write `\"Class::method\"`, or `[\"Class\", \"method\"]` which is the same")
    })?;
    let function = arguments.functions.own(&name);
    Ok(Arc::new(Called { name, params: arguments.attributes.get(PARAMS).cloned(), function }))
}

/// The name that a `callback` says: a text, or a class and a method in a list.
pub(crate) fn callback(written: &Json) -> Option<String> {
    let name = match written {
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
struct Called {
    name: String,
    params: Option<Json>,
    /// None where the program does not have it: only where the definition is served without code, and all passes.
    function: Option<Function>,
}

impl Check for Called {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match (&self.function, value) {
            (_, value @ (Value::Null | Value::File(_))) => Err(Mismatch::new(self.expected(), &value)),
            (None, value) => Ok(value),
            (Some(function), value) => {
                let made = function.call(value.reborrow(), self.params.as_ref()).map(Value::into_owned);
                made.map_err(|objection| Mismatch::new(self.expected(), &value).breaking(Broken::Own(objection)))
            }
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a value that `{}` lets pass", self.name).into()
    }

    /// Only the function knows more.
    fn schema(&self) -> Json {
        json!({ "not": { "type": "null" } })
    }

    fn written(&self) -> Written {
        let mut attributes = Map::new();
        attributes.insert(CALLBACK.to_owned(), self.name.as_str().into());
        attributes.extend(self.params.clone().map(|params| (PARAMS.to_owned(), params)));
        Written { term: "callable".to_owned(), attributes }
    }

    /// None: only the function knows, and it is not asked at start.
    fn extremes(&self) -> Vec<Value<'static>> {
        Vec::new()
    }

    /// Anything where there is no function.
    fn example(&self) -> Option<Value<'static>> {
        self.function.is_none().then_some(Value::Text(Cow::Borrowed("anything")))
    }
}
