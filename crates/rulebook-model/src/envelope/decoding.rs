//! The description with which clients decode the JSON bodies of responses in an envelope.

use serde_json::{Map, Value as Json, json};

/// The description of an envelope's JSON bodies: where a body contains the outputs, and which members identify an
/// error.
///
/// An envelope returns this description from [`Envelope::decoding`](super::Envelope::decoding). The response to OPTIONS
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

/// Returns the JSON Schema of bodies with these members, or `None` if there are no members, because any body matches.
fn members_schema(members: MemberValues) -> Option<Json> {
    let properties: Map<_, _> = members.iter().map(|(name, value)| ((*name).to_owned(), value.to_schema())).collect();
    let required: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    (!members.is_empty()).then(|| json!({ "type": "object", "required": required, "properties": properties }))
}
