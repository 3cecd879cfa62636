//! The head of a download link: the header fields of the response, and an empty line.

use http::header::{self, HeaderName, HeaderValue};

use crate::call::ETag;
use crate::file_reply::download::FileHeaders;
use crate::transfer::FileInfo;

/// Returns the head of a link. If the file has no entity tag, it gets `entity_tag`.
pub(super) fn format_head(entity_tag: &str, headers: &FileHeaders) -> Vec<u8> {
    let info =
        FileInfo { etag: Some(headers.info.etag.clone().unwrap_or_else(|| ETag::strong(entity_tag))), ..headers.info };
    let media_type = (header::CONTENT_TYPE, headers.content_type.clone());
    let mut head = Vec::with_capacity(512);
    for (name, value) in headers.fields.iter().chain(&info.validators()).chain([&media_type]) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"] {
            head.extend_from_slice(part);
        }
    }
    head.push(b'\n');
    head
}

/// Parses a head; `None` if it is malformed.
pub(super) fn parse_head(head: &[u8]) -> Option<FileHeaders> {
    let (mut fields, mut info, mut content_type) = (Vec::new(), FileInfo::default(), None);
    for line in head.strip_suffix(b"\n\n")?.split(|byte| *byte == b'\n') {
        let (name, value) = parse_field(line)?;
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
    Some(FileHeaders { content_type: content_type?, fields, info })
}

/// Parses one line of a header field; `None` if the line is malformed.
fn parse_field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line[colon..].strip_prefix(b": ")?;
    Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
}
