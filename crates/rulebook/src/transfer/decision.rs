//! Decides which bytes of a file a response contains, by the conditions and the range in the request; and the metadata
//! of files, by which it decides.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use http_range::{HttpRange, HttpRangeParseError};

use super::condition;
use crate::call::{ETag, Head};

/// The metadata of a file, which are known before its content is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FileInfo {
    /// The length in bytes; `None` if it is known only after the whole content has been read.
    pub length: Option<u64>,
    /// `true` if a response can contain a range of the content (`Accept-Ranges: bytes`).
    pub accepts_ranges: bool,
    /// The entity tag of the content; `None` if it is unknown.
    pub etag: Option<ETag>,
    /// The time of the last modification; `None` if it is unknown.
    pub modified: Option<SystemTime>,
}

/// Which bytes of a file a response contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferDecision {
    /// The whole file.
    Whole,
    /// One range of the file: status 206.
    Part {
        /// The offset of the first byte.
        from: u64,
        /// The length of the range in bytes, at least 1.
        length: u64,
    },
    /// No bytes, because the client already has the current content: status 304.
    NotModified,
    /// No bytes, because a precondition is not met: status 412.
    PreconditionFailed,
    /// No bytes, because the requested range is outside of the file: status 416.
    OutOfRange,
}

/// Decides which bytes of a file the response to a request contains. Conditions apply to GET and HEAD requests, ranges
/// only to GET requests (RFC 9110 section 14.2). Malformed conditions and ranges are ignored.
///
/// A response contains at most one range. A request for several ranges gets the whole file, as RFC 9110 section 14.2
/// permits.
#[must_use]
pub fn decide_transfer(head: &Head, info: &FileInfo, now: SystemTime) -> TransferDecision {
    if head.method != Method::GET && head.method != Method::HEAD {
        return TransferDecision::Whole;
    }
    if let Some(decision) = condition::evaluate_conditions(head, info) {
        return decision;
    }
    let may_be_partial = head.method == Method::GET && info.accepts_ranges && condition::range_applies(head, info, now);
    // For an empty file, http_range would return a suffix range that ends before it begins.
    let Some(length) = info.length.filter(|length| may_be_partial && *length > 0) else {
        return TransferDecision::Whole;
    };
    let mut fields = head.get_all(&header::RANGE);
    let (Some(field), None) = (fields.next(), fields.next()) else { return TransferDecision::Whole };
    match HttpRange::parse_bytes(field.as_bytes(), length).as_deref() {
        Ok([HttpRange { start, length }]) => TransferDecision::Part { from: *start, length: *length },
        // `http_range` does not check the second number of a range that begins after the end of the file.
        Err(HttpRangeParseError::NoOverlap) if has_invalid_range(field) => TransferDecision::Whole,
        Err(HttpRangeParseError::NoOverlap) => TransferDecision::OutOfRange,
        Ok(_) | Err(HttpRangeParseError::InvalidRange) => TransferDecision::Whole,
    }
}

/// Returns `true` if a range in the field ends before it begins. Such a range is invalid (RFC 9110 section 14.1.1).
fn has_invalid_range(field: &HeaderValue) -> bool {
    let ranges = field.to_str().ok().and_then(|text| text.split_once('=')).map_or("", |(_unit, ranges)| ranges);
    ranges.split(',').filter_map(|range| range.split_once('-')).any(|(first, last)| {
        let numbers = first.trim().parse::<u64>().ok().zip(last.trim().parse::<u64>().ok());
        numbers.is_some_and(|(first, last)| last < first)
    })
}

impl FileInfo {
    /// Returns the header fields `ETag` and `Last-Modified` (RFC 9110 section 8.8). A field whose value is unknown is
    /// omitted.
    #[must_use]
    pub(crate) fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields = Vec::with_capacity(2);
        if let Some(etag) = &self.etag {
            fields.push((header::ETAG, etag.header_value()));
        }
        // HTTP dates end with the year 9999, but a file system may contain later times.
        let modified = self.modified.filter(|time| time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(is_http_date));
        if let Some(date) = modified.and_then(|time| HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()) {
            fields.push((header::LAST_MODIFIED, date));
        }
        fields
    }
}

/// Returns the header fields that describe the file in a response: `ETag`, `Last-Modified`, `Content-Range` and
/// `Accept-Ranges`.
#[must_use]
pub fn response_fields(info: &FileInfo, decision: TransferDecision) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = info.validators();
    let range = match (decision, info.length) {
        (TransferDecision::Part { from, length }, Some(all)) => {
            Some(format!("bytes {from}-{}/{all}", from + length - 1))
        }
        (TransferDecision::OutOfRange, Some(all)) => Some(format!("bytes */{all}")),
        _ => None,
    };
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        fields.push((header::CONTENT_RANGE, range));
    }
    if matches!(decision, TransferDecision::Whole | TransferDecision::Part { .. }) {
        let unit = if info.accepts_ranges { "bytes" } else { "none" };
        fields.push((header::ACCEPT_RANGES, HeaderValue::from_static(unit)));
    }
    fields
}

/// Returns `true` if a time can be written as an HTTP date: it is before the year 10000. `since` is its distance from
/// the Unix epoch.
fn is_http_date(since: Duration) -> bool {
    since.as_secs() < 253_402_300_800
}

/// The time after a modification within which the file may change again while its metadata stay the same.
const UNSETTLED_TIME: Duration = Duration::from_secs(2);

/// Returns an entity tag that consists of the inode, the length and the modification time of a file. The tag is weak if
/// the file was modified in the last two seconds, because the content could change again while these three values stay
/// the same. Returns `None` if the modification time is unknown or before 1970.
#[must_use]
pub fn etag_from_metadata(metadata: &Metadata, now: SystemTime) -> Option<ETag> {
    let modified = metadata.modified().ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!("{:x}-{:x}-{:x}", inode(metadata), metadata.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED_TIME);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// Returns the number of the file's inode, which changes when another file replaces this file.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
