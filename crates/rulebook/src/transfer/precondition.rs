//! The preconditions of requests that write a file, such as `If-Match` (RFC 9110 section 13).

use std::time::SystemTime;

use http::header;

use super::FileInfo;
use super::condition::unix_seconds;
use crate::call::{ETag, ETagList, Head};

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
    if_match: Option<ETagList>,
    /// `If-None-Match`: the existing file must not have any of these entity tags.
    if_none_match: Option<ETagList>,
    /// `If-Unmodified-Since`: the existing file must not have been modified after this time.
    if_unmodified_since: Option<SystemTime>,
}

impl Precondition {
    /// Returns the precondition that the file does not exist yet: `If-None-Match: *`.
    #[must_use]
    pub fn absent() -> Self {
        Self { if_none_match: Some(ETagList::star()), ..Self::default() }
    }

    /// Returns the precondition that the file exists and has this entity tag: `If-Match`.
    #[must_use]
    pub fn if_match(tag: ETag) -> Self {
        Self { if_match: Some(ETagList::with_tag(tag)), ..Self::default() }
    }

    /// Reads the precondition from the header fields of a request.
    #[must_use]
    pub fn from_head(head: &Head) -> Self {
        let date = head.get(&header::IF_UNMODIFIED_SINCE);
        Self {
            if_match: ETagList::from_head(head, &header::IF_MATCH),
            if_none_match: ETagList::from_head(head, &header::IF_NONE_MATCH),
            if_unmodified_since: date.and_then(|text| httpdate::parse_http_date(text.trim()).ok()),
        }
    }

    /// Returns `true` if the existing file meets the precondition. `current` is `None` if no file exists.
    #[must_use]
    pub fn is_met(&self, current: Option<&FileInfo>) -> bool {
        let etag = current.and_then(|info| info.etag.as_ref());
        let is_listed = |list: &ETagList, same: fn(&ETag, &ETag) -> bool| {
            current.is_some() && list.has_match(|tag| etag.is_some_and(|etag| same(etag, tag)))
        };
        // With a malformed list, the precondition is not met, because the client meant to protect a file.
        // The order of the conditions, and the strong or weak comparison of tags, follow RFC 9110 section 13.2.2.
        let may_replace = match (&self.if_match, self.if_unmodified_since, current.and_then(|info| info.modified)) {
            (Some(list), _, _) => !list.is_malformed() && is_listed(list, ETag::strong_eq),
            (None, Some(date), Some(modified)) => unix_seconds(modified) <= unix_seconds(date),
            (None, _, _) => true,
        };
        let forbids = |list: &ETagList| list.is_malformed() || is_listed(list, ETag::weak_eq);
        may_replace && !self.if_none_match.as_ref().is_some_and(forbids)
    }
}
