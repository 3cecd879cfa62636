//! Converts a response to a file that a method returns.

use hyper::header::{self, HeaderMap, HeaderName};
use rulebook::http::HeaderValue;
use rulebook::{Download, ETag};

use super::address::Origin;
use super::exchange::UpstreamResponse;
use super::settings::CallLimits;

/// The header fields of a response that describe its file.
const KEPT: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::CONTENT_LANGUAGE,
    header::CACHE_CONTROL,
    header::EXPIRES,
];

/// Returns the file in a response. Its body is received while it is sent to the client.
pub fn to_download(received: UpstreamResponse, origin: &Origin, limits: &CallLimits) -> Download {
    let UpstreamResponse { head, body } = received;
    let length = body.length();
    let mut download = Download::stream(body.into_stream(origin.clone(), limits.timeout));
    if let Some(length) = length {
        download = download.length(length);
    }
    for name in KEPT {
        if let Some(value) = field(&head.headers, &name) {
            download = download.header(name.as_str(), value);
        }
    }
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(etag) = text(header::ETAG).and_then(ETag::parse) {
        download = download.etag(etag);
    }
    if let Some(time) = text(header::LAST_MODIFIED).and_then(|text| httpdate::parse_http_date(text).ok()) {
        download = download.last_modified(time);
    }
    download
}

fn field(fields: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    fields.get(name).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok())
}
