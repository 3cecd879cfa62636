//! The entity tags in the header fields `If-Match` and `If-None-Match` (RFC 9110 sections 13.1.1 and 13.1.2).

use http::HeaderName;

use super::{ETag, Head};

/// The characters that may be between two entity tags of a list.
const SEPARATORS: [char; 3] = [' ', '\t', ','];

/// The value of `If-Match` or `If-None-Match`: `*`, or a list of entity tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ETagList {
    has_star: bool,
    tags: Vec<ETag>,
    is_malformed: bool,
}

impl ETagList {
    /// Returns the value `*`, which matches any entity tag.
    pub(crate) fn star() -> Self {
        Self { has_star: true, ..Self::default() }
    }

    /// Returns a list with a single entity tag.
    pub(crate) fn with_tag(tag: ETag) -> Self {
        Self { tags: vec![tag], ..Self::default() }
    }

    /// Reads the list from all header fields with this name; `None` if the request does not have the field. In a
    /// malformed field, the entity tags before the first error are read.
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

    /// Returns `true` if the value is `*`, or `matches` returns `true` for an entity tag of the list.
    pub(crate) fn has_match(&self, matches: impl Fn(&ETag) -> bool) -> bool {
        self.has_star || self.tags.iter().any(matches)
    }

    /// Returns `true` if the header field contains text that is not an entity tag, or `*` beside other values.
    pub(crate) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Adds the entity tags of a comma-separated list, up to the first element that is not an entity tag.
    fn add_tags(&mut self, text: &str) {
        let mut rest = text;
        while let Some((tag, after)) = split_first_tag(rest) {
            self.tags.push(tag);
            rest = after;
        }
        self.is_malformed |= !rest.trim_matches(SEPARATORS).is_empty();
    }
}

/// Returns the first entity tag of a comma-separated list, and the text after this tag. Returns `None` if the first
/// element is not an entity tag. An entity tag may contain commas.
fn split_first_tag(list: &str) -> Option<(ETag, &str)> {
    let rest = list.trim_start_matches(SEPARATORS);
    let start = rest.find('"')? + 1;
    let end = start + rest[start..].find('"')? + 1;
    let (tag, after) = rest.split_at(end);
    let is_separated = after.is_empty() || after.starts_with(SEPARATORS);
    ETag::parse(tag).filter(|_| is_separated).map(|tag| (tag, after))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri, header};

    use super::*;

    #[test]
    fn lists_contain_the_tags_before_malformed_text() {
        let cases: [(&[&'static str], bool, &[&str], bool); 8] = [
            (&["*"], true, &[], false),
            (&["\"a\", W/\"b,c\"", " ,\"d\""], false, &["a", "b,c", "d"], false),
            (&[""], false, &[], false),
            (&["\"a\" b, \"c\""], false, &["a"], true),
            (&["\"a\"\"b\""], false, &[], true),
            (&["a", "\"b\""], false, &["b"], true),
            (&["*", "\"a\""], true, &["a"], true),
            (&["\"a\"", "*"], true, &["a"], true),
        ];
        for (values, has_star, tags, is_malformed) in cases {
            let head = values.iter().fold(Head::new(Method::GET, Uri::default()), |head, value| {
                head.with_header(header::IF_MATCH, HeaderValue::from_static(value))
            });
            let list = ETagList::from_head(&head, &header::IF_MATCH).unwrap();
            let found: Vec<_> =
                list.tags.iter().map(|tag| tag.to_string().trim_matches(['W', '/', '"']).to_owned()).collect();
            assert_eq!((list.has_star, list.is_malformed), (has_star, is_malformed), "{values:?}");
            assert_eq!(found, tags, "{values:?}");
        }
        let head = Head::new(Method::GET, Uri::default());
        assert_eq!(ETagList::from_head(&head, &header::IF_MATCH), None);
    }
}
