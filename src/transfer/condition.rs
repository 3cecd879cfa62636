//! Conditions of requests (RFC 9110 section 13).

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName};

use super::Facts;
use crate::call::{ETag, Head};

/// How long ago a change must be for its second to name one state only (RFC 9110 section 8.8.2.2).
const SETTLED: Duration = Duration::from_secs(2);

/// What becomes of a request by its conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// They hold, or there are none.
    Holds,
    /// The client has this already.
    NotModified,
    /// The client wants none but another state.
    Failed,
}

/// Judges the conditions of a request that reads, in the order of RFC 9110 section 13.2.2.
pub(super) fn condition(head: &Head, facts: &Facts) -> Condition {
    let etag = facts.etag.as_ref();
    let is = |same: fn(&ETag, &ETag) -> bool| move |tag: &ETag| etag.is_some_and(|own| same(own, tag));
    match any_tag(head, &header::IF_MATCH, is(ETag::is_identical)) {
        Some(false) => return Condition::Failed,
        None if since(head, &header::IF_UNMODIFIED_SINCE, facts) == Some(true) => return Condition::Failed,
        Some(true) | None => {}
    }
    match any_tag(head, &header::IF_NONE_MATCH, is(ETag::is_same)) {
        Some(true) => Condition::NotModified,
        None if since(head, &header::IF_MODIFIED_SINCE, facts) == Some(false) => Condition::NotModified,
        Some(false) | None => Condition::Holds,
    }
}

/// Whether a part may be sent although `If-Range` is there (RFC 9110 section 13.1.5).
pub(super) fn if_range(head: &Head, facts: &Facts, now: SystemTime) -> bool {
    let mut values = head.header_values(&header::IF_RANGE);
    let Some(value) = values.next() else { return true };
    let Some(text) = value.to_str().ok().map(str::trim).filter(|_| values.next().is_none()) else { return false };
    if text.ends_with('"') {
        let tag = ETag::parse(text);
        return tag.is_some_and(|tag| facts.etag.as_ref().is_some_and(|own| own.is_identical(&tag)));
    }
    let (Ok(date), Some(modified)) = (httpdate::parse_http_date(text), facts.modified) else { return false };
    seconds(date) == seconds(modified) && modified + SETTLED <= now
}

/// Whether a list of tags names one for which `is` holds, or is `*`; none where there is no such field.
fn any_tag(head: &Head, field: &HeaderName, is: impl Fn(&ETag) -> bool) -> Option<bool> {
    let mut there = None;
    for value in head.header_values(field) {
        let found = there.get_or_insert(false);
        let Ok(text) = value.to_str() else { continue };
        *found = *found || text.trim() == "*" || Tags::of(text).any(|tag| is(&tag));
    }
    there
}

/// What stands between tags.
const BETWEEN: [char; 3] = [' ', '\t', ','];

/// The tags of a list; it ends where it cannot be read. Commas may stand in tags.
pub(super) struct Tags<'t>(&'t str);

impl<'t> Tags<'t> {
    /// Those of a field.
    pub(super) fn of(text: &'t str) -> Self {
        Self(text)
    }

    /// Whether there is something behind them that is none.
    pub(super) fn is_broken(&self) -> bool {
        !self.0.trim_matches(BETWEEN).is_empty()
    }
}

impl Iterator for Tags<'_> {
    type Item = ETag;

    fn next(&mut self) -> Option<ETag> {
        let rest = self.0.trim_start_matches(BETWEEN);
        let start = rest.find('"')? + 1;
        let end = start + rest[start..].find('"')? + 1;
        let tag = ETag::parse(&rest[..end])?;
        self.0 = &rest[end..];
        Some(tag)
    }
}

/// Whether the file has changed since the date of a field; none where either is not known.
fn since(head: &Head, field: &HeaderName, facts: &Facts) -> Option<bool> {
    let date = httpdate::parse_http_date(head.header(field)?.trim()).ok()?;
    Some(seconds(facts.modified?) > seconds(date))
}

/// Dates of HTTP have no fractions of a second, and begin with 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
