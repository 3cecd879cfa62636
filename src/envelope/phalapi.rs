//! PhalApi's shape: `{"ret": 200, "data": …, "msg": ""}`.

use serde_json::{Map, Value as Json, json};

use super::{Envelope, Members, WriteError, object_schema};
use crate::call::{Encode, Reason, Refusal};
use crate::error::ErrorStatus;
use crate::error::texts::CatalogueName;

/// `ret` of a success, and the HTTP status of all answers where the real one is not asked for.
const SUCCESS: u16 = 200;

/// `ret`, `data` and `msg`, whatever happened; only the first parameter at fault is told.
#[derive(Debug, Clone, Copy)]
pub struct Phalapi {
    /// The words of refusals, and what an empty `data` is.
    pub catalogue: CatalogueName,
    /// Whether the HTTP status is the real one, not 200.
    pub real_status: bool,
}

impl Phalapi {
    fn data(self, refusal: &Refusal) -> Json {
        let members: Map<String, Json> = match refusal.reason() {
            Reason::Declared { data, .. } => {
                data.iter().map(|(name, value)| (name.as_ref().to_owned(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        if members.is_empty() { self.empty() } else { Json::Object(members) }
    }

    /// `data` that holds nothing: PHP writes an empty array in either way.
    fn empty(self) -> Json {
        match self.catalogue {
            CatalogueName::One => json!([]),
            CatalogueName::Two | CatalogueName::Chinese => json!({}),
        }
    }
}

impl Envelope for Phalapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        to.member("ret", u32::from(SUCCESS).into())?;
        if whole {
            to.nested("data", outputs)?;
        } else {
            to.object("data", outputs, (&self.empty()).into())?;
        }
        to.member("msg", "".into())
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        to.member("ret", u32::from(refusal.ret()).into())?;
        to.member("data", (&self.data(refusal)).into())?;
        to.member("msg", refusal.words(self.catalogue.catalogue()).to_string().as_str().into())
    }

    fn status(&self, real: u16) -> u16 {
        if self.real_status { real } else { SUCCESS }
    }

    fn success_type(&self) -> &'static str {
        "application/json;charset=utf-8"
    }

    fn refusal_type(&self) -> &'static str {
        self.success_type()
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let required = outputs.get("required").and_then(Json::as_array);
        let data = if whole || self.empty().is_object() || required.is_some_and(|names| !names.is_empty()) {
            outputs
        } else {
            json!({ "anyOf": [outputs, { "const": self.empty() }] })
        };
        object_schema(json!({ "ret": { "const": SUCCESS }, "data": data, "msg": { "const": "" } }), json!({}))
    }

    fn refusal_schema(&self) -> Json {
        let msg = json!({ "type": "string", "description": "What is wrong" });
        object_schema(json!({ "ret": ret(400, 599), "data": { "const": self.empty() }, "msg": msg }), json!({}))
    }

    fn declared_schema(&self, _: &str, status: ErrorStatus) -> Json {
        let class = status.get() / 100 * 100;
        let data = json!({ "anyOf": [{ "const": self.empty() }, { "type": "object", "minProperties": 1 }] });
        // Any error may send the client elsewhere.
        let ret = json!({ "anyOf": [ret(class, class + 99), ret(300, 399)] });
        object_schema(json!({ "ret": ret, "data": data, "msg": { "type": "string" } }), json!({}))
    }
}

fn ret(least: u16, most: u16) -> Json {
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": "The kind of error" })
}
