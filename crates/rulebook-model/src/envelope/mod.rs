//! Envelopes: the JSON structures of success and error responses.
//!
//! An envelope determines which members a response has, and writes them to a [`MemberWriter`], so that the envelope
//! works with every response format. This Rust module must not depend on requests or formats.

mod builtin;
mod decoding;
mod details;
mod json_writer;
mod problem;

use serde_json::{Value as Json, json};
use thiserror::Error;

pub use builtin::{
    Aicra, AicraStatus, CustomEnvelope, EnvelopeName, EnvelopeSettings, Envelopes, Iapi, Phalapi, Plain,
};
pub use decoding::{Decoding, ErrorMembers, MemberValue, MemberValues, OutputsLocation};
use details::object_schema;
pub use details::{details_schema, write_details};
pub use json_writer::JsonMemberWriter;
pub use problem::Problem;

pub use crate::call::Encode;
use crate::call::{ApiError, Value};
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
