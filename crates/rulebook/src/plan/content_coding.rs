//! Content codings (RFC 9110 section 8.4.1): the compression of responses.

use std::io::{self, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

/// A content coding that responses can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Gzip (RFC 1952).
    Gzip,
}

/// The trade-off between time and size of a compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Fast, for bytes that are sent once.
    Fast,
    /// Small, for bytes that are cached.
    Good,
}

impl ContentCoding {
    /// The codings that responses can have, those that compress better first.
    pub const SMALLEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Brotli, Self::Gzip] } else { &[Self::Gzip] };
    /// The codings that responses can have, those that compress faster first.
    pub const FASTEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Gzip, Self::Brotli] } else { &[Self::Gzip] };

    /// Returns the name of the coding in header fields.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses bytes. Returns `None` if there is not enough memory.
    #[must_use]
    pub fn encode(self, bytes: &[u8], effort: Effort) -> Option<Bytes> {
        let encoded = match self {
            Self::Brotli => brotli(bytes, effort),
            Self::Gzip => gzip(bytes, effort),
        };
        encoded.map(Bytes::from).ok()
    }
}

/// The maximum length in bytes for which the slowest compression level is used. For a longer text it would take
/// seconds.
const MAX_BEST: usize = 1 << 20;

fn gzip(bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let level = match effort {
        Effort::Fast => Compression::fast(),
        Effort::Good if bytes.len() <= MAX_BEST => Compression::best(),
        Effort::Good => Compression::default(),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(feature = "brotli")]
fn brotli(mut bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let quality = match effort {
        Effort::Fast => 1,
        Effort::Good if bytes.len() <= MAX_BEST => 9,
        Effort::Good => 5,
    };
    let size_hint = bytes.len();
    let params = brotli::enc::BrotliEncoderParams { quality, size_hint, ..Default::default() };
    let mut encoded = Vec::with_capacity(bytes.len() / 4);
    brotli::BrotliCompress(&mut bytes, &mut encoded, &params)?;
    Ok(encoded)
}

/// Without the feature, the coding is in neither list of [`ContentCoding`], so that it is never chosen.
#[cfg(not(feature = "brotli"))]
fn brotli(_: &[u8], _: Effort) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Compressed bytes, and their entity tag.
#[derive(Debug, Clone)]
pub struct EncodedBody {
    /// The compressed bytes.
    pub body: Bytes,
    /// The strong entity tag, which differs from that of the uncompressed bytes.
    pub etag: HeaderValue,
}

/// The bytes of a document in each coding, which are compressed when they are first needed; `None` if compression
/// failed.
#[derive(Debug, Default)]
pub(super) struct EncodedBodies([OnceLock<Option<EncodedBody>>; 2]);

impl EncodedBodies {
    /// Returns the bytes in a coding, if they have been compressed.
    pub(super) fn cached(&self, coding: ContentCoding) -> Option<&Option<EncodedBody>> {
        self.0[coding as usize].get()
    }

    /// Returns the bytes in a coding. Compresses `bytes`, whose entity tag is `etag`, if that has not been done.
    pub(super) fn get(&self, coding: ContentCoding, bytes: &[u8], etag: &HeaderValue) -> Option<&EncodedBody> {
        let encode =
            || Some(EncodedBody { body: coding.encode(bytes, Effort::Good)?, etag: encoded_etag(etag, coding) });
        self.0[coding as usize].get_or_init(encode).as_ref()
    }
}

/// Returns the entity tag of bytes in a coding, derived from that of the uncompressed bytes.
pub(super) fn encoded_etag(etag: &HeaderValue, coding: ContentCoding) -> HeaderValue {
    let plain = etag.to_str().unwrap_or_default().trim_end_matches('"');
    // Visible ASCII in quotes is always a valid value.
    HeaderValue::try_from(format!("{plain}-{}\"", coding.as_str())).unwrap_or_else(|_| etag.clone())
}
