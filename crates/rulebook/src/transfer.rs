//! The rules of HTTP for files that are sent or stored: conditions, ranges, file names, entity tags and media types.
//! Also contains the format of download links.
//!
//! The functions compute their results only from values that callers pass, such as the [`Head`](crate::call::Head) of a
//! request and the [`FileInfo`] of a file. This Rust module must not open, read or send files.

use std::fmt;
use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use http_range::{HttpRange, HttpRangeParseError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook_model::filename::visible_base_name;
use sha2::Sha256;

use crate::call::{ETag, ETagList, Head};
use crate::regular_file::inode_of;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferDecision {
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
    if let Some(decision) = evaluate_conditions(head, info) {
        return decision;
    }
    let may_be_partial = head.method == Method::GET && info.accepts_ranges && range_applies(head, info, now);
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
    let text = format!("{:x}-{:x}-{:x}", inode_of(metadata), metadata.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED_TIME);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// The age that a modification time must have before it identifies the content of a file. HTTP dates have whole
/// seconds, so that a file may change again without a change of its date (RFC 9110 section 8.8.2.2).
const MIN_SETTLED_AGE: Duration = Duration::from_secs(2);

/// Evaluates the conditions of a GET or HEAD request, in the order of RFC 9110 section 13.2.2. Returns `None` if all
/// are met, or the request has no condition.
fn evaluate_conditions(head: &Head, info: &FileInfo) -> Option<TransferDecision> {
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
fn range_applies(head: &Head, info: &FileInfo, now: SystemTime) -> bool {
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

/// HTTP dates have whole seconds. Earlier times become 0.
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
        let any = ETagList { has_star: true, ..ETagList::default() };
        Self { if_none_match: Some(any), ..Self::default() }
    }

    /// Returns the precondition that the file exists and has this entity tag: `If-Match`.
    #[must_use]
    pub fn if_match(tag: ETag) -> Self {
        let list = ETagList { tags: vec![tag], ..ETagList::default() };
        Self { if_match: Some(list), ..Self::default() }
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
            (Some(list), _, _) => !list.is_malformed && is_listed(list, ETag::strong_eq),
            (None, Some(date), Some(modified)) => unix_seconds(modified) <= unix_seconds(date),
            (None, _, _) => true,
        };
        let forbids = |list: &ETagList| list.is_malformed || is_listed(list, ETag::weak_eq);
        may_replace && !self.if_none_match.as_ref().is_some_and(forbids)
    }
}

/// The characters that are encoded in the parameter `filename*`: all except the `attr-char` of RFC 8187 section 3.2.1.
const ENCODED_IN_FILENAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The maximum length of a file name in characters. A longer name is truncated.
const MAX_FILENAME_LEN: usize = 200;

/// Returns the value of `Content-Disposition` for a file with this name. The parameter `filename` contains the name in
/// ASCII, for old clients. The parameter `filename*` contains the exact name if it is not ASCII. If `inline` is `true`,
/// a browser shows the file; otherwise it saves the file.
#[must_use]
pub fn content_disposition(name: Option<&str>, inline: bool) -> HeaderValue {
    let mut text = if inline { "inline" } else { "attachment" }.to_owned();
    if let Some(name) = name.map(sanitized_filename).filter(|name| !name.is_empty()) {
        // `%` is replaced, because some clients decode it in a quoted name (RFC 6266 appendix D).
        let to_ascii = |char: char| if (' '..='~').contains(&char) && char != '%' { char } else { '_' };
        let fallback: String = name.chars().map(to_ascii).collect();
        text.push_str(&format!("; filename=\"{fallback}\""));
        if fallback != name {
            text.push_str(&format!("; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED_IN_FILENAME)));
        }
    }
    // The conversion always succeeds, because the text consists of visible ASCII characters and spaces.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Removes folders, invisible characters and quotes from a file name.
fn sanitized_filename(name: &str) -> String {
    let safe: String = visible_base_name(name).filter(|char| *char != '"').take(MAX_FILENAME_LEN).collect();
    // The names `.` and `..` are folders, and a file whose name begins with a dot is hidden.
    safe.trim_matches(|char: char| char.is_whitespace() || char == '.').to_owned()
}

#[must_use]
pub fn media_type_by_name(name: Option<&str>) -> HeaderValue {
    let known = name.and_then(|name| mime_guess::from_path(name).first_raw());
    HeaderValue::from_static(known.unwrap_or(BINARY_MEDIA_TYPE))
}

/// The number of bytes at the beginning of a file by which its media type is detected.
pub const SAMPLE_LEN: usize = 8 << 10;
/// The media type of a file that is not text and has no known format.
pub const BINARY_MEDIA_TYPE: &str = "application/octet-stream";
/// The first bytes of an OLE container: for example, a document of Microsoft Office before 2007 or a Windows installer.
const OLE_SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const OLE_MEDIA_TYPE: &str = "application/x-ole-storage";

/// Returns the media type of a file that begins with the bytes `start`. For a file of at most [`SAMPLE_LEN`] bytes,
/// `start` must be the whole file; for a longer file, it must be longer than [`SAMPLE_LEN`].
#[must_use]
pub fn detect_media_type(start: &[u8]) -> &'static str {
    let cut = start.len() > SAMPLE_LEN;
    let sample = if cut { &start[..SAMPLE_LEN] } else { start };
    // `infer` guesses that every OLE container is a Word document. The real type is in the directory of the container,
    // which is mostly near the end of the file.
    if sample.starts_with(OLE_SIGNATURE) {
        return OLE_MEDIA_TYPE;
    }
    if let Some(kind) = infer::get(sample) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // The sample may end in the middle of a character, which is not an encoding error.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BINARY_MEDIA_TYPE,
    };
    let is_binary = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(is_binary) { BINARY_MEDIA_TYPE } else { "text/plain" }
}

/// The prefix of every link's path.
pub const LINK_PREFIX: &str = "/-/downloads/";

/// The secret key with which servers sign download links. Its `Debug` form does not contain the key.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 64]);

impl LinkKey {
    /// The length of a key in bytes: the block size of SHA-256, because HMAC would hash a longer key (RFC 2104 section
    /// 3).
    pub const LEN: usize = 64;

    /// Creates the key from random bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the key, for a storage that stores them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// Identifies a download link: its random nonce, and the time at which it expires. The text form, which
/// [`LinkId::parse`] reads, is `EXPIRES-NONCE`, and can be the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkId {
    /// 128 random bits as 32 hexadecimal digits.
    nonce: String,
    expires: u64,
}

impl LinkId {
    /// Creates an id from random bytes and the time at which the link expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn new(nonce: [u8; 16], expires: u64) -> Self {
        Self { nonce: hex::encode(nonce), expires }
    }

    /// Parses the text form of an id; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (expires, nonce) = text.split_once('-')?;
        Self::from_parts(nonce, expires)
    }

    /// Returns the nonce as 32 hexadecimal digits. No two links have the same nonce.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Returns the time at which the link expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// Returns the path and the query of the link, with its signature. The result is an absolute-path reference (RFC
    /// 3986 section 4.2).
    #[must_use]
    pub(crate) fn path_and_query(&self, key: &LinkKey) -> String {
        let signature = hex::encode(self.mac(key).finalize().into_bytes());
        format!("{LINK_PREFIX}{}?expires={}&signature={signature}", self.nonce, self.expires)
    }

    /// Parses the path and the query of a link, and verifies the signature in constant time. Returns `None` unless
    /// [`LinkId::path_and_query`] returned this path and this query for the same key.
    #[must_use]
    pub(crate) fn verify(path: &str, query: &str, key: &LinkKey) -> Option<Self> {
        let nonce = path.strip_prefix(LINK_PREFIX)?;
        let (expires, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
        let link = Self::from_parts(nonce, expires)?;
        // Each link has one form, so that caches and logs do not see several addresses of the same file.
        let signature = hex::decode(signature).ok().filter(|bytes| hex::encode(bytes) == signature)?;
        link.mac(key).verify_slice(&signature).is_ok().then_some(link)
    }

    /// Parses the nonce and the expiry time of a link; `None` unless both have the form in which links are written.
    fn from_parts(nonce: &str, expires: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let seconds: u64 = expires.parse().ok()?;
        let canonical = nonce.len() == 32 && nonce.bytes().all(is_digit) && seconds.to_string() == expires;
        canonical.then(|| Self { nonce: nonce.to_owned(), expires: seconds })
    }

    fn mac(&self, key: &LinkKey) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&key.0).into());
        // The prefix, the time and the nonce contain no line feeds, so that the signed text is unambiguous.
        mac.update(format!("{LINK_PREFIX}\n{}\n{}", self.expires, self.nonce).as_bytes());
        mac
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.expires, self.nonce)
    }
}
