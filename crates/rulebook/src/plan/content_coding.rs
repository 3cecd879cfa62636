//! Content codings (RFC 9110 section 8.4.1): the compression of responses.

use std::io::{self, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

/// A content coding in which the server can send responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// The content coding Brotli (RFC 7932).
    Brotli,
    /// The content coding gzip (RFC 1952).
    Gzip,
}

/// Whether compression should be fast, or its result small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionEffort {
    /// Compression is fast, for bytes that are sent once.
    Fast,
    /// The result is small, for bytes that are cached and sent often.
    SmallResult,
}

impl ContentCoding {
    /// All supported content codings. The first produces the smallest result.
    pub const SMALLEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Brotli, Self::Gzip] } else { &[Self::Gzip] };
    /// All supported content codings. The first is the fastest.
    pub const FASTEST_FIRST: &[Self] =
        if cfg!(feature = "brotli") { &[Self::Gzip, Self::Brotli] } else { &[Self::Gzip] };

    /// Returns the name of the content coding in `Accept-Encoding` and `Content-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses bytes with this content coding. Returns `None` if the memory is insufficient.
    pub fn compress(self, bytes: &[u8], effort: CompressionEffort) -> Option<Bytes> {
        let encoded = match self {
            Self::Brotli => compress_brotli(bytes, effort),
            Self::Gzip => compress_gzip(bytes, effort),
        };
        let mut encoded = encoded.ok()?;
        if let CompressionEffort::SmallResult = effort {
            // Compressed documents stay in memory for a long time, so that unused capacity would waste memory.
            encoded.shrink_to_fit();
        }
        Some(encoded.into())
    }
}

impl CompressionEffort {
    /// Returns the capacity that is reserved for the compressed form of a text of `length` bytes. Documents repeat the
    /// same texts more often than responses.
    fn initial_capacity(self, length: usize) -> usize {
        match self {
            Self::Fast => length / 4,
            Self::SmallResult => length / 32,
        }
    }
}

/// The maximum length in bytes of a text that is compressed with the slowest level. Compressing a longer text with this
/// level would take seconds.
const MAX_BEST_LEVEL_LENGTH: usize = 1 << 20;

fn compress_gzip(bytes: &[u8], effort: CompressionEffort) -> io::Result<Vec<u8>> {
    let level = match effort {
        CompressionEffort::Fast => Compression::fast(),
        CompressionEffort::SmallResult if bytes.len() <= MAX_BEST_LEVEL_LENGTH => Compression::best(),
        CompressionEffort::SmallResult => Compression::default(),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(effort.initial_capacity(bytes.len())), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The binary logarithm of the distance up to which Brotli finds repeated texts. The largest distance would need much
/// more memory during the compression, and documents of large APIs repeat the same texts at short distances.
#[cfg(feature = "brotli")]
const WINDOW_BITS: i32 = 19;

#[cfg(feature = "brotli")]
fn compress_brotli(mut bytes: &[u8], effort: CompressionEffort) -> io::Result<Vec<u8>> {
    let quality = match effort {
        CompressionEffort::Fast => 1,
        CompressionEffort::SmallResult if bytes.len() <= MAX_BEST_LEVEL_LENGTH => 9,
        CompressionEffort::SmallResult => 5,
    };
    let size_hint = bytes.len();
    let params = brotli::enc::BrotliEncoderParams { quality, size_hint, lgwin: WINDOW_BITS, ..Default::default() };
    let mut encoded = Vec::with_capacity(effort.initial_capacity(bytes.len()));
    brotli::BrotliCompress(&mut bytes, &mut encoded, &params)?;
    Ok(encoded)
}

/// Replaces the function if the feature `brotli` is disabled. Brotli is then in none of the lists of [`ContentCoding`],
/// so that this function is never called.
#[cfg(not(feature = "brotli"))]
fn compress_brotli(_: &[u8], _: CompressionEffort) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The compressed bytes of a document, and their entity tag.
#[derive(Debug, Clone)]
pub struct CompressedBody {
    /// The compressed bytes of the document.
    pub body: Bytes,
    /// The strong entity tag of the compressed bytes, which differs from the entity tag of the uncompressed bytes.
    pub etag: HeaderValue,
}

/// A cache of a document's compressed bytes, one entry for each content coding. An entry is filled when it is first
/// needed, and is `None` if compression failed.
#[derive(Debug, Default)]
pub(super) struct CompressedBodies([OnceLock<Option<CompressedBody>>; 2]);

impl CompressedBodies {
    /// Returns the cached result of compression with a content coding; the outer `Option` is `None` if the bytes have
    /// not been compressed yet.
    pub(super) fn cached_body(&self, coding: ContentCoding) -> Option<&Option<CompressedBody>> {
        self.0[coding as usize].get()
    }

    /// Returns the compressed bytes in a content coding. If the cache does not contain them, compresses `bytes`, whose
    /// entity tag is `etag`.
    pub(super) fn get_or_compress(
        &self,
        coding: ContentCoding,
        bytes: &[u8],
        etag: &HeaderValue,
    ) -> Option<&CompressedBody> {
        let encode = || {
            let body = coding.compress(bytes, CompressionEffort::SmallResult)?;
            Some(CompressedBody { body, etag: compressed_etag(etag, coding) })
        };
        self.0[coding as usize].get_or_init(encode).as_ref()
    }
}

/// Returns the entity tag of the compressed bytes in a content coding. `etag` is the entity tag of the uncompressed
/// bytes.
pub(super) fn compressed_etag(etag: &HeaderValue, coding: ContentCoding) -> HeaderValue {
    let plain = etag.to_str().unwrap_or_default().trim_end_matches('"');
    // Visible ASCII in quotes is always a valid header value.
    HeaderValue::try_from(format!("{plain}-{}\"", coding.as_str())).unwrap_or_else(|_| etag.clone())
}
