//! A kept file: the header fields of its answer, an empty line, its content.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use http::header::{self, HeaderName, HeaderValue};

use crate::call::ETag;
use crate::server::download::Told;
use crate::server::opened::open_file;
use crate::transfer::{Facts, Link};

/// The most bytes of the header fields.
const MOST: u64 = 64 << 10;

/// The header fields in front of the content of a link's file.
///
/// # Errors
/// They are too long.
pub(super) fn head(link: &Link, told: &Told) -> io::Result<Vec<u8>> {
    let facts = Facts { etag: Some(told.facts.etag.clone().unwrap_or_else(|| ETag::strong(link.tag()))), ..told.facts };
    let media_type = (header::CONTENT_TYPE, told.content_type.clone());
    let mut head = Vec::with_capacity(512);
    for (name, value) in told.fields.iter().chain(&facts.validators()).chain([&media_type]) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            head.extend_from_slice(part);
        }
    }
    head.push(b'\n');
    if head.len() as u64 > MOST {
        return Err(io::Error::other("its header fields are too long"));
    }
    Ok(head)
}

/// A kept file, open.
pub(super) struct Kept {
    /// What is told of it.
    pub(super) told: Told,
    /// The file.
    pub(super) file: File,
    /// Where in it its content begins.
    pub(super) start: u64,
}

/// Opens a kept file.
///
/// # Errors
/// It is not there, cannot be read, or is none of ours.
pub(super) fn open(path: &Path) -> io::Result<Kept> {
    let mut file = open_file(path)?;
    let (mut told, start) = read_head(&mut file)?;
    let length = file.metadata()?.len().checked_sub(start).ok_or_else(torn)?;
    told.facts = Facts { length: Some(length), has_parts: true, ..told.facts };
    Ok(Kept { told, file, start })
}

/// The header fields, and where the content begins.
fn read_head(file: &mut File) -> io::Result<(Told, u64)> {
    let mut reader = BufReader::new(file.take(MOST));
    let (mut fields, mut facts, mut content_type) = (Vec::new(), Facts::default(), None);
    let (mut start, mut line) = (0, Vec::new());
    loop {
        line.clear();
        start += reader.read_until(b'\n', &mut line)? as u64;
        let Some(line) = line.strip_suffix(b"\n") else { return Err(torn()) };
        if line.is_empty() {
            break;
        }
        let (name, value) = field(line).ok_or_else(torn)?;
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
    Ok((Told { content_type: content_type.ok_or_else(torn)?, fields, facts }, start))
}

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon..].strip_prefix(b": ")?;
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}

fn torn() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is none that was kept for a link")
}
