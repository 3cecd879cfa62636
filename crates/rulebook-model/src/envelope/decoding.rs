//! How a client decodes the JSON bodies of an envelope.

use serde_json::{Map, Value as Json, json};

/// The description of an envelope's JSON bodies: where they have the outputs, and which members identify errors.
///
/// An envelope returns it from [`Envelope::decoding`](super::Envelope::decoding). The response to OPTIONS contains it
/// as `$envelope`, so that the JavaScript client can decode bodies; the TypeScript declarations and the test client use
/// it too. The default is [`Decoding::UNKNOWN`].
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
    /// Where the body of a success has the outputs.
    pub outputs: OutputsLocation,
    /// The members that identify the body of a success. Empty if a success can have any body.
    pub success: MemberValues,
    /// `true` if, with some settings of the API, an error response can have the HTTP status of a success. A client then
    /// checks the body of each response with such a status.
    pub hides_errors: bool,
    /// The members of error bodies.
    pub error: ErrorMembers,
}

/// Members of a body and their values.
pub type MemberValues = &'static [(&'static str, MemberValue)];

/// The value of a member that identifies a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberValue {
    /// This Boolean value.
    Bool(bool),
    /// This number.
    Number(u16),
    /// This text.
    Text(&'static str),
    /// Any number.
    AnyNumber,
    /// Any text.
    AnyText,
}

/// Where the body of a success has the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputsLocation {
    /// The outputs are the body.
    Body,
    /// The outputs are the member of the body with this name. Without outputs, the member can be an empty list.
    Member(&'static str),
    /// The outputs are members of the body.
    Members {
        /// The other members of the body.
        except: &'static [&'static str],
        /// The member for an output that is a single value instead of members.
        whole: &'static str,
    },
    /// The envelope does not describe its bodies, so a client returns the whole body.
    Unknown,
}

/// The members of an error body, by their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorMembers {
    /// The members that identify an error body. Empty if an error can have any body.
    pub identified_by: MemberValues,
    /// The member with the code of the error in the table of errors: its name (a text) or its number.
    pub code: Option<&'static str>,
    /// The member with the name of a declared error.
    pub name: Option<&'static str>,
    /// The members that can have the message. The first one that the body has is used.
    pub message: &'static [&'static str],
    /// The member with the list of parameter errors.
    pub parameters: Option<&'static str>,
    /// The member with the actual HTTP status, for responses that are sent with the HTTP status of a success.
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

    /// Returns `true` if a body has the members of a success.
    #[must_use]
    pub fn is_success(&self, body: &Json) -> bool {
        has_members(body, self.success)
    }

    /// Returns `true` if a body has the members of an error.
    #[must_use]
    pub fn is_error(&self, body: &Json) -> bool {
        has_members(body, self.error.identified_by)
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
    fn matches(self, value: &Json) -> bool {
        match self {
            Self::Bool(expected) => value.as_bool() == Some(expected),
            Self::Number(number) => value.as_u64() == Some(number.into()),
            Self::Text(text) => value.as_str() == Some(text),
            Self::AnyNumber => value.is_number(),
            Self::AnyText => value.is_string(),
        }
    }

    fn schema(self) -> Json {
        match self {
            Self::Bool(expected) => json!({ "const": expected }),
            Self::Number(number) => json!({ "const": number }),
            Self::Text(text) => json!({ "const": text }),
            Self::AnyNumber => json!({ "type": "number" }),
            Self::AnyText => json!({ "type": "string" }),
        }
    }
}

fn has_members(body: &Json, members: MemberValues) -> bool {
    members.iter().all(|(name, expected)| body.get(name).is_some_and(|value| expected.matches(value)))
}

/// Returns the JSON Schema of bodies with these members, or `None` if there are no members, because any body matches.
fn members_schema(members: MemberValues) -> Option<Json> {
    let properties: Map<_, _> = members.iter().map(|(name, value)| ((*name).to_owned(), value.schema())).collect();
    let required: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    (!members.is_empty()).then(|| json!({ "type": "object", "required": required, "properties": properties }))
}
