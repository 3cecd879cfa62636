//! The preconditions of requests that write a file, such as `If-Match` (RFC 9110 section 13).

use std::time::SystemTime;

use http::header::{self, HeaderName};

use super::FileInfo;
use super::condition::unix_seconds;
use crate::call::{ETag, Head};

/// A condition that the existing file, or its absence, must meet before a file is written. The default value is always
/// met.
///
/// ```
/// use rulebook::ETag;
/// use rulebook::store::{FileInfo, Precondition};
///
/// let mut current = FileInfo::default();
/// current.etag = Some(ETag::strong("v7"));
/// assert!(Precondition::absent().is_met(None) && !Precondition::absent().is_met(Some(&current)));
/// assert!(Precondition::if_match(ETag::strong("v7")).is_met(Some(&current)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: the existing file must have one of these entity tags.
    if_match: Option<TagCondition>,
    /// `If-None-Match`: the existing file must not have any of these entity tags.
    if_none_match: Option<TagCondition>,
    /// `If-Unmodified-Since`: the existing file must not have been modified after this time.
    if_unmodified_since: Option<SystemTime>,
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TagCondition {
    /// `*`, which matches any existing file.
    Any,
    /// A list of entity tags, which matches a file that has one of them.
    Tags(Vec<ETag>),
    /// A malformed value. The precondition is then not met, because the client meant to protect a file.
    Malformed,
}

impl Precondition {
    /// Returns the precondition that the file does not exist yet: `If-None-Match: *`.
    #[must_use]
    pub fn absent() -> Self {
        Self { if_none_match: Some(TagCondition::Any), ..Self::default() }
    }

    /// Returns the precondition that the file exists and has this entity tag: `If-Match`.
    #[must_use]
    pub fn if_match(tag: ETag) -> Self {
        Self { if_match: Some(TagCondition::Tags(vec![tag])), ..Self::default() }
    }

    /// Reads the precondition from the header fields of a request.
    #[must_use]
    pub fn from_head(head: &Head) -> Self {
        let date = head.get(&header::IF_UNMODIFIED_SINCE);
        Self {
            if_match: read_tag_condition(head, &header::IF_MATCH),
            if_none_match: read_tag_condition(head, &header::IF_NONE_MATCH),
            if_unmodified_since: date.and_then(|text| httpdate::parse_http_date(text.trim()).ok()),
        }
    }

    /// Returns `true` if the existing file meets the precondition. `current` is `None` if no file exists.
    #[must_use]
    pub fn is_met(&self, current: Option<&FileInfo>) -> bool {
        let etag = current.and_then(|info| info.etag.as_ref());
        let matches = |condition: &TagCondition, same: fn(&ETag, &ETag) -> bool, if_malformed: bool| match condition {
            TagCondition::Malformed => if_malformed,
            TagCondition::Any => current.is_some(),
            TagCondition::Tags(tags) => tags.iter().any(|tag| etag.is_some_and(|etag| same(etag, tag))),
        };
        // The order of the conditions, and the strong or weak comparison of tags, follow RFC 9110 section 13.2.2.
        let may_replace = match (&self.if_match, self.if_unmodified_since, current.and_then(|info| info.modified)) {
            (Some(condition), _, _) => matches(condition, ETag::strong_eq, false),
            (None, Some(date), Some(modified)) => unix_seconds(modified) <= unix_seconds(date),
            (None, _, _) => true,
        };
        may_replace && !self.if_none_match.as_ref().is_some_and(|condition| matches(condition, ETag::weak_eq, true))
    }
}

/// Reads the header field `If-Match` or `If-None-Match`; `None` if the request does not have the field.
fn read_tag_condition(head: &Head, field: &HeaderName) -> Option<TagCondition> {
    head.get_all(field).fold(None, |before, value| {
        let mut all = match before {
            None if value.to_str().is_ok_and(|text| text.trim() == "*") => return Some(TagCondition::Any),
            None => Vec::new(),
            Some(TagCondition::Tags(tags)) => tags,
            // `*` is valid only as the single value of the field.
            Some(TagCondition::Any | TagCondition::Malformed) => return Some(TagCondition::Malformed),
        };
        let Ok(text) = value.to_str() else { return Some(TagCondition::Malformed) };
        let mut tags = ETag::parse_list(text);
        all.extend(tags.by_ref());
        Some(if tags.has_unparsed_text() { TagCondition::Malformed } else { TagCondition::Tags(all) })
    })
}
