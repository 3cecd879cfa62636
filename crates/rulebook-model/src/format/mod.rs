//! Response formats other than JSON. This Rust module contains the trait [`Format`], the table of formats, and the
//! format XML.
//!
//! A format converts the JSON value of a response to the bytes of the response body. The envelope, which defines the
//! members of the JSON value, has been applied before. This Rust module must not depend on envelopes, requests or
//! clients.

mod xml;

pub use xml::Xml;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use mime::Mime;
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

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// A response format with checked media types that an API offers to clients. Offers are equal if their names are.
#[derive(Clone)]
pub struct FormatOffer {
    media_type: HeaderValue,
    essence: String,
    aliases: Vec<String>,
    format: Arc<dyn Format>,
}

/// A text that is not a media type (RFC 9110 section 8.3.1), or that is a media range such as `text/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMediaType(pub String);

impl FormatOffer {
    /// Creates an offer of a format to clients.
    ///
    /// # Errors
    /// Fails if one of the media types of the format is invalid.
    pub fn new(format: &Arc<dyn Format>) -> Result<Self, InvalidMediaType> {
        let media_type = format.media_type();
        Ok(Self {
            media_type: HeaderValue::from_str(media_type).map_err(|_| InvalidMediaType(media_type.to_owned()))?,
            essence: media_type_essence(media_type)?,
            aliases: format.aliases().iter().map(|alias| media_type_essence(alias)).collect::<Result<_, _>>()?,
            format: Arc::clone(format),
        })
    }

    /// Returns the name of the format.
    #[must_use]
    pub fn name(&self) -> &str {
        self.format.name()
    }

    /// Returns the value of the header field `Content-Type` in responses of this format.
    #[must_use]
    pub fn media_type(&self) -> &HeaderValue {
        &self.media_type
    }

    /// Returns the media type of the format, without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns further media types, without parameters, by which clients can request the format.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// Returns the format itself.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }
}

fn media_type_essence(media_type: &str) -> Result<String, InvalidMediaType> {
    let bad = || InvalidMediaType(media_type.to_owned());
    let mime: Mime = media_type.parse().map_err(|_| bad())?;
    if mime.type_() == mime::STAR || mime.subtype() == mime::STAR {
        return Err(bad());
    }
    Ok(mime.essence_str().to_owned())
}

impl fmt::Debug for FormatOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatOffer")
            .field("name", &self.name())
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl PartialEq for FormatOffer {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}
