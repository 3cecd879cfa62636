//! Which part of a file a request gets.

use std::time::SystemTime;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use http_range::{HttpRange, HttpRangeParseError};

use super::condition::{self, Condition};
use crate::call::{ETag, Head};

/// What is known of a file before any of it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Its length in bytes; none where only its end will tell.
    pub length: Option<u64>,
    /// Whether a part of it can be sent without the rest.
    pub has_parts: bool,
    /// The tag of its content.
    pub etag: Option<ETag>,
    /// When it last changed.
    pub modified: Option<SystemTime>,
}

/// What a request gets of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// All of it.
    Whole,
    /// A part: 206.
    Part {
        /// Where it begins, in bytes from the start.
        from: u64,
        /// Its length in bytes, at least one.
        length: u64,
    },
    /// Nothing: it has it. 304.
    NotModified,
    /// Nothing: a precondition does not hold. 412.
    Failed,
    /// Nothing: the part is not there. 416.
    OutOfRange,
}

/// Decides what a request gets. Only requests that read can have conditions, and only GET can ask for a part
/// (RFC 9110 section 14.2); what is asked for in a way that cannot be read is not asked for.
///
/// One part is sent, never several: who asks for several gets the whole, as RFC 9110 section 14.2 has it free.
#[must_use]
pub fn decide(head: &Head, facts: &Facts, now: SystemTime) -> Decision {
    if head.method != Method::GET && head.method != Method::HEAD {
        return Decision::Whole;
    }
    match condition::condition(head, facts) {
        Condition::NotModified => return Decision::NotModified,
        Condition::Failed => return Decision::Failed,
        Condition::Holds => {}
    }
    let wanted = head.method == Method::GET && facts.has_parts && condition::if_range(head, facts, now);
    // The library makes a range of the last bytes of nothing that ends before it begins.
    let Some(length) = facts.length.filter(|length| wanted && *length > 0) else { return Decision::Whole };
    let mut fields = head.header_values(&header::RANGE);
    let (Some(field), None) = (fields.next(), fields.next()) else { return Decision::Whole };
    match HttpRange::parse_bytes(field.as_bytes(), length).as_deref() {
        Ok([HttpRange { start, length }]) => Decision::Part { from: *start, length: *length },
        Err(HttpRangeParseError::NoOverlap) => Decision::OutOfRange,
        Ok(_) | Err(HttpRangeParseError::InvalidRange) => Decision::Whole,
    }
}

impl Facts {
    /// The header fields by which a client knows this state of the file again (RFC 9110 section 8.8).
    #[must_use]
    pub fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields = Vec::with_capacity(2);
        if let Some(etag) = &self.etag {
            fields.push((header::ETAG, etag.header_value()));
        }
        // Dates of HTTP end with the year 9999, which a file system may pass.
        let told = self.modified.filter(|time| time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(is_date));
        if let Some(date) = told.and_then(|time| HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()) {
            fields.push((header::LAST_MODIFIED, date));
        }
        fields
    }
}

/// The header fields that tell the facts and what was decided.
#[must_use]
pub fn fields(facts: &Facts, decision: Decision) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = facts.validators();
    let range = match (decision, facts.length) {
        (Decision::Part { from, length }, Some(all)) => Some(format!("bytes {from}-{}/{all}", from + length - 1)),
        (Decision::OutOfRange, Some(all)) => Some(format!("bytes */{all}")),
        _ => None,
    };
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        fields.push((header::CONTENT_RANGE, range));
    }
    if matches!(decision, Decision::Whole | Decision::Part { .. }) {
        let unit = if facts.has_parts { "bytes" } else { "none" };
        fields.push((header::ACCEPT_RANGES, HeaderValue::from_static(unit)));
    }
    fields
}

/// Whether a time after the beginning of 1970 is before the year 10000.
fn is_date(since: std::time::Duration) -> bool {
    since.as_secs() < 253_402_300_800
}
