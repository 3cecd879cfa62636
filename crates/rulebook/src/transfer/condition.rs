//! The conditions of requests that read a file (RFC 9110 section 13).

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName};

use super::FileInfo;
use crate::call::{ETag, Head};

/// The minimum age of a modification at which its date identifies one state of the file, although dates have only whole
/// seconds (RFC 9110 section 8.8.2.2).
const SETTLED: Duration = Duration::from_secs(2);

/// The result of evaluating the conditions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All conditions are met, or the request has none.
    Proceed,
    /// The client has the current state already: status 304.
    NotModified,
    /// A precondition is not met: status 412.
    PreconditionFailed,
}

/// Evaluates the conditions of a GET or HEAD request, in the order of RFC 9110 section 13.2.2.
pub(super) fn evaluate(head: &Head, info: &FileInfo) -> Outcome {
    let etag = info.etag.as_ref();
    let matches = |same: fn(&ETag, &ETag) -> bool| move |tag: &ETag| etag.is_some_and(|etag| same(etag, tag));
    match any_tag(head, &header::IF_MATCH, matches(ETag::strong_eq)) {
        Some(false) => return Outcome::PreconditionFailed,
        None if modified_since(head, &header::IF_UNMODIFIED_SINCE, info) == Some(true) => {
            return Outcome::PreconditionFailed;
        }
        Some(true) | None => {}
    }
    match any_tag(head, &header::IF_NONE_MATCH, matches(ETag::weak_eq)) {
        Some(true) => Outcome::NotModified,
        None if modified_since(head, &header::IF_MODIFIED_SINCE, info) == Some(false) => Outcome::NotModified,
        Some(false) | None => Outcome::Proceed,
    }
}

/// Returns `true` if the field `Range` applies: there is no `If-Range`, or its condition is met (RFC 9110 section
/// 13.1.5).
pub(super) fn if_range(head: &Head, info: &FileInfo, now: SystemTime) -> bool {
    let mut values = head.get_all(&header::IF_RANGE);
    let Some(value) = values.next() else { return true };
    let Some(text) = value.to_str().ok().map(str::trim).filter(|_| values.next().is_none()) else { return false };
    if text.ends_with('"') {
        let tag = ETag::parse(text);
        return tag.is_some_and(|tag| info.etag.as_ref().is_some_and(|etag| etag.strong_eq(&tag)));
    }
    let (Ok(date), Some(modified)) = (httpdate::parse_http_date(text), info.modified) else { return false };
    seconds(date) == seconds(modified) && modified + SETTLED <= now
}

/// Returns `Some(true)` if a header field is `*` or lists a tag for which `matches` returns `true`; `None` if the
/// request does not have the field.
fn any_tag(head: &Head, field: &HeaderName, matches: impl Fn(&ETag) -> bool) -> Option<bool> {
    let mut any = None;
    for value in head.get_all(field) {
        let any = any.get_or_insert(false);
        let Ok(text) = value.to_str() else { continue };
        *any = *any || text.trim() == "*" || ETag::parse_list(text).any(|tag| matches(&tag));
    }
    any
}

/// Returns `Some(true)` if the file was modified after the date in a header field; `None` if one of the two times is
/// unknown.
fn modified_since(head: &Head, field: &HeaderName, info: &FileInfo) -> Option<bool> {
    let date = httpdate::parse_http_date(head.get(field)?.trim()).ok()?;
    Some(seconds(info.modified?) > seconds(date))
}

/// Returns whole seconds since the Unix epoch, the precision of dates in HTTP; 0 for earlier times.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
