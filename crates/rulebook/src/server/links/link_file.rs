//! The format of the file to which a download link leads: the header fields of the response, an empty line, and the
//! content.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use http::header::{self, HeaderName, HeaderValue};

use crate::call::ETag;
use crate::server::download::FileHeaders;
use crate::server::open_file::open_file;
use crate::transfer::{FileInfo, SignedLink};

/// The maximum length in bytes of all header fields in a file.
const MAX_HEAD_LEN: u64 = 64 << 10;

/// Returns the beginning of the file: the header fields and the empty line after them.
///
/// # Errors
/// Fails if the header fields are too long.
pub(super) fn format_head(link: &SignedLink, headers: &FileHeaders) -> io::Result<Vec<u8>> {
    let info = FileInfo {
        etag: Some(headers.info.etag.clone().unwrap_or_else(|| ETag::strong(link.entity_tag_text()))),
        ..headers.info
    };
    let media_type = (header::CONTENT_TYPE, headers.content_type.clone());
    let mut head = Vec::with_capacity(512);
    for (name, value) in headers.fields.iter().chain(&info.validators()).chain([&media_type]) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            head.extend_from_slice(part);
        }
    }
    head.push(b'\n');
    if head.len() as u64 > MAX_HEAD_LEN {
        return Err(io::Error::other("the header fields are too long"));
    }
    Ok(head)
}

/// The open file to which a link leads.
pub(super) struct LinkFile {
    /// The header fields of the response, which were read from the file.
    pub(super) headers: FileHeaders,
    /// The open file.
    pub(super) file: File,
    /// The offset in the file at which the content begins.
    pub(super) content_offset: u64,
}

/// Opens the file to which a link leads, and reads the header fields in it.
///
/// # Errors
/// Fails if the file does not exist, cannot be read, or does not have the format of a link's file.
pub(super) fn open_link_file(path: &Path) -> io::Result<LinkFile> {
    let mut file = open_file(path)?;
    let (mut headers, start) = read_head(&mut file)?;
    let length = file.metadata()?.len().checked_sub(start).ok_or_else(malformed_file_error)?;
    headers.info = FileInfo { length: Some(length), accepts_ranges: true, ..headers.info };
    Ok(LinkFile { headers, file, content_offset: start })
}

/// Reads the header fields from a file. Returns them with the offset at which the content begins.
fn read_head(file: &mut File) -> io::Result<(FileHeaders, u64)> {
    let mut reader = BufReader::new(file.take(MAX_HEAD_LEN));
    let (mut fields, mut info, mut content_type) = (Vec::new(), FileInfo::default(), None);
    let (mut start, mut line) = (0, Vec::new());
    loop {
        line.clear();
        start += reader.read_until(b'\n', &mut line)? as u64;
        let Some(line) = line.strip_suffix(b"\n") else { return Err(malformed_file_error()) };
        if line.is_empty() {
            break;
        }
        let (name, value) = parse_field(line).ok_or_else(malformed_file_error)?;
        let text = value.to_str().ok();
        if name == header::CONTENT_TYPE {
            content_type = Some(value);
        } else if name == header::ETAG {
            info.etag = text.and_then(ETag::parse);
        } else if name == header::LAST_MODIFIED {
            info.modified = text.and_then(|text| httpdate::parse_http_date(text).ok());
        } else {
            fields.push((name, value));
        }
    }
    Ok((FileHeaders { content_type: content_type.ok_or_else(malformed_file_error)?, fields, info }, start))
}

/// Parses one line of a header field; `None` if the line is malformed.
fn parse_field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon..].strip_prefix(b": ")?;
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}

fn malformed_file_error() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is not the file of a link")
}
