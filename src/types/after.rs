//! `after`: the functions that a value goes through once its type has let it pass.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;

use super::functions::{Function, Functions};
use super::{ArgumentError, ArgumentErrorKind, Check, Most, Takes, Written};
use crate::call::{Broken, Mismatch, Value};

/// The attribute that names the functions.
pub(super) const AFTER: &str = "after";

/// `check`, and then the functions that `written` names.
pub(super) fn after(
    check: Arc<dyn Check>,
    written: &Json,
    functions: &Functions,
) -> Result<Arc<dyn Check>, ArgumentError> {
    let error = |message| ArgumentError::new(ArgumentErrorKind::Bad, message).at(AFTER);
    let names = names(written).ok_or_else(|| {
        error("`after` is a list of names of functions")
            .help("write `[\"trim\", \"strtolower\"]`, or `\"trim|strtolower\"`")
    })?;
    if matches!(check.takes(), Takes::File | Takes::Files) {
        return Err(error("a file goes through no functions").help("take what the handler needs of it there"));
    }
    let step = |name: String| Step { function: functions.any(&name), name };
    let steps: Vec<_> = names.into_iter().map(step).collect();
    Ok(if steps.is_empty() { check } else { Arc::new(After { check, steps }) })
}

/// The names that `after` says: a list, or a text with `|` between them. Blank ones are none, as in PhalApi.
pub(crate) fn names(written: &Json) -> Option<Vec<String>> {
    let names: Vec<&str> = match written {
        Json::String(text) => text.split('|').collect(),
        Json::Array(items) => items.iter().map(Json::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    Some(names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// A check with functions behind it. Clients are told what the check takes; what the functions make of it is the
/// handlers' matter.
#[derive(Debug)]
struct After {
    check: Arc<dyn Check>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    /// None where the program does not have it: only where the definition is served without code, and nothing is done.
    function: Option<Function>,
}

impl Check for After {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.check.decode(text)
    }

    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        self.check.decode_many(texts)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let called = self.steps.iter().filter_map(|step| Some((&step.name, step.function.as_ref()?)));
        let mut value = self.check.check(value)?;
        for (name, function) in called {
            let made = function.call(value.reborrow(), None).map(Value::into_owned);
            value = made.map_err(|objection| {
                Mismatch::new(format!("a value that `{name}` lets pass"), &value).breaking(Broken::Own(objection))
            })?;
        }
        Ok(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        self.check.expected()
    }

    fn schema(&self) -> Json {
        self.check.schema()
    }

    fn written(&self) -> Written {
        let mut written = self.check.written();
        written.attributes.insert(AFTER.to_owned(), self.steps.iter().map(|step| step.name.as_str()).collect());
        written
    }

    /// Those of the check, unless a function of the program decides: it is not asked at start.
    fn extremes(&self) -> Vec<Value<'static>> {
        let own = self.steps.iter().any(|step| !matches!(step.function, Some(Function::Builtin(_))));
        if own { Vec::new() } else { self.check.extremes() }
    }

    /// That of the check, unless a function of the program decides.
    fn example(&self) -> Option<Value<'static>> {
        let own = self.steps.iter().any(|step| matches!(step.function, Some(Function::Own(_))));
        if own { None } else { self.check.example() }
    }

    fn text_for(&self, value: &str) -> Option<String> {
        self.check.text_for(value)
    }

    fn takes(&self) -> Takes {
        self.check.takes()
    }

    fn takes_null(&self) -> bool {
        self.check.takes_null()
    }

    fn most(&self) -> Most {
        self.check.most()
    }
}
