//! Deciding which part of a file a response contains.

use std::time::SystemTime;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use http_range::{HttpRange, HttpRangeParseError};

use super::condition::{self, Outcome};
use crate::call::{ETag, Head};

/// The metadata of a file, which is known without reading its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FileInfo {
    /// The length in bytes; `None` if it is not known before the end of the content.
    pub length: Option<u64>,
    /// If `true`, a part of the content can be sent (`Accept-Ranges: bytes`).
    pub accepts_ranges: bool,
    /// The entity tag of the content.
    pub etag: Option<ETag>,
    /// The time of the last modification.
    pub modified: Option<SystemTime>,
}

/// What the response to a request for a file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The whole file.
    Whole,
    /// One range of the file: status 206.
    Part {
        /// Offset of the first byte.
        from: u64,
        /// Length in bytes, at least 1.
        length: u64,
    },
    /// No content, because the client has it already: status 304.
    NotModified,
    /// No content, because a precondition is not met: status 412.
    PreconditionFailed,
    /// No content, because the requested range is outside of the file: status 416.
    OutOfRange,
}

/// Decides which part of a file a response contains. Conditions apply to GET and HEAD, ranges only to GET (RFC 9110
/// section 14.2). Malformed conditions and ranges are ignored.
///
/// At most one range is sent. If a client requests several, it receives the whole file, which RFC 9110 section 14.2
/// permits.
#[must_use]
pub fn decide(head: &Head, info: &FileInfo, now: SystemTime) -> Decision {
    if head.method != Method::GET && head.method != Method::HEAD {
        return Decision::Whole;
    }
    match condition::evaluate(head, info) {
        Outcome::NotModified => return Decision::NotModified,
        Outcome::PreconditionFailed => return Decision::PreconditionFailed,
        Outcome::Proceed => {}
    }
    let may_be_partial = head.method == Method::GET && info.accepts_ranges && condition::if_range(head, info, now);
    // For an empty file, http_range would return a suffix range that ends before it begins.
    let Some(length) = info.length.filter(|length| may_be_partial && *length > 0) else { return Decision::Whole };
    let mut fields = head.get_all(&header::RANGE);
    let (Some(field), None) = (fields.next(), fields.next()) else { return Decision::Whole };
    match HttpRange::parse_bytes(field.as_bytes(), length).as_deref() {
        Ok([HttpRange { start, length }]) => Decision::Part { from: *start, length: *length },
        Err(HttpRangeParseError::NoOverlap) => Decision::OutOfRange,
        Ok(_) | Err(HttpRangeParseError::InvalidRange) => Decision::Whole,
    }
}

impl FileInfo {
    /// Returns the header fields `ETag` and `Last-Modified` (RFC 9110 section 8.8), as far as their values are known.
    #[must_use]
    pub(crate) fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields = Vec::with_capacity(2);
        if let Some(etag) = &self.etag {
            fields.push((header::ETAG, etag.header_value()));
        }
        // HTTP dates end with the year 9999; times of a file system may be later.
        let modified = self.modified.filter(|time| time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(is_date));
        if let Some(date) = modified.and_then(|time| HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()) {
            fields.push((header::LAST_MODIFIED, date));
        }
        fields
    }
}

/// Returns the header fields of a response: validators, `Content-Range` and `Accept-Ranges`.
#[must_use]
pub fn fields(info: &FileInfo, decision: Decision) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = info.validators();
    let range = match (decision, info.length) {
        (Decision::Part { from, length }, Some(all)) => Some(format!("bytes {from}-{}/{all}", from + length - 1)),
        (Decision::OutOfRange, Some(all)) => Some(format!("bytes */{all}")),
        _ => None,
    };
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        fields.push((header::CONTENT_RANGE, range));
    }
    if matches!(decision, Decision::Whole | Decision::Part { .. }) {
        let unit = if info.accepts_ranges { "bytes" } else { "none" };
        fields.push((header::ACCEPT_RANGES, HeaderValue::from_static(unit)));
    }
    fields
}

/// Returns `true` if a time since the Unix epoch is before the year 10000.
fn is_date(since: std::time::Duration) -> bool {
    since.as_secs() < 253_402_300_800
}
