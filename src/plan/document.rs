//! Documents that are made at start and sent as they are.

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::Routes;

/// A document, ready to be sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Its media type.
    pub media_type: &'static str,
    /// Its strong entity tag (RFC 9110 section 8.8.3): made from the bytes alone.
    pub etag: HeaderValue,
}

impl Document {
    /// The document of these bytes.
    #[must_use]
    pub fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        let tag = format!("\"{}\"", hex::encode(&digest[..16]));
        // Hexadecimal digits in quotes are a header value.
        let etag = HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
        Self { body, media_type, etag }
    }
}

/// What OPTIONS answers at one URI.
#[derive(Debug, Clone)]
pub struct Description {
    /// A definition, in JSON.
    pub json: Document,
    /// The same for people, in markdown.
    pub markdown: Document,
}

/// A URI that has services below it, and none of its own.
#[derive(Debug)]
pub struct Above {
    /// How many segments its path has.
    pub length: usize,
    /// What OPTIONS answers there.
    pub description: Description,
}

/// Everything that describes the API.
pub struct Documents {
    /// What OPTIONS answers on base and `*`.
    pub all: Description,
    /// From paths to the URIs above services.
    pub routes: Routes,
    /// The URIs above services.
    pub above: Box<[Above]>,
    /// The OpenAPI document.
    pub openapi: Document,
    /// The API for readers of plain text, as `/llms.txt`.
    pub llms: Document,
}
