//! What answers are written as beside JSON.
//!
//! In charge of the formats that a program can offer: what one is, which there
//! are, and XML. A format gets an answer as a JSON value, in its envelope, and
//! gives the bytes of the body. Must not know envelopes, requests or clients.

mod offered;
mod table;
mod xml;

pub use offered::{BadMediaType, Offered};
pub use table::Formats;
pub use xml::Xml;

use serde_json::Value as Json;

/// Why an answer cannot be written; the log is told, never the client.
pub type FormatError = Box<dyn std::error::Error + Send + Sync>;

/// What answers can be written as beside JSON.
///
/// [`Rulebook::add_format`](crate::Rulebook::add_format) makes it known, `formats` in `app.json` offers it: clients
/// then get it where they want it more than JSON (`Accept`, RFC 9110 section 12.5.1), refusals too.
///
/// ```
/// use rulebook::{Format, FormatError, Rulebook};
/// use serde_json::Value;
///
/// /// A line for each member of the answer: its name, a tab, its value.
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
///     fn write(&self, answer: &Value) -> Result<Vec<u8>, FormatError> {
///         let members = answer.as_object().ok_or("the answer has no members")?;
///         let lines = members.iter().map(|(name, value)| format!("{name}\t{value}\n"));
///         Ok(lines.collect::<String>().into_bytes())
///     }
/// }
///
/// # fn main() -> Result<(), rulebook::Report> {
/// let definition = r#"{ "/": { "now": { "GET": { "info": "The time" } } } }"#;
/// let settings = r#"{ "formats": ["lines"] }"#;
/// let files = vec![("app.json".into(), settings.into()), ("time.json".into(), definition.into())];
/// let rulebook = Rulebook::read(files).add_format(Lines);
/// assert_eq!(rulebook.check()?.formats[0].name(), "lines");
/// # Ok(())
/// # }
/// ```
pub trait Format: Send + Sync {
    /// Its name in `formats`. `json` is taken.
    fn name(&self) -> &str;

    /// Its media type (RFC 9110 section 8.3.1) as `Content-Type` says it, parameters included. It is asked for once,
    /// when the definition is read.
    fn media_type(&self) -> &str;

    /// Further media types by which clients can ask for it, without parameters. They are answered in
    /// [`media_type`](Format::media_type).
    fn aliases(&self) -> &[&str] {
        &[]
    }

    /// Writes a whole answer: in its envelope, as it would stand in JSON.
    ///
    /// # Errors
    /// It cannot be written. A success then becomes an internal error, and that, as any other refusal, is told in JSON.
    fn write(&self, answer: &Json) -> Result<Vec<u8>, FormatError>;
}
