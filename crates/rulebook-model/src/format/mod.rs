//! Response formats other than JSON: the trait [`Format`], the table of formats, and XML.
//!
//! A format converts the JSON value of a response, including its envelope, to the bytes of the body. This module must
//! not depend on envelopes, requests or clients.

mod offer;
mod table;
mod xml;

pub use offer::{FormatOffer, InvalidMediaType};
pub use table::Formats;
pub use xml::Xml;

use serde_json::Value as Json;

/// The reason why a response cannot be written. The server logs it and does not send it to the client.
pub type FormatError = Box<dyn std::error::Error + Send + Sync>;

/// A response format other than JSON.
///
/// `Rulebook::add_format` adds a format, and `formats` in `app.json` offers it to clients. If the `Accept` field of a
/// request prefers the format to JSON (RFC 9110 section 12.5.1), the response has this format, including errors.
///
/// ```
/// # mod rulebook { pub use rulebook_model::format as envelope; }
/// use rulebook::envelope::{Format, FormatError};
/// use serde_json::Value;
///
/// /// One line for each member of the response: its name, a tab, its value.
/// struct Lines;
///
/// impl Format for Lines {
///     fn name(&self) -> &str {
///         "lines"
///     }
///
///     fn media_type(&self) -> &str {
///         "text/tab-separated-values; charset=utf-8"
///     }
///
///     fn write(&self, response: &Value) -> Result<Vec<u8>, FormatError> {
///         let members = response.as_object().ok_or("the response has no members")?;
///         let lines = members.iter().map(|(name, value)| format!("{name}\t{value}\n"));
///         Ok(lines.collect::<String>().into_bytes())
///     }
/// }
///
/// # fn main() -> Result<(), FormatError> {
/// let response = serde_json::json!({ "title": "Rules", "pages": 3 });
/// assert_eq!(Lines.write(&response)?, b"title\t\"Rules\"\npages\t3\n");
/// # Ok(())
/// # }
/// ```
pub trait Format: Send + Sync {
    /// Returns the name of the format, which `formats` in `app.json` refers to. The name `json` is reserved.
    fn name(&self) -> &str;

    /// Returns the media type (RFC 9110 section 8.3.1) for the `Content-Type` field, including parameters. Called once,
    /// when the definition is loaded.
    fn media_type(&self) -> &str;

    /// Returns further media types, without parameters, by which clients can request the format. The response always
    /// has the media type [`media_type`](Format::media_type).
    fn aliases(&self) -> &[&str] {
        &[]
    }

    /// Returns the body of a response. `response` is the body as JSON, including the envelope.
    ///
    /// # Errors
    /// Fails if the response cannot be written. The server then responds in JSON: with an internal error instead of a
    /// success, or with the error that could not be written.
    fn write(&self, response: &Json) -> Result<Vec<u8>, FormatError>;
}
