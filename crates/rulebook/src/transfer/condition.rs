//! Evaluates the conditions in requests that read a file, such as `If-None-Match` (RFC 9110 section 13).

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName};

use super::FileInfo;
use crate::call::{ETag, ETagList, Head};

/// The age that a modification time must have before it identifies the content of a file. HTTP dates have whole
/// seconds, so that a file may change again without a change of its date (RFC 9110 section 8.8.2.2).
const MIN_SETTLED_AGE: Duration = Duration::from_secs(2);

/// The result of evaluating the conditions in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConditionOutcome {
    /// All conditions are met, or the request has no condition.
    Proceed,
    /// The client already has the current content: status 304.
    NotModified,
    /// A precondition is not met: status 412.
    PreconditionFailed,
}

/// Evaluates the conditions of a GET or HEAD request, in the order of RFC 9110 section 13.2.2.
pub(super) fn evaluate_conditions(head: &Head, info: &FileInfo) -> ConditionOutcome {
    let etag = info.etag.as_ref();
    let matches = |same: fn(&ETag, &ETag) -> bool| move |tag: &ETag| etag.is_some_and(|etag| same(etag, tag));
    match lists_matching_tag(head, &header::IF_MATCH, matches(ETag::strong_eq)) {
        Some(false) => return ConditionOutcome::PreconditionFailed,
        None if modified_since(head, &header::IF_UNMODIFIED_SINCE, info) == Some(true) => {
            return ConditionOutcome::PreconditionFailed;
        }
        Some(true) | None => {}
    }
    match lists_matching_tag(head, &header::IF_NONE_MATCH, matches(ETag::weak_eq)) {
        Some(true) => ConditionOutcome::NotModified,
        None if modified_since(head, &header::IF_MODIFIED_SINCE, info) == Some(false) => ConditionOutcome::NotModified,
        Some(false) | None => ConditionOutcome::Proceed,
    }
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
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
