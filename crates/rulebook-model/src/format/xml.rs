//! The response format XML (Extensible Markup Language 1.0, fifth edition).

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::name::QName;
use serde_json::Value as Json;

use super::{Format, FormatError};

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
