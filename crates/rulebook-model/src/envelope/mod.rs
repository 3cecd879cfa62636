//! Envelopes: the JSON structures of success and error responses.
//!
//! An envelope determines which members a response has, and writes them to a [`MemberWriter`], so that the envelope
//! works with every response format. This Rust module must not depend on requests or formats.

mod builtin;

use serde_json::{Map, Value as Json, json};
use thiserror::Error;

pub use builtin::{
    Aicra, AicraStatus, CustomEnvelope, EnvelopeName, EnvelopeSettings, Envelopes, Iapi, Phalapi, Plain, Problem,
};

pub use crate::call::Encode;
use crate::call::{ApiError, ErrorKind, ParameterError, Value};
use crate::model::DeclaredError;

/// The JSON structure of responses: the members that represent the outputs of a method or an error.
///
/// `Rulebook::add_envelope` adds an envelope with a name. The key `envelope` in `app.json` or in an API module refers
/// to this name. An envelope writes members and does not depend on the format of the response.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::ApiError;
/// use rulebook::envelope::{Encode, Envelope, JsonMemberWriter, MemberWriter, WriteError, write_details};
///
/// /// `{"ok": true, "result": …}`, or `{"ok": false, "error": …}` and the details of the error.
/// struct Corp;
///
/// impl Envelope for Corp {
///     fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
///         to.member("ok", true.into())?;
///         to.nested("result", outputs)
///     }
///
///     fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
///         to.member("ok", false.into())?;
///         to.member("error", error.to_string().into())?;
///         write_details(error, &["ok", "error"], to)
///     }
/// }
///
/// # fn main() -> Result<(), WriteError> {
/// let mut members = JsonMemberWriter::new();
/// Corp.success(&serde_json::json!({ "name": "Ada" }), false, &mut members)?;
/// assert_eq!(members.finish(), br#"{"ok":true,"result":{"name":"Ada"}}"#);
/// # Ok(())
/// # }
/// ```
pub trait Envelope: Send + Sync {
    /// Writes the members of a success response. If `whole` is `true`, the method returns a single value instead of
    /// named outputs.
    ///
    /// # Errors
    /// Fails if the outputs cannot be written.
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError>;

    /// Writes the members of an error response.
    ///
    /// # Errors
    /// Fails if a member cannot be written.
    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError>;

    /// Returns the member names that outputs cannot have, because the envelope uses them beside outputs that are
    /// [spread](MemberWriter::spread) into the response. A definition in which an output has one of these names is
    /// rejected.
    fn reserved_members(&self) -> &[&str] {
        &[]
    }

    /// Returns the HTTP status with which a response is sent. `real` is the HTTP status of the method's success or of
    /// the error. If the returned status is not from 200 to 599, the server uses `real`.
    fn status(&self, real: u16) -> u16 {
        real
    }

    /// Returns the name of the member that contains the actual HTTP status in a JSONP response. All JSONP responses are
    /// sent with the HTTP status 200. Returns `None` if the envelope adds no member for the actual status.
    fn status_member(&self) -> Option<&'static str> {
        None
    }

    /// Returns the description with which clients decode the JSON bodies of this envelope.
    ///
    /// The default is [`Decoding::UNKNOWN`]: the bodies are not described, and clients return the whole body of a
    /// success response.
    fn decoding(&self) -> Decoding {
        Decoding::UNKNOWN
    }

    /// Returns the `Content-Type` of a success response in JSON. Responses in other formats have the media type of the
    /// format.
    fn success_content_type(&self) -> &'static str {
        "application/json"
    }

    /// Returns the `Content-Type` of an error response in JSON.
    fn error_content_type(&self) -> &'static str {
        "application/json"
    }

    /// Returns the JSON Schema (2020-12) of the body that [`success`](Envelope::success) writes. `outputs` is the
    /// schema of the outputs. If `whole` is `false`, this schema has `properties` and `required`.
    ///
    /// The default schema accepts any value.
    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let _ = (outputs, whole);
        json!({})
    }

    /// Returns the JSON Schema (2020-12) of the body that [`error`](Envelope::error) writes for errors
    /// that the server itself detects.
    ///
    /// The default schema accepts any value.
    fn error_schema(&self) -> Json {
        json!({})
    }

    /// Returns the JSON Schema (2020-12) of the body for an error that a method or an authenticator declares. Handlers
    /// may add members to a declared error.
    ///
    /// The default is [`error_schema`](Envelope::error_schema).
    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        let _ = error;
        self.error_schema()
    }
}

/// Returns the HTTP status with which a response is sent. `real` is the HTTP status of the method's success or of the
/// error. It is used if the envelope returns a status that is not final (1xx) or not valid.
#[must_use]
pub fn response_status(envelope: &dyn Envelope, real: u16) -> u16 {
    let status = envelope.status(real);
    if (200..=599).contains(&status) { status } else { real }
}

/// Returns `true` if a response with this HTTP status has a body (RFC 9110 sections 15.3.5 and 15.3.6).
#[must_use]
pub fn has_content(status: u16) -> bool {
    !matches!(status, 204 | 205)
}

/// Writes the members of the outermost object of a response, in the order of the calls.
pub trait MemberWriter {
    /// Writes a member of the envelope, which does not contain outputs.
    ///
    /// # Errors
    /// Fails if the value cannot be written, or after [`whole`](MemberWriter::whole).
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError>;

    /// Writes a member that contains the outputs.
    ///
    /// # Errors
    /// Fails if the outputs cannot be written, or after [`whole`](MemberWriter::whole).
    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// Writes a member that contains the outputs as an object. If there are no outputs, the member is `empty`.
    ///
    /// # Errors
    /// Fails if the outputs cannot be written or are not an object, or after [`whole`](MemberWriter::whole).
    fn object(&mut self, name: &str, outputs: &dyn Encode, empty: Value<'_>) -> Result<(), WriteError>;

    /// Writes each output as a separate member, beside the members of the envelope.
    ///
    /// # Errors
    /// Fails if the outputs cannot be written or are not an object, or after [`whole`](MemberWriter::whole).
    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// Writes the outputs as the whole body, instead of an object with members. No member can be written before or
    /// after the outputs.
    ///
    /// # Errors
    /// Fails if the outputs cannot be written, or if a member was written before.
    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;
}

/// The reason why a response cannot be written. The program causes such an error, never the request.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The `Serialize` implementation of the outputs failed.
    #[error("the outputs cannot be serialized: {0}")]
    Outputs(#[from] serde_json::Error),
    /// The outputs must be members of the response, but they are not an object.
    #[error("the outputs are not an object, so they cannot be members of the response")]
    NotAnObject,
    /// The envelope writes the outputs as the whole body and also writes members.
    #[error("the outputs are the whole body, so the response cannot have other members")]
    NotAlone,
}

/// The description of an envelope's JSON bodies: where a body contains the outputs, and which members identify an
/// error.
///
/// An envelope returns this description from [`Envelope::decoding`]. The response to OPTIONS
/// contains it as `$envelope`, so that the JavaScript client can decode bodies. The TypeScript declarations and the
/// test client use it too. The default is [`Decoding::UNKNOWN`].
///
/// ```
/// use rulebook_model::envelope::{Decoding, ErrorMembers, MemberValue, OutputsLocation};
/// use serde_json::json;
///
/// // `{"ok": true, "result": …}`, or `{"ok": false, "error": …}`
/// let decoding = Decoding {
///     outputs: OutputsLocation::Member("result"),
///     success: &[("ok", MemberValue::Bool(true))],
///     error: ErrorMembers {
///         identified_by: &[("ok", MemberValue::Bool(false))],
///         message: &["error"],
///         ..Decoding::UNKNOWN.error
///     },
///     ..Decoding::UNKNOWN
/// };
/// assert!(decoding.is_success(&json!({ "ok": true, "result": { "total": 3 } })));
/// assert!(decoding.is_error(&json!({ "ok": false, "error": "there is no such article" })));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// The place of the outputs in the body of a success response.
    pub outputs: OutputsLocation,
    /// The members that identify the body of a success response. Empty if a success response can have any body.
    pub success: MemberValues,
    /// `true` if, with some settings of the API, an error response can have the HTTP status of a success. A client then
    /// checks the body of each response with such a status.
    pub hides_errors: bool,
    /// The members of the bodies of error responses.
    pub error: ErrorMembers,
}

/// The names of members of a body, and the value that each of them must have.
pub type MemberValues = &'static [(&'static str, MemberValue)];

/// The value that a member must have so that it identifies a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberValue {
    /// The member must be this Boolean value.
    Bool(bool),
    /// The member must be this number.
    Number(u16),
    /// The member must be this text.
    Text(&'static str),
    /// The member must be a number.
    AnyNumber,
    /// The member must be a text.
    AnyText,
}

/// The place of the outputs in the body of a success response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputsLocation {
    /// The whole body consists of the outputs.
    Body,
    /// The member of the body with this name contains the outputs. If there are no outputs, it can be an empty array.
    Member(&'static str),
    /// Each output is a member of the body.
    Members {
        /// The members of the body that are not outputs.
        except: &'static [&'static str],
        /// The name of the member that contains the output if the method returns a single value instead of named
        /// outputs.
        whole: &'static str,
    },
    /// The envelope does not describe its bodies, so a client returns the whole body.
    Unknown,
}

/// The names of the members in the body of an error response, by their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorMembers {
    /// The members that identify the body of an error response. Empty if an error response can have any body.
    pub identified_by: MemberValues,
    /// The member that contains the error code: its name (a text) or its number.
    pub code: Option<&'static str>,
    /// The member that contains the name of an error that the definition declares.
    pub name: Option<&'static str>,
    /// The members that can contain the error message. A client uses the first of these members that the body has.
    pub message: &'static [&'static str],
    /// The member that contains the list of parameter errors.
    pub parameters: Option<&'static str>,
    /// The member that contains the actual HTTP status of an error, for error responses that are sent with the HTTP
    /// status of a success.
    pub status: Option<&'static str>,
}

impl Decoding {
    /// The decoding of an envelope that does not describe its bodies. A client then returns the whole body of a
    /// success, recognizes errors by their HTTP status, and reads the members `message` and `errors` of an error if
    /// they exist.
    pub const UNKNOWN: Self = Self {
        outputs: OutputsLocation::Unknown,
        success: &[],
        hides_errors: false,
        error: ErrorMembers {
            identified_by: &[],
            code: None,
            name: None,
            message: &["message"],
            parameters: Some("errors"),
            status: None,
        },
    };

    /// Returns `true` if a body has the members that identify a success response.
    #[must_use]
    pub fn is_success(&self, body: &Json) -> bool {
        body_has_members(body, self.success)
    }

    /// Returns `true` if a body has the members that identify an error response.
    #[must_use]
    pub fn is_error(&self, body: &Json) -> bool {
        body_has_members(body, self.error.identified_by)
    }

    /// Returns the decoding as JSON, for the response to OPTIONS. The members that identify bodies become JSON Schemas.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let outputs = match self.outputs {
            OutputsLocation::Body => json!({ "in": "body" }),
            OutputsLocation::Member(name) => json!({ "in": "member", "member": name }),
            OutputsLocation::Members { except, whole } => {
                json!({ "in": "members", "except": except, "whole": whole })
            }
            OutputsLocation::Unknown => json!({ "in": "unknown" }),
        };
        let ErrorMembers { identified_by, code, name, message, parameters, status } = self.error;
        let mut error = Map::new();
        error.extend(members_schema(identified_by).map(|schema| ("schema".to_owned(), schema)));
        let members = [("code", code), ("name", name), ("parameters", parameters), ("status", status)];
        error.extend(members.into_iter().filter_map(|(key, member)| Some((key.to_owned(), member?.into()))));
        error.insert("message".to_owned(), json!(message));
        let mut json = json!({ "outputs": outputs, "hides_errors": self.hides_errors, "error": error });
        if let Some(schema) = members_schema(self.success) {
            json["success"] = json!({ "schema": schema });
        }
        json
    }
}

impl Default for Decoding {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl MemberValue {
    fn matches_json(self, value: &Json) -> bool {
        match self {
            Self::Bool(expected) => value.as_bool() == Some(expected),
            Self::Number(number) => value.as_u64() == Some(number.into()),
            Self::Text(text) => value.as_str() == Some(text),
            Self::AnyNumber => value.is_number(),
            Self::AnyText => value.is_string(),
        }
    }

    fn to_schema(self) -> Json {
        match self {
            Self::Bool(expected) => json!({ "const": expected }),
            Self::Number(number) => json!({ "const": number }),
            Self::Text(text) => json!({ "const": text }),
            Self::AnyNumber => json!({ "type": "number" }),
            Self::AnyText => json!({ "type": "string" }),
        }
    }
}

fn body_has_members(body: &Json, members: MemberValues) -> bool {
    members.iter().all(|(name, expected)| body.get(name).is_some_and(|value| expected.matches_json(value)))
}

/// `None` if there are no members, because any body matches.
fn members_schema(members: MemberValues) -> Option<Json> {
    let properties: Map<_, _> = members.iter().map(|(name, value)| ((*name).to_owned(), value.to_schema())).collect();
    let required: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    (!members.is_empty()).then(|| json!({ "type": "object", "required": required, "properties": properties }))
}

/// Writes the details of an error as members of the response. These members have the same names in every envelope:
/// `errors`, `truncated`, `similar`, `successor`, `missing`, `parameter`, `limit`, `accepted`, `request_id`. If a
/// handler returned the error, the details are the members that the handler added to it.
///
/// `reserved` contains the names of the members that the envelope itself writes. A member that a handler added is
/// omitted if it has one of these names.
///
/// # Errors
/// Fails if a member cannot be written.
pub fn write_details(error: &ApiError, reserved: &[&str], to: &mut dyn MemberWriter) -> Result<(), WriteError> {
    match error.kind() {
        ErrorKind::Parameters { errors, truncated } => {
            to.member("errors", (&errors.iter().map(parameter_error_json).collect::<Json>()).into())?;
            if *truncated { to.member("truncated", true.into()) } else { Ok(()) }
        }
        ErrorKind::Declared { data, .. } => {
            let mut data = data.iter().filter(|(name, _)| !reserved.contains(&name.as_ref()));
            data.try_for_each(|(name, value)| to.member(name, value.into()))
        }
        ErrorKind::UnknownService { similar } if !similar.is_empty() => {
            to.member("similar", (&similar.iter().map(String::as_str).collect::<Json>()).into())
        }
        ErrorKind::MethodGone { successor: Some(successor), .. } => to.member("successor", successor.as_str().into()),
        ErrorKind::Forbidden { missing } => to.member("missing", (&missing.iter().cloned().collect::<Json>()).into()),
        ErrorKind::TooLarge { limit, parameter } => {
            if let Some(parameter) = parameter {
                to.member("parameter", parameter.as_str().into())?;
            }
            let limit = json!({ "name": limit.name, "max": limit.max, "unit": limit.unit.as_str() });
            to.member("limit", (&limit).into())
        }
        ErrorKind::UnsupportedMediaType { accepted, .. } => {
            to.member("accepted", (&accepted.iter().cloned().collect::<Json>()).into())
        }
        // The error of a call from code has no request id, because the caller receives the cause of the error directly.
        ErrorKind::Internal { request_id } if !request_id.is_empty() => {
            to.member("request_id", request_id.as_str().into())
        }
        _ => Ok(()),
    }
}

/// Returns the members that [`write_details`] writes for errors which the server itself detects, as the `properties` of
/// a JSON Schema. All these members are optional.
#[must_use]
pub fn details_schema() -> Json {
    let parameter_error = json!({
        "type": "object",
        "properties": {
            "parameter": { "type": "string", "description": "The name of the parameter in the request, with the path into its value" },
            "in": { "enum": ["path", "query", "body", "query or body", "header", "cookie"] },
            "expected": { "type": "string", "description": "A description of the expected value" },
            "got": { "type": ["string", "null"], "description": "The received value, shortened; null if the parameter is missing" },
            "similar": { "type": "string", "description": "For an unknown parameter: the name of a parameter with a similar name" },
            "message": { "type": "string", "description": "The message that the definition has for this parameter" },
        },
        "required": ["parameter", "in", "expected", "got"],
    });
    json!({
        "errors": { "type": "array", "items": parameter_error, "description": "The parameter errors" },
        "truncated": { "const": true, "description": "There are more parameter errors than are listed" },
        "similar": { "type": "array", "items": { "type": "string" }, "description": "Services with a similar URI" },
        "successor": { "type": "string", "description": "The HTTP method and the URI that replace the method" },
        "missing": {
            "type": "array",
            "items": { "type": "array", "items": { "type": "string" } },
            "description": "The missing permissions: all permissions of one of these lists are required",
        },
        "parameter": { "type": "string", "description": "The parameter that exceeds the limit, if it is a parameter" },
        "limit": {
            "type": "object",
            "properties": { "name": { "type": "string" }, "max": { "type": "integer" }, "unit": { "type": "string" } },
            "required": ["name", "max", "unit"],
            "description": "The limit that was exceeded",
        },
        "accepted": { "type": "array", "items": { "type": "string" }, "description": "The supported media types" },
        "request_id": { "type": "string", "description": "The id under which the log has the reason" },
    })
}

/// `members` are the schemas of the members that the object must have. The schema also gets the `properties` and
/// `required` of the schema `additional`.
fn object_schema(members: Json, additional: Json) -> Json {
    let (Json::Object(mut properties), Json::Object(mut additional)) = (members, additional) else { return json!({}) };
    let mut required: Vec<Json> = properties.keys().map(|name| name.as_str().into()).collect();
    if let Some(Json::Object(members)) = additional.remove("properties") {
        properties.extend(members);
    }
    if let Some(Json::Array(names)) = additional.remove("required") {
        required.extend(names);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Returns a parameter error as an item of the member `errors`.
fn parameter_error_json(error: &ParameterError) -> Json {
    let mut members = serde_json::Map::new();
    members.insert("parameter".into(), error.parameter.as_str().into());
    members.insert("in".into(), error.source.as_str().into());
    members.insert("expected".into(), error.expected.as_ref().into());
    members.insert("got".into(), error.got.as_deref().into());
    if let Some(similar) = &error.similar {
        members.insert("similar".into(), similar.as_ref().into());
    }
    if let Some(message) = &error.message {
        members.insert("message".into(), message.as_ref().into());
    }
    Json::Object(members)
}

/// Writes the members of a response as one JSON object. The outputs are serialized directly into the text, so that no
/// value is serialized twice.
#[derive(Debug)]
pub struct JsonMemberWriter {
    body: Vec<u8>,
    /// `true` if the outputs were written as the whole body with [`MemberWriter::whole`].
    outputs_are_body: bool,
}

impl Default for JsonMemberWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonMemberWriter {
    /// Creates a writer whose object has no members.
    #[must_use]
    pub fn new() -> Self {
        Self::in_memory(Vec::new())
    }

    /// Creates a writer whose object has no members. The JSON text is written to `memory`, whose content is discarded.
    #[must_use]
    pub fn in_memory(mut memory: Vec<u8>) -> Self {
        memory.clear();
        memory.reserve(256);
        Self { body: memory, outputs_are_body: false }
    }

    /// Closes the object and returns the JSON text.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if !self.outputs_are_body {
            if self.body.is_empty() {
                self.body.push(b'{');
            }
            self.body.push(b'}');
        }
        self.body
    }

    fn write_member_name(&mut self, name: &str) -> Result<(), WriteError> {
        if self.outputs_are_body {
            return Err(WriteError::NotAlone);
        }
        self.body.push(if self.body.is_empty() { b'{' } else { b',' });
        // Without an end at the first other byte, many bytes are compared at once.
        let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
        if name.bytes().fold(true, |all, byte| all & is_plain(byte)) {
            // Such a name needs no escape sequences.
            self.body.push(b'"');
            self.body.extend_from_slice(name.as_bytes());
            self.body.push(b'"');
        } else {
            serde_json::to_writer(&mut self.body, name)?;
        }
        self.body.push(b':');
        Ok(())
    }
}

impl MemberWriter for JsonMemberWriter {
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        Ok(serde_json::to_writer(&mut self.body, &value)?)
    }

    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }

    fn object(&mut self, name: &str, outputs: &dyn Encode, empty: Value<'_>) -> Result<(), WriteError> {
        self.write_member_name(name)?;
        let start = self.body.len();
        outputs.write_json(&mut self.body)?;
        match &self.body[start..] {
            b"null" | b"{}" => {
                self.body.truncate(start);
                serde_json::to_writer(&mut self.body, &empty)?;
                Ok(())
            }
            [b'{', ..] => Ok(()),
            _ => Err(WriteError::NotAnObject),
        }
    }

    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        if self.outputs_are_body {
            return Err(WriteError::NotAlone);
        }
        let start = self.body.len();
        outputs.write_json(&mut self.body)?;
        match &self.body[start..] {
            b"null" => self.body.truncate(start),
            [b'{', inside @ .., b'}'] if inside.trim_ascii().is_empty() => self.body.truncate(start),
            [b'{', ..] => {
                if start > 0 {
                    self.body[start] = b',';
                }
                // The closing brace is removed, so that further members can follow. `finish` writes it again.
                self.body.pop();
            }
            _ => return Err(WriteError::NotAnObject),
        }
        Ok(())
    }

    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        if self.outputs_are_body || !self.body.is_empty() {
            return Err(WriteError::NotAlone);
        }
        self.outputs_are_body = true;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }
}
