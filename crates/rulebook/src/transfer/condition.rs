//! The conditions in requests that read or write a file, such as `If-None-Match` (RFC 9110 section 13).

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName};

use super::{FileInfo, TransferDecision};
use crate::call::{ETag, ETagList, Head};

/// The age that a modification time must have before it identifies the content of a file. HTTP dates have whole
/// seconds, so that a file may change again without a change of its date (RFC 9110 section 8.8.2.2).
const MIN_SETTLED_AGE: Duration = Duration::from_secs(2);

/// Evaluates the conditions of a GET or HEAD request, in the order of RFC 9110 section 13.2.2. Returns `None` if all
/// are met, or the request has no condition.
pub(super) fn evaluate_conditions(head: &Head, info: &FileInfo) -> Option<TransferDecision> {
    let etag = info.etag.as_ref();
    let matches = |same: fn(&ETag, &ETag) -> bool| move |tag: &ETag| etag.is_some_and(|etag| same(etag, tag));
    let may_proceed = match lists_matching_tag(head, &header::IF_MATCH, matches(ETag::strong_eq)) {
        Some(is_listed) => is_listed,
        None => modified_since(head, &header::IF_UNMODIFIED_SINCE, info) != Some(true),
    };
    if !may_proceed {
        return Some(TransferDecision::PreconditionFailed);
    }
    let is_current = match lists_matching_tag(head, &header::IF_NONE_MATCH, matches(ETag::weak_eq)) {
        Some(is_listed) => is_listed,
        None => modified_since(head, &header::IF_MODIFIED_SINCE, info) == Some(false),
    };
    is_current.then_some(TransferDecision::NotModified)
}

/// Returns `true` if the server may respond with the range in the field `Range`: the request has no field `If-Range`,
/// or the condition in this field is met (RFC 9110 section 13.1.5).
pub(super) fn range_applies(head: &Head, info: &FileInfo, now: SystemTime) -> bool {
    let mut values = head.get_all(&header::IF_RANGE);
    let Some(value) = values.next() else { return true };
    let Some(text) = value.to_str().ok().map(str::trim).filter(|_| values.next().is_none()) else { return false };
    if text.ends_with('"') {
        let tag = ETag::parse(text);
        return tag.is_some_and(|tag| info.etag.as_ref().is_some_and(|etag| etag.strong_eq(&tag)));
    }
    let (Ok(date), Some(modified)) = (httpdate::parse_http_date(text), info.modified) else { return false };
    unix_seconds(date) == unix_seconds(modified) && modified + MIN_SETTLED_AGE <= now
}

/// Returns `Some(true)` if the value of a header field is `*` or lists an entity tag for which `matches` returns
/// `true`. Returns `None` if the request does not have the field.
fn lists_matching_tag(head: &Head, field: &HeaderName, matches: impl Fn(&ETag) -> bool) -> Option<bool> {
    ETagList::from_head(head, field).map(|list| list.has_match(matches))
}

/// Returns `Some(true)` if the file was modified after the date in a header field. Returns `None` if the request has no
/// valid date in the field, or the modification time is unknown.
fn modified_since(head: &Head, field: &HeaderName, info: &FileInfo) -> Option<bool> {
    let date = httpdate::parse_http_date(head.get(field)?.trim()).ok()?;
    Some(unix_seconds(info.modified?) > unix_seconds(date))
}

/// Returns a time as whole seconds since the Unix epoch, because HTTP dates have whole seconds. Earlier times become 0.
fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

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
