//! Response formats other than JSON. This Rust module contains the trait [`Format`], the table of formats, and the
//! format XML.
//!
//! A format converts the JSON value of a response to the bytes of the response body. The envelope, which defines the
//! members of the JSON value, has been applied before. This Rust module must not depend on envelopes, requests or
//! clients.

mod offer;
mod xml;

pub use offer::{FormatOffer, InvalidMediaType};
pub use xml::Xml;

use std::sync::Arc;

use serde_json::Value as Json;

/// The reason why a response cannot be written. The server logs the reason and does not send it to the client.
pub type FormatError = Box<dyn std::error::Error + Send + Sync>;

/// A response format other than JSON.
///
/// `Rulebook::add_format` adds a format, and the key `formats` in `app.json` offers the format to clients. If the
/// header field `Accept` of a request prefers the format to JSON (RFC 9110 section 12.5.1), the response has this
/// format, even if it is an error.
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
    /// Returns the name by which the key `formats` in `app.json` refers to the format. The name `json` is reserved.
    fn name(&self) -> &str;

    /// Returns the media type of the format (RFC 9110 section 8.3.1), including parameters, for the header field
    /// `Content-Type`. The server calls this function once, when it loads the definition.
    fn media_type(&self) -> &str;

    /// Returns further media types, without parameters, by which clients can request the format. The `Content-Type` of
    /// a response is always [`media_type`](Format::media_type).
    fn aliases(&self) -> &[&str] {
        &[]
    }

    /// Returns the body of a response in this format. `response` is the body as a JSON value, with the members that the
    /// envelope defines.
    ///
    /// # Errors
    /// Fails if the response cannot be written in this format. The server then responds in JSON. If a success could not
    /// be written, the response is an internal error. If an error could not be written, the response is this error.
    fn write(&self, response: &Json) -> Result<Vec<u8>, FormatError>;
}

/// The response formats that a definition can offer to clients. A definition refers to a format by name.
#[derive(Clone)]
pub struct Formats(Vec<Arc<dyn Format>>);

impl Default for Formats {
    /// Returns a table that contains only the built-in formats.
    fn default() -> Self {
        Self(vec![Arc::new(Xml::default())])
    }
}

impl Formats {
    /// Adds a format to the table. The new format replaces a format with the same name.
    pub fn add(&mut self, new: Arc<dyn Format>) {
        self.0.retain(|format| format.name() != new.name());
        self.0.push(new);
    }

    /// Returns the format whose name is `name`, or `None` if the table has no such format.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Format>> {
        self.0.iter().find(|format| format.name() == name)
    }

    /// Returns the names of all formats.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|format| format.name())
    }
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
