//! XML (Extensible Markup Language 1.0, fifth edition).

mod name;
mod text;

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Format, FormatError};
use name::is_name;

/// XML 1.0, from which the answer's JSON can be read back:
///
/// - The root is `response`, or [what a program wants](Xml::with_root). A member of an object is an element of its
///   name, an item of an array the element `item`.
/// - The attribute `type` says `object`, `array`, `number`, `boolean` or `null`; an element without it is a text.
///   Numbers and booleans are written as in JSON.
/// - A member whose name is no XML name (one with a blank or a colon, an empty one, one that begins with a digit or
///   with `xml`) is the element `member`, whose attribute `name` has the name.
/// - A text with characters that XML cannot hold (section 2.2: most control characters, U+FFFE and U+FFFF) is written
///   as between the quotes of a JSON string, and the attribute `escaped` is `true`; for such a name `escaped-name` is.
///
/// ```
/// use rulebook::{Format, Xml};
/// use serde_json::json;
///
/// # fn main() -> Result<(), rulebook::FormatError> {
/// let xml = Xml::default().write(&json!({ "title": "Fish & chips", "tags": ["a", "b"], "size of it": 3 }))?;
/// let expected = concat!(
///     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
///     r#"<response type="object"><title>Fish &amp; chips</title>"#,
///     r#"<tags type="array"><item>a</item><item>b</item></tags>"#,
///     r#"<member name="size of it" type="number">3</member></response>"#,
/// );
/// assert_eq!(String::from_utf8(xml)?, expected);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xml {
    root: Cow<'static, str>,
}

impl Default for Xml {
    fn default() -> Self {
        Self { root: Cow::Borrowed("response") }
    }
}

impl Xml {
    /// XML whose root has this name; none where that is no name without a colon (Namespaces in XML 1.0, `NCName`).
    #[must_use]
    pub fn with_root(name: &str) -> Option<Self> {
        is_name(name).then(|| Self { root: Cow::Owned(name.to_owned()) })
    }
}

impl Format for Xml {
    fn name(&self) -> &str {
        "xml"
    }

    fn media_type(&self) -> &str {
        "application/xml; charset=utf-8"
    }

    /// RFC 7303 section 9.2: `text/xml` is another name of it.
    fn aliases(&self) -> &[&str] {
        &["text/xml"]
    }

    fn write(&self, answer: &Json) -> Result<Vec<u8>, FormatError> {
        let mut to = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        element(&Tag { element: &self.root, name: None }, answer, &mut to);
        Ok(to.into_bytes())
    }
}

/// What an element is called.
struct Tag<'a> {
    element: &'a str,
    /// The name of a member that cannot be that of an element.
    name: Option<&'a str>,
}

impl<'a> Tag<'a> {
    const ITEM: Tag<'static> = Tag { element: "item", name: None };

    fn member(name: &'a str) -> Self {
        // Names that begin with `xml` are XML's own (section 2.3).
        let reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
        if is_name(name) && !reserved {
            Self { element: name, name: None }
        } else {
            Self { element: "member", name: Some(name) }
        }
    }

    /// Opens the element, with these attributes after its own; they are written as they are.
    fn open(&self, attributes: &str, to: &mut String) {
        to.push('<');
        to.push_str(self.element);
        if let Some(name) = self.name {
            let held = text::held(name);
            to.push_str(" name=\"");
            text::write(&held, to);
            to.push_str(if matches!(held, Cow::Owned(_)) { "\" escaped-name=\"true\"" } else { "\"" });
        }
        to.push_str(attributes);
    }

    fn close(&self, to: &mut String) {
        to.push_str("</");
        to.push_str(self.element);
        to.push('>');
    }
}

/// Writes a value as an element.
fn element(tag: &Tag<'_>, value: &Json, to: &mut String) {
    let held = match value {
        Json::String(own) => text::held(own),
        _ => Cow::Borrowed(""),
    };
    let (attributes, empty) = match value {
        Json::Null => (" type=\"null\"", true),
        Json::Bool(_) => (" type=\"boolean\"", false),
        Json::Number(_) => (" type=\"number\"", false),
        Json::String(own) => (if matches!(held, Cow::Owned(_)) { " escaped=\"true\"" } else { "" }, own.is_empty()),
        Json::Array(items) => (" type=\"array\"", items.is_empty()),
        Json::Object(members) => (" type=\"object\"", members.is_empty()),
    };
    tag.open(attributes, to);
    if empty {
        to.push_str("/>");
        return;
    }
    to.push('>');
    match value {
        Json::Null => {}
        Json::Bool(_) | Json::Number(_) => to.push_str(&value.to_string()),
        Json::String(_) => text::write(&held, to),
        Json::Array(items) => items.iter().for_each(|item| element(&Tag::ITEM, item, to)),
        Json::Object(members) => {
            members.iter().for_each(|(name, member)| element(&Tag::member(name), member, to));
        }
    }
    tag.close(to);
}
