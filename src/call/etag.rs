//! Entity tags (RFC 9110 section 8.8.3).

use std::fmt;

use http::HeaderValue;

/// The tag of one state of what is sent: another state has another one.
///
/// ```
/// use rulebook::ETag;
///
/// let (strong, weak) = (ETag::strong("v7"), ETag::weak("v7"));
/// assert_eq!((strong.to_string().as_str(), weak.to_string().as_str()), (r#""v7""#, r#"W/"v7""#));
/// assert!(strong.is_same(&weak) && !strong.is_identical(&weak));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag {
    weak: bool,
    tag: Box<str>,
}

impl ETag {
    /// The tag of these very bytes.
    ///
    /// Characters that no tag may have (quotes, blanks, control characters and those beyond ASCII) are written as
    /// `%` and their bytes.
    #[must_use]
    pub fn strong(tag: impl AsRef<str>) -> Self {
        Self { weak: false, tag: written(tag.as_ref()) }
    }

    /// The tag of what means the same, perhaps in other bytes. Parts of it cannot be put together by it
    /// (RFC 9110 section 13.1.5).
    #[must_use]
    pub fn weak(tag: impl AsRef<str>) -> Self {
        Self { weak: true, tag: written(tag.as_ref()) }
    }

    /// A tag as a header field has it: `"v7"` or `W/"v7"`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (weak, quoted) = match text.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let tag = quoted.strip_prefix('"')?.strip_suffix('"')?;
        tag.bytes().all(is_plain).then(|| Self { weak, tag: tag.into() })
    }

    /// Whether both stand for the same, perhaps in other bytes: the weak comparison.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.tag == other.tag
    }

    /// Whether both stand for the same bytes: the strong comparison.
    #[must_use]
    pub fn is_identical(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.tag == other.tag
    }

    /// As a header field has it.
    pub(crate) fn header_value(&self) -> HeaderValue {
        // Quotes around visible ASCII are a header value.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.weak { "W/" } else { "" }, self.tag)
    }
}

/// The characters of a tag, but those beyond ASCII: not every client takes these.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"'
}

fn written(tag: &str) -> Box<str> {
    if tag.bytes().all(|byte| is_plain(byte) && byte != b'%') {
        return tag.into();
    }
    let escaped = tag.bytes().map(|byte| match byte {
        byte if is_plain(byte) && byte != b'%' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    escaped.collect::<String>().into()
}
