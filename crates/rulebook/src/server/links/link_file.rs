//! The format of the file of a link: the header fields of the response, an empty line, the content.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use http::header::{self, HeaderName, HeaderValue};

use crate::call::ETag;
use crate::server::download::FileHeaders;
use crate::server::open_file::open_file;
use crate::transfer::{FileInfo, Link};

/// The maximum length of the header fields, in bytes.
const MAX_HEAD: u64 = 64 << 10;

/// Returns the text of the header fields, which precedes the content.
///
/// # Errors
/// Fails if they are too long.
pub(super) fn head(link: &Link, headers: &FileHeaders) -> io::Result<Vec<u8>> {
    let facts = FileInfo {
        etag: Some(headers.facts.etag.clone().unwrap_or_else(|| ETag::strong(link.tag()))),
        ..headers.facts
    };
    let media_type = (header::CONTENT_TYPE, headers.content_type.clone());
    let mut head = Vec::with_capacity(512);
    for (name, value) in headers.fields.iter().chain(&facts.validators()).chain([&media_type]) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            head.extend_from_slice(part);
        }
    }
    head.push(b'\n');
    if head.len() as u64 > MAX_HEAD {
        return Err(io::Error::other("the header fields are too long"));
    }
    Ok(head)
}

/// The open file of a link.
pub(super) struct LinkFile {
    /// The header fields.
    pub(super) headers: FileHeaders,
    /// The file.
    pub(super) file: File,
    /// The offset of the content in the file.
    pub(super) start: u64,
}

/// Opens the file of a link.
///
/// # Errors
/// Fails if the file does not exist, cannot be read, or is not the file of a link.
pub(super) fn open(path: &Path) -> io::Result<LinkFile> {
    let mut file = open_file(path)?;
    let (mut headers, start) = read_head(&mut file)?;
    let length = file.metadata()?.len().checked_sub(start).ok_or_else(malformed)?;
    headers.facts = FileInfo { length: Some(length), accepts_ranges: true, ..headers.facts };
    Ok(LinkFile { headers, file, start })
}

/// Reads the header fields, and returns them with the offset of the content.
fn read_head(file: &mut File) -> io::Result<(FileHeaders, u64)> {
    let mut reader = BufReader::new(file.take(MAX_HEAD));
    let (mut fields, mut facts, mut content_type) = (Vec::new(), FileInfo::default(), None);
    let (mut start, mut line) = (0, Vec::new());
    loop {
        line.clear();
        start += reader.read_until(b'\n', &mut line)? as u64;
        let Some(line) = line.strip_suffix(b"\n") else { return Err(malformed()) };
        if line.is_empty() {
            break;
        }
        let (name, value) = field(line).ok_or_else(malformed)?;
        let text = value.to_str().ok();
        if name == header::CONTENT_TYPE {
            content_type = Some(value);
        } else if name == header::ETAG {
            facts.etag = text.and_then(ETag::parse);
        } else if name == header::LAST_MODIFIED {
            facts.modified = text.and_then(|text| httpdate::parse_http_date(text).ok());
        } else {
            fields.push((name, value));
        }
    }
    Ok((FileHeaders { content_type: content_type.ok_or_else(malformed)?, fields, facts }, start))
}

/// Parses a header field.
fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon..].strip_prefix(b": ")?;
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is not the file of a link")
}
