//! Entity tags, which identify versions of a file (RFC 9110 section 8.8.3), and the lists of them in `If-Match` and
//! `If-None-Match`.

use std::borrow::Cow;
use std::fmt;

use http::header::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::Head;

/// An entity tag, which identifies one version of a file. Different versions of a file have different entity tags.
///
/// ```
/// use rulebook::ETag;
///
/// let (strong, weak) = (ETag::strong("v7"), ETag::weak("v7"));
/// assert_eq!((strong.to_string().as_str(), weak.to_string().as_str()), (r#""v7""#, r#"W/"v7""#));
/// assert!(strong.weak_eq(&weak) && !strong.strong_eq(&weak));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag {
    is_weak: bool,
    tag: Box<str>,
}

impl ETag {
    /// Creates a strong entity tag: two files with the same strong entity tag have the same bytes.
    ///
    /// Characters that a tag cannot contain (quotes, spaces, control characters and characters outside of ASCII) are
    /// encoded as `%` and two hexadecimal digits for each byte.
    #[must_use]
    pub fn strong(tag: impl AsRef<str>) -> Self {
        Self { is_weak: false, tag: encode_tag(tag.as_ref()) }
    }

    /// Creates a weak entity tag: two files with the same weak entity tag have the same meaning, but may differ in
    /// bytes. Clients cannot use a weak entity tag to resume a download (RFC 9110 section 13.1.5).
    #[must_use]
    pub fn weak(tag: impl AsRef<str>) -> Self {
        Self { is_weak: true, tag: encode_tag(tag.as_ref()) }
    }

    /// A compressed response adds its content coding after a semicolon, which is therefore encoded in the version.
    pub(crate) fn of_version(version: &str) -> Self {
        Self { is_weak: false, tag: encode_tag(version).replace(CODING_SEPARATOR, "%3B").into() }
    }

    /// Returns the version in the tag, without the content coding.
    pub(crate) fn version(&self) -> String {
        let tag = self.tag.split(CODING_SEPARATOR).next().unwrap_or_default();
        percent_decode_str(tag).decode_utf8().map_or_else(|_| tag.to_owned(), Cow::into_owned)
    }

    pub(crate) fn as_strong(&self) -> Self {
        Self { is_weak: false, tag: self.tag.clone() }
    }

    /// Parses an entity tag in the form that it has in header fields: `"v7"` or `W/"v7"`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (weak, quoted) = match text.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let tag = quoted.strip_prefix('"')?.strip_suffix('"')?;
        tag.bytes().all(is_tag_char).then(|| Self { is_weak: weak, tag: tag.into() })
    }

    /// Compares two entity tags with the weak comparison (RFC 9110 section 8.8.3.2): returns `true` if the two tags
    /// identify content with the same meaning, perhaps with different bytes.
    #[must_use]
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }

    /// Compares two entity tags with the strong comparison (RFC 9110 section 8.8.3.2): returns `true` if the two tags
    /// identify the same bytes.
    #[must_use]
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.tag == other.tag
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        // Visible ASCII in quotes is always a valid header value.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

const CODING_SEPARATOR: char = ';';

/// `tag` is that of the uncompressed response.
pub(crate) fn tag_of_coded_version(tag: &HeaderValue, coding: &str) -> HeaderValue {
    let plain = tag.to_str().unwrap_or_default().trim_end_matches('"');
    HeaderValue::try_from(format!("{plain}{CODING_SEPARATOR}{coding}\"")).unwrap_or_else(|_| tag.clone())
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.tag)
    }
}

/// Characters outside of ASCII are excluded, because some clients reject them.
fn is_tag_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"'
}

fn encode_tag(tag: &str) -> Box<str> {
    if tag.bytes().all(|byte| is_tag_char(byte) && byte != b'%') {
        return tag.into();
    }
    let encoded = tag.bytes().map(|byte| match byte {
        byte if is_tag_char(byte) && byte != b'%' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect::<String>().into()
}

/// The characters between two entity tags of a list.
const SEPARATORS: [char; 3] = [' ', '\t', ','];

/// The value of `If-Match` or `If-None-Match`: `*`, or a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ETagList {
    pub(crate) has_star: bool,
    pub(crate) tags: Vec<ETag>,
    /// There is text that is not an entity tag, or `*` beside other values.
    pub(crate) is_malformed: bool,
}

impl ETagList {
    /// `None` without the field. In a malformed one, the entity tags before the first error are read.
    pub(crate) fn from_head(head: &Head, field: &HeaderName) -> Option<Self> {
        let mut values = head.get_all(field).peekable();
        values.peek()?;
        let mut list = Self::default();
        for (index, value) in values.enumerate() {
            // `*` is valid only as the single value of the field.
            list.is_malformed |= list.has_star;
            match value.to_str() {
                Ok(text) if text.trim() == "*" => {
                    list.has_star = true;
                    list.is_malformed |= index > 0;
                }
                Ok(text) => list.add_tags(text),
                Err(_) => list.is_malformed = true,
            }
        }
        Some(list)
    }

    /// Returns `true` if one of the tags matches, or if the list is `*`.
    pub(crate) fn has_match(&self, matches: impl Fn(&ETag) -> bool) -> bool {
        self.has_star || self.tags.iter().any(matches)
    }

    /// Adds the tags up to the first element that is not an entity tag.
    fn add_tags(&mut self, text: &str) {
        let mut rest = text;
        while let Some((tag, after)) = split_first_tag(rest) {
            self.tags.push(tag);
            rest = after;
        }
        self.is_malformed |= !rest.trim_matches(SEPARATORS).is_empty();
    }
}

/// `None` if the first element is not an entity tag, which may contain commas.
fn split_first_tag(list: &str) -> Option<(ETag, &str)> {
    let rest = list.trim_start_matches(SEPARATORS);
    let start = rest.find('"')? + 1;
    let end = start + rest[start..].find('"')? + 1;
    let (tag, after) = rest.split_at(end);
    let is_separated = after.is_empty() || after.starts_with(SEPARATORS);
    ETag::parse(tag).filter(|_| is_separated).map(|tag| (tag, after))
}
