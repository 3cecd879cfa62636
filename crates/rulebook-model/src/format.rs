//! Response formats other than JSON. This Rust module contains the trait [`Format`], the table of formats, and the
//! format XML.
//!
//! A format converts the JSON value of a response to the bytes of the response body. The envelope, which defines the
//! members of the JSON value, has been applied before. This Rust module must not depend on envelopes, requests or
//! clients.

use std::borrow::Cow;
use std::sync::Arc;
use std::{fmt, io};

use http::HeaderValue;
use mime::Mime;
use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::name::QName;
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

/// The response format XML 1.0. A client can convert a response in this format back to JSON:
///
/// - The name of the root element is `response`, or the name that is passed to [`Xml::with_root`]. A member of an
///   object is an element with the name of the member. An item of an array is an element `item`.
/// - The attribute `type` is `object`, `array`, `number`, `boolean` or `null`. An element without this attribute is a
///   text. Numbers and booleans are written as in JSON.
/// - Some member names cannot be the name of an element, because they contain a space or a colon, are empty, or begin
///   with a digit or with `xml`. A member with such a name is an element `member`, and its attribute `name` contains
///   the name.
/// - A text with characters that XML does not allow (section 2.2: most control characters, U+FFFE and U+FFFF) is
///   escaped as in a JSON string, and the element has the attribute `escaped="true"`. If the attribute `name` is
///   escaped, the element has the attribute `escaped-name="true"`.
///
/// ```
/// # mod rulebook { pub use rulebook_model::format as envelope; }
/// use rulebook::envelope::{Format, Xml};
/// use serde_json::json;
///
/// # fn main() -> Result<(), rulebook::envelope::FormatError> {
/// let xml = Xml::default().write(&json!({ "title": "Fish & chips", "tags": ["a", "b"], "file size": 3 }))?;
/// let expected = concat!(
///     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
///     r#"<response type="object"><title>Fish &amp; chips</title>"#,
///     r#"<tags type="array"><item>a</item><item>b</item></tags>"#,
///     r#"<member name="file size" type="number">3</member></response>"#,
/// );
/// assert_eq!(String::from_utf8(xml)?, expected);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xml {
    root_name: Cow<'static, str>,
}

impl Default for Xml {
    fn default() -> Self {
        Self { root_name: Cow::Borrowed("response") }
    }
}

impl Xml {
    /// Creates the format XML with `name` as the name of the root element. Returns `None` if `name` is not an XML name
    /// without a colon (Namespaces in XML 1.0, `NCName`).
    #[must_use]
    pub fn with_root(name: &str) -> Option<Self> {
        is_element_name(name).then(|| Self { root_name: Cow::Owned(name.to_owned()) })
    }
}

impl Format for Xml {
    fn name(&self) -> &str {
        "xml"
    }

    fn media_type(&self) -> &str {
        "application/xml; charset=utf-8"
    }

    /// Returns `text/xml`, which is another media type for `application/xml` (RFC 7303 section 9.2).
    fn aliases(&self) -> &[&str] {
        &["text/xml"]
    }

    fn write(&self, response: &Json) -> Result<Vec<u8>, FormatError> {
        let mut writer = Writer::new(Vec::new());
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        writer.get_mut().push(b'\n');
        write_element(&mut writer, &ElementTag { element: &self.root_name, name: None }, response)?;
        Ok(writer.into_inner())
    }
}

/// The name of an XML element, and the value of the element's attribute `name` if the element has this attribute.
struct ElementTag<'a> {
    element: &'a str,
    /// The name of the JSON member, if this name cannot be the name of an element.
    name: Option<&'a str>,
}

impl<'a> ElementTag<'a> {
    const ITEM: ElementTag<'static> = ElementTag { element: "item", name: None };

    fn member(name: &'a str) -> Self {
        // Names that begin with `xml` are reserved (XML 1.0 section 2.3).
        let reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
        if is_element_name(name) && !reserved {
            Self { element: name, name: None }
        } else {
            Self { element: "member", name: Some(name) }
        }
    }

    /// Returns the attributes `name` and `escaped-name` of the element, each if the element needs it.
    fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let name = self.name.map(escape_forbidden_characters);
        let escaped = matches!(name, Some(Cow::Owned(_))).then(|| Attribute::from(("escaped-name", "true")));
        let name = name.map(|name| Attribute { key: QName("name"), value: escape_markup(name) });
        name.into_iter().chain(escaped)
    }
}

fn write_element(writer: &mut Writer<Vec<u8>>, tag: &ElementTag<'_>, value: &Json) -> io::Result<()> {
    let json_type = match value {
        Json::Null => Some("null"),
        Json::Bool(_) => Some("boolean"),
        Json::Number(_) => Some("number"),
        Json::String(_) => None,
        Json::Array(_) => Some("array"),
        Json::Object(_) => Some("object"),
    };
    let attributes = tag.attributes().chain(json_type.map(|json_type| Attribute::from(("type", json_type))));
    let element = writer.create_element(tag.element).with_attributes(attributes);
    match value {
        Json::Bool(_) | Json::Number(_) => element.write_text_content(BytesText::from_escaped(value.to_string()))?,
        Json::String(content) if !content.is_empty() => {
            let content = escape_forbidden_characters(content);
            let escaped = matches!(content, Cow::Owned(_)).then(|| Attribute::from(("escaped", "true")));
            element.with_attributes(escaped).write_text_content(BytesText::from_escaped(escape_markup(content)))?
        }
        Json::Array(items) if !items.is_empty() => element.write_inner_content(|writer| {
            items.iter().try_for_each(|item| write_element(writer, &ElementTag::ITEM, item))
        })?,
        Json::Object(members) if !members.is_empty() => element.write_inner_content(|writer| {
            members.iter().try_for_each(|(name, member)| write_element(writer, &ElementTag::member(name), member))
        })?,
        _ => element.write_empty()?,
    };
    Ok(())
}

/// Escapes a text with characters that XML does not allow as in a JSON string. Other texts stay `Cow::Borrowed`.
fn escape_forbidden_characters(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml_char) {
        return Cow::Borrowed(text);
    }
    let quoted = Json::from(text).to_string();
    let content = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&quoted);
    // JSON does not escape these two characters, which XML does not allow.
    Cow::Owned(content.replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff"))
}

/// Returns `true` if an XML document can contain a character (XML 1.0 section 2.2).
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Escapes a text so that an XML parser returns the same text. Line breaks and tabs are written as character
/// references, because XML parsers normalize them (XML 1.0 sections 2.11 and 3.3.3).
fn escape_markup(text: Cow<'_, str>) -> Cow<'_, str> {
    let escaped = quick_xml::escape::partial_escape(text);
    if !escaped.contains(['"', '\t', '\n']) {
        return escaped;
    }
    Cow::Owned(escaped.replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;"))
}

/// Returns `true` if a text is the name of an element without a namespace (Namespaces in XML 1.0, `NCName`).
fn is_element_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start)
        && chars.all(|c| {
            // `NameChar` (XML 1.0 section 2.3)
            is_name_start(c)
                || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
        })
}

/// Returns `true` if the name of an XML element can begin with a character (XML 1.0 section 2.3, `NameStartChar`). The
/// colon is excluded, because it separates a namespace from a name.
fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}
