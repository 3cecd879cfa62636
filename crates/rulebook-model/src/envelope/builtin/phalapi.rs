//! The envelope of PhalApi, a PHP framework: `{"ret": 200, "data": …, "msg": ""}`.

use serde_json::{Map, Value as Json, json};

use crate::call::{ApiError, Encode, ErrorKind};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, object_schema,
};
use crate::error::catalogue::{CatalogueName, PhalapiVersion};
use crate::model::DeclaredError;

/// The value of `ret` in success responses. Unless `real_status` is set, it is also the HTTP status of all responses.
const SUCCESS_STATUS: u16 = 200;

/// An envelope whose responses have the members `ret`, `data` and `msg`. If a request has several parameter errors, the
/// response reports only the first one.
#[derive(Debug, Clone, Copy)]
pub struct Phalapi {
    /// The catalogue that error messages come from. Its version of PhalApi determines whether `data` without content is
    /// `[]` or `{}`, and the number of errors about unknown services.
    pub catalogue: CatalogueName,
    /// If `true`, responses have their actual HTTP status instead of 200.
    pub real_status: bool,
}

impl Phalapi {
    /// Returns the member `data` of an error response.
    fn error_data(self, error: &ApiError) -> Json {
        let members: Map<String, Json> = match error.kind() {
            ErrorKind::Declared { data, .. } => {
                data.iter().map(|(name, value)| (name.as_ref().to_owned(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        if members.is_empty() { self.empty_data() } else { Json::Object(members) }
    }

    /// Returns the member `data` of a response without data. Depending on the version, PhalApi writes it as `[]` or
    /// `{}`.
    fn empty_data(self) -> Json {
        if self.catalogue.version() >= PhalapiVersion::V2_3 { json!({}) } else { json!([]) }
    }
}

impl Envelope for Phalapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("ret", u32::from(SUCCESS_STATUS).into())?;
        if whole {
            to.nested("data", outputs)?;
        } else {
            to.object("data", outputs, (&self.empty_data()).into())?;
        }
        to.member("msg", "".into())
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        let is_first_version = self.catalogue.version() < PhalapiVersion::V1_4;
        let ret = match error.kind() {
            ErrorKind::InvalidServiceName { .. } if is_first_version => 400,
            // PhalApi checks the HTTP method since version 2.16. It has no other status than that of a success.
            ErrorKind::UnknownMethod { .. } if !self.real_status => 404,
            _ => error.phalapi_ret(),
        };
        to.member("ret", u32::from(ret).into())?;
        to.member("data", (&self.error_data(error)).into())?;
        to.member("msg", error.message(self.catalogue).into())
    }

    fn status(&self, real: u16) -> u16 {
        if self.real_status { real } else { SUCCESS_STATUS }
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
            success: &[("ret", MemberValue::Number(SUCCESS_STATUS)), ("msg", MemberValue::AnyText)],
            // If `real_status` is set, error responses have their real HTTP status, but it does no harm that clients
            // check the body too.
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
        let data = if whole || self.empty_data().is_object() || required.is_some_and(|names| !names.is_empty()) {
            outputs
        } else {
            json!({ "anyOf": [outputs, { "const": self.empty_data() }] })
        };
        object_schema(json!({ "ret": { "const": SUCCESS_STATUS }, "data": data, "msg": { "const": "" } }), json!({}))
    }

    fn error_schema(&self) -> Json {
        let msg = json!({ "type": "string", "description": "The error message" });
        object_schema(
            json!({ "ret": ret_schema(400, 599), "data": { "const": self.empty_data() }, "msg": msg }),
            json!({}),
        )
    }

    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        let class = error.status.get() / 100 * 100;
        let data = json!({ "anyOf": [{ "const": self.empty_data() }, { "type": "object", "minProperties": 1 }] });
        // A handler can return each declared error as a redirect, whose `ret` is from 300 to 399.
        let ret = json!({ "anyOf": [ret_schema(class, class + 99), ret_schema(300, 399)] });
        object_schema(json!({ "ret": ret, "data": data, "msg": { "type": "string" } }), json!({}))
    }
}

/// Returns the JSON Schema of the member `ret`.
fn ret_schema(min: u16, max: u16) -> Json {
    json!({ "type": "integer", "minimum": min, "maximum": max, "description": "The kind of error" })
}
