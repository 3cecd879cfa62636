//! Entity tags, which identify versions of a file (RFC 9110 section 8.8.3).

use std::fmt;

use http::HeaderValue;

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

    /// Returns the entity tag in the form that it has in header fields.
    pub(crate) fn header_value(&self) -> HeaderValue {
        // Visible ASCII in quotes is always a valid header value.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.tag)
    }
}

/// Returns `true` for the characters that an entity tag may contain. Characters outside of ASCII are excluded, because
/// some clients reject them.
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
