//! The header fields with which another program describes a file.

use http::HeaderValue;

use crate::call::{Download, ETag};

/// Sets the properties of a file that header fields of another program describe. Their names are in lower case. Fields
/// that do not describe a file, or are not valid, are ignored.
#[must_use]
pub fn describe_file<'f>(mut file: Download, fields: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Download {
    for (name, value) in fields {
        let text = std::str::from_utf8(value).unwrap_or_default();
        match name {
            "content-type" | "content-disposition" | "content-language" | "cache-control" | "expires" => {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    file = file.header(name, value);
                }
            }
            "content-length" => {
                if let Ok(length) = text.parse() {
                    file = file.length(length);
                }
            }
            "etag" => {
                if let Some(etag) = ETag::parse(text) {
                    file = file.etag(etag);
                }
            }
            "last-modified" => {
                if let Ok(time) = httpdate::parse_http_date(text) {
                    file = file.last_modified(time);
                }
            }
            _ => {}
        }
    }
    file
}
