//! The envelope of PhalApi: `{"ret": 200, "data": …, "msg": ""}`.

use serde_json::{Map, Value as Json, json};

use crate::call::{ApiError, Encode, ErrorKind};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, object_schema,
};
use crate::error::ErrorStatus;
use crate::error::texts::CatalogueName;

/// The `ret` of a success, and the HTTP status of all responses unless `real_status` is set.
const SUCCESS: u16 = 200;

/// The members `ret`, `data` and `msg` of every response. An error response reports the first parameter error only.
#[derive(Debug, Clone, Copy)]
pub struct Phalapi {
    /// The messages of errors; also determines whether an empty `data` is `[]` or `{}`.
    pub catalogue: CatalogueName,
    /// If `true`, responses have the real HTTP status instead of 200.
    pub real_status: bool,
}

impl Phalapi {
    fn error_data(self, error: &ApiError) -> Json {
        let members: Map<String, Json> = match error.kind() {
            ErrorKind::Declared { data, .. } => {
                data.iter().map(|(name, value)| (name.as_ref().to_owned(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        if members.is_empty() { self.empty() } else { Json::Object(members) }
    }

    /// Returns the `data` of a response without data. PHP can serialize an empty array as either of them.
    fn empty(self) -> Json {
        match self.catalogue {
            CatalogueName::PhalApi1 => json!([]),
            CatalogueName::PhalApi2 | CatalogueName::PhalApi2Chinese => json!({}),
        }
    }
}

impl Envelope for Phalapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("ret", u32::from(SUCCESS).into())?;
        if whole {
            to.nested("data", outputs)?;
        } else {
            to.object("data", outputs, (&self.empty()).into())?;
        }
        to.member("msg", "".into())
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("ret", u32::from(error.phalapi_ret()).into())?;
        to.member("data", (&self.error_data(error)).into())?;
        to.member("msg", error.message(self.catalogue.catalogue()).to_string().as_str().into())
    }

    fn status(&self, real: u16) -> u16 {
        if self.real_status { real } else { SUCCESS }
    }

    fn success_content_type(&self) -> &'static str {
        "application/json;charset=utf-8"
    }

    fn error_content_type(&self) -> &'static str {
        self.success_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Member("data"),
            success: &[("ret", MemberValue::Number(SUCCESS)), ("msg", MemberValue::AnyText)],
            // With `real_status` the check of the body finds nothing new.
            hides_errors: true,
            error: ErrorMembers {
                identified_by: &[("ret", MemberValue::AnyNumber), ("msg", MemberValue::AnyText)],
                code: None,
                name: None,
                message: &["msg"],
                parameters: None,
                status: Some("ret"),
            },
        }
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

    fn error_schema(&self) -> Json {
        let msg = json!({ "type": "string", "description": "The error message" });
        object_schema(json!({ "ret": ret(400, 599), "data": { "const": self.empty() }, "msg": msg }), json!({}))
    }

    fn declared_error_schema(&self, _: &str, status: ErrorStatus) -> Json {
        let class = status.get() / 100 * 100;
        let data = json!({ "anyOf": [{ "const": self.empty() }, { "type": "object", "minProperties": 1 }] });
        // A handler can turn any error into a redirect.
        let ret = json!({ "anyOf": [ret(class, class + 99), ret(300, 399)] });
        object_schema(json!({ "ret": ret, "data": data, "msg": { "type": "string" } }), json!({}))
    }
}

fn ret(min: u16, max: u16) -> Json {
    json!({ "type": "integer", "minimum": min, "maximum": max, "description": "The kind of error" })
}
