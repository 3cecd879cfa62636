//! The envelopes that definitions can name: the built-in envelopes and the envelopes of the program. An envelope is the
//! JSON structure of responses.
//!
//! To add a built-in envelope, write a type that implements [`Envelope`], and add a variant to [`EnvelopeName`].

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, details_schema,
    object_schema, write_details,
};
use crate::call::{ApiError, Encode, ErrorKind, ParameterError, ParameterErrorKind};
use crate::error::ErrorCode;
use crate::error::catalogue::{Catalogue, CatalogueName, PhalapiVersion};
use crate::model::DeclaredError;

/// The settings of an API that change the built-in envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnvelopeSettings {
    /// The value of the setting `catalogue`; see [`Phalapi::catalogue`].
    pub catalogue: CatalogueName,
    /// The value of the setting `phalapi.real_status`; see [`Phalapi::real_status`].
    pub real_status: bool,
    /// The value of the setting `iapi.strict_status`; see [`Iapi::strict_status`].
    pub strict_status: bool,
}

/// The name of an envelope in definitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum EnvelopeName {
    /// `aicra`: `{"error": 0, "ErrorDescription": "all right", …}`.
    #[default]
    Aicra,
    /// `plain`: only the outputs for a success; problem documents for errors.
    Plain,
    /// `phalapi`: `{"ret": 200, "data": …, "msg": ""}`.
    Phalapi,
    /// `iapi`: only the outputs for a success; `{"status": "error", "message": …}` for errors.
    Iapi,
    /// `aicra-status`: `{"status": "all right", …}`.
    AicraStatus,
    /// The name of an envelope that the program adds.
    Custom(CustomEnvelope),
}

impl EnvelopeName {
    /// The names of the built-in envelopes.
    pub const ALL: [Self; 5] = [Self::Aicra, Self::Plain, Self::Phalapi, Self::Iapi, Self::AicraStatus];

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Aicra => "aicra",
            Self::Plain => "plain",
            Self::Phalapi => "phalapi",
            Self::Iapi => "iapi",
            Self::AicraStatus => "aicra-status",
            Self::Custom(custom) => &custom.name,
        }
    }

    /// Creates the envelope with this name. `settings` are the settings of the API that change built-in envelopes.
    #[must_use]
    pub fn envelope(&self, settings: EnvelopeSettings) -> Arc<dyn Envelope> {
        let EnvelopeSettings { catalogue, real_status, strict_status } = settings;
        match self {
            Self::Aicra => Arc::new(Aicra),
            Self::Plain => Arc::new(Plain),
            Self::Phalapi => Arc::new(Phalapi { catalogue, real_status }),
            Self::Iapi => Arc::new(Iapi { strict_status }),
            Self::AicraStatus => Arc::new(AicraStatus),
            Self::Custom(custom) => Arc::clone(&custom.envelope),
        }
    }
}

/// An envelope of the program, with its name in definitions. Two custom envelopes are equal if their names are equal.
#[derive(Clone)]
pub struct CustomEnvelope {
    name: Arc<str>,
    envelope: Arc<dyn Envelope>,
}

impl CustomEnvelope {
    /// Gives an envelope the name by which definitions refer to it.
    #[must_use]
    pub fn new(name: &str, envelope: Arc<dyn Envelope>) -> Self {
        Self { name: name.into(), envelope }
    }
}

impl fmt::Debug for CustomEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

impl PartialEq for CustomEnvelope {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CustomEnvelope {}

impl Hash for CustomEnvelope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// All envelopes that a definition can name.
#[derive(Debug, Clone)]
pub struct Envelopes(Vec<EnvelopeName>);

impl Default for Envelopes {
    /// Returns the built-in envelopes.
    fn default() -> Self {
        Self(EnvelopeName::ALL.to_vec())
    }
}

impl Envelopes {
    /// Adds an envelope of the program. It replaces the envelope with the same name.
    pub fn add(&mut self, new: CustomEnvelope) {
        self.0.retain(|known| *known.as_str() != *new.name);
        self.0.push(EnvelopeName::Custom(new));
    }

    /// Returns the envelope with this name, or `None` if it does not exist.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EnvelopeName> {
        self.0.iter().find(|known| known.as_str() == name)
    }

    /// Returns the names of all envelopes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(EnvelopeName::as_str)
    }
}

/// An envelope whose success responses consist of the outputs only. Error responses are [problem documents](Problem).
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Envelope for Plain {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        if whole { to.whole(outputs) } else { to.spread(outputs) }
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        Problem.error(error, to)
    }

    fn error_content_type(&self) -> &'static str {
        Problem.error_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding { outputs: OutputsLocation::Body, ..Problem.decoding() }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        if whole { outputs } else { object_schema(serde_json::Map::new().into(), outputs) }
    }

    fn error_schema(&self) -> Json {
        Problem.error_schema()
    }

    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        Problem.declared_error_schema(error)
    }
}

/// An envelope whose error responses are problem documents, with the members `type`, `title`, `status` and `detail` of
/// RFC 9457, the member `code`, and the [details](write_details) of the error.
///
/// `type` is always `about:blank` (RFC 9457 section 4.2.1); `code` identifies the kind of error.
#[derive(Debug, Clone, Copy)]
pub struct Problem;

/// Returns the recommended phrase of the HTTP status, as RFC 9457 section 4.2.1 requires for the type `about:blank`.
/// For a status without such a phrase, returns the title of the kind of error.
fn title(error: &ApiError) -> &'static str {
    let status = StatusCode::from_u16(error.status().get()).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_else(|| error.code().title())
}

impl Envelope for Problem {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.whole(outputs)
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        let row = error.code().row();
        to.member("type", "about:blank".into())?;
        to.member("title", title(error).into())?;
        to.member("status", u32::from(error.status().get()).into())?;
        to.member("detail", error.to_string().into())?;
        let code = match error.kind() {
            ErrorKind::Declared { name, .. } => name.as_ref(),
            _ => row.name,
        };
        to.member("code", code.into())?;
        write_details(error, &["type", "title", "status", "detail", "code"], to)
    }

    fn error_content_type(&self) -> &'static str {
        "application/problem+json"
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Body,
            error: ErrorMembers {
                identified_by: &[
                    ("type", MemberValue::Text("about:blank")),
                    ("title", MemberValue::AnyText),
                    ("status", MemberValue::AnyNumber),
                ],
                code: Some("code"),
                name: Some("code"),
                message: &["detail", "title"],
                parameters: Some("errors"),
                status: Some("status"),
            },
            ..Decoding::UNKNOWN
        }
    }

    fn success_schema(&self, outputs: Json, _: bool) -> Json {
        outputs
    }

    fn error_schema(&self) -> Json {
        let members = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string", "description": "The phrase of the HTTP status" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong with this request" },
            "code": { "type": "string", "description": "The kind of error, as a name for programs" },
        });
        object_schema(members, json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        let members = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "const": error.status.get() },
            "detail": { "type": "string" },
            "code": { "const": error.name },
        });
        object_schema(members, json!({}))
    }
}

/// An envelope whose responses have the members `error` (a number) and `ErrorDescription` beside the outputs. In an
/// error response, the member `errors` lists the parameter errors.
#[derive(Debug, Clone, Copy)]
pub struct Aicra;

impl Envelope for Aicra {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("error", 0.into())?;
        to.member("ErrorDescription", "all right".into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
    }

    fn reserved_members(&self) -> &[&str] {
        // `errors` and `status` are members of error and JSONP responses. Outputs cannot have these names, so that a
        // member name has the same meaning in all responses.
        &["error", "ErrorDescription", "errors", "status"]
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("error", error.number().into())?;
        to.member("ErrorDescription", format!("{}: {error}", error.code().title()).into())?;
        if let ErrorKind::Declared { name, .. } = error.kind() {
            to.member("name", name.as_ref().into())?;
        }
        write_details(error, &["error", "ErrorDescription", "name"], to)
    }

    fn status_member(&self) -> Option<&'static str> {
        Some("status")
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Members { except: &["error", "ErrorDescription"], whole: "result" },
            success: &[("error", MemberValue::Number(0)), ("ErrorDescription", MemberValue::AnyText)],
            hides_errors: false,
            error: ErrorMembers {
                identified_by: &[("error", MemberValue::AnyNumber), ("ErrorDescription", MemberValue::AnyText)],
                code: Some("error"),
                name: Some("name"),
                message: &["ErrorDescription"],
                parameters: Some("errors"),
                status: self.status_member(),
            },
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let members = json!({ "error": { "const": 0 }, "ErrorDescription": { "const": "all right" } });
        object_schema(members, result_members(outputs, whole))
    }

    fn error_schema(&self) -> Json {
        let members = json!({
            "error": { "type": "integer", "minimum": 1, "description": "A number for the kind of error" },
            "ErrorDescription": { "type": "string" },
        });
        object_schema(members, json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, declared: &DeclaredError) -> Json {
        let number = match declared.number {
            Some(number) => json!({ "const": number }),
            // The handler may set a number.
            None => json!({ "type": "integer", "minimum": 1, "default": ErrorCode::Failed.row().aicra_number }),
        };
        let members =
            json!({ "error": number, "ErrorDescription": { "type": "string" }, "name": { "const": declared.name } });
        object_schema(members, json!({}))
    }
}

/// An output that is the whole content is the member `result`.
fn result_members(outputs: Json, whole: bool) -> Json {
    if whole { json!({ "properties": { "result": outputs }, "required": ["result"] }) } else { outputs }
}

/// The value of `status` in success responses.
const SUCCESS: &str = "all right";

/// An envelope whose responses have the member `status` beside the outputs. In an error response, `status` is the
/// message, with the first parameter error.
#[derive(Debug, Clone, Copy)]
pub struct AicraStatus;

impl Envelope for AicraStatus {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", SUCCESS.into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
    }

    fn reserved_members(&self) -> &[&str] {
        &["status"]
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", error_status(error).into())?;
        match error.kind() {
            // The members that the handler has added; as in aicra, other errors have no details.
            ErrorKind::Declared { .. } => write_details(error, &["status"], to),
            _ => Ok(()),
        }
    }

    fn success_content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn error_content_type(&self) -> &'static str {
        self.success_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Members { except: &["status"], whole: "result" },
            success: &[("status", MemberValue::Text(SUCCESS))],
            hides_errors: false,
            error: ErrorMembers {
                identified_by: &[("status", MemberValue::AnyText)],
                message: &["status"],
                parameters: None,
                ..Decoding::UNKNOWN.error
            },
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        object_schema(json!({ "status": { "const": SUCCESS } }), result_members(outputs, whole))
    }

    fn error_schema(&self) -> Json {
        let status = json!({ "type": "string", "not": { "const": SUCCESS }, "description": "The error message" });
        object_schema(json!({ "status": status }), json!({}))
    }

    fn declared_error_schema(&self, _: &DeclaredError) -> Json {
        self.error_schema()
    }
}

/// Returns the message of an error: the text that aicra has for errors with this code, or else the English message.
fn error_status(error: &ApiError) -> String {
    match error.kind() {
        ErrorKind::Declared { .. } => error.to_string(),
        ErrorKind::Parameters { errors, .. } => match errors.first() {
            Some(first) => parameter_status(first),
            None => error.code().title().to_owned(),
        },
        _ => match Catalogue::AICRA_STATUS.title_without_fallback(error.code()) {
            Some(title) => title.to_owned(),
            None => format!("{}: {error}", error.code().title()),
        },
    }
}

/// Returns the message of a parameter error, which begins with the name of the parameter in code.
fn parameter_status(error: &ParameterError) -> String {
    let code = match error.kind {
        ParameterErrorKind::Missing => ErrorCode::MissingParameter,
        _ => ErrorCode::InvalidParameter,
    };
    let name = error.name_in_code.as_deref().unwrap_or(&error.parameter);
    match (&error.message, error.custom_error()) {
        (Some(message), _) => format!("{name}: {message}"),
        (None, Some(custom)) => format!("{name}: {custom}"),
        (None, None) => format!("{name}: {}", Catalogue::AICRA_STATUS.title(code)),
    }
}

/// The HTTP status of all error responses in the documentation of internal-api.
const DOCUMENTED_ERROR_STATUS: u16 = 400;

/// An envelope whose success responses consist of the outputs only. Error responses have the members `status` and
/// `message`, and the [details](write_details) of the error.
#[derive(Debug, Clone, Copy)]
pub struct Iapi {
    /// If `true`, all error responses have their actual HTTP status. If `false`, some errors about parameters, files
    /// and the database have the status 400 instead, as in internal-api.
    pub strict_status: bool,
}

impl Envelope for Iapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        Plain.success(outputs, whole, to)
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", "error".into())?;
        to.member("message", error.to_string().into())?;
        write_details(error, &["status", "message"], to)
    }

    fn status(&self, real: u16) -> u16 {
        match real {
            // Client errors (not found, conflict, gone, unprocessable) and failures of the database or the disk.
            404 | 409 | 410 | 422 | 503 | 507 if !self.strict_status => DOCUMENTED_ERROR_STATUS,
            // Errors about authentication, limits and syntax keep their status, as in the other envelopes.
            _ => real,
        }
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Body,
            error: ErrorMembers {
                identified_by: &[("status", MemberValue::Text("error")), ("message", MemberValue::AnyText)],
                ..Decoding::UNKNOWN.error
            },
            ..Decoding::UNKNOWN
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        Plain.success_schema(outputs, whole)
    }

    fn error_schema(&self) -> Json {
        object_schema(error_member_schemas(), json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, _: &DeclaredError) -> Json {
        object_schema(error_member_schemas(), json!({}))
    }
}

fn error_member_schemas() -> Json {
    json!({
        "status": { "const": "error" },
        "message": { "type": "string", "description": "What is wrong with this request" },
    })
}

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
    fn error_data(self, error: &ApiError) -> Json {
        let members: Map<String, Json> = match error.kind() {
            ErrorKind::Declared { data, .. } => {
                data.iter().map(|(name, value)| (name.as_ref().to_owned(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        if members.is_empty() { self.empty_data() } else { Json::Object(members) }
    }

    /// Depending on the version, PhalApi writes it as `[]` or `{}`.
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

fn ret_schema(min: u16, max: u16) -> Json {
    json!({ "type": "integer", "minimum": min, "maximum": max, "description": "The kind of error" })
}
