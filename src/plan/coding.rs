//! Content codings (RFC 9110 section 8.4.1): bytes in less room.

use std::io::{self, Write};
use std::sync::OnceLock;

use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

/// How much is done for fewer bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Little, for what is sent once.
    Fast,
    /// Much, for what is kept.
    Good,
}

impl Coding {
    /// All of them, those with fewer bytes first.
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in header fields.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The bytes in this coding; none where there is no memory for it.
    #[must_use]
    pub fn encode(self, bytes: &[u8], effort: Effort) -> Option<Bytes> {
        let written = match self {
            Self::Brotli => brotli(bytes, effort),
            Self::Gzip => gzip(bytes, effort),
        };
        written.map(Bytes::from).ok()
    }
}

/// The most bytes for which the slowest levels are taken: beyond, they take seconds.
const MOST_SLOW: usize = 1 << 20;

fn gzip(bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let level = match effort {
        Effort::Fast => Compression::fast(),
        Effort::Good if bytes.len() <= MOST_SLOW => Compression::best(),
        Effort::Good => Compression::default(),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn brotli(mut bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let quality = match effort {
        Effort::Fast => 1,
        Effort::Good if bytes.len() <= MOST_SLOW => 9,
        Effort::Good => 5,
    };
    let params = BrotliEncoderParams { quality, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    let mut written = Vec::with_capacity(bytes.len() / 4);
    brotli::BrotliCompress(&mut bytes, &mut written, &params)?;
    Ok(written)
}

/// Bytes in a coding, and their tag.
#[derive(Debug, Clone)]
pub struct Coded {
    /// The bytes.
    pub body: Bytes,
    /// The strong entity tag of these bytes, which are others than without the coding.
    pub etag: HeaderValue,
}

/// The same bytes in each coding, made when they are asked for first; none where one cannot be made.
#[derive(Debug, Default)]
pub(super) struct Codings([OnceLock<Option<Coded>>; 2]);

impl Codings {
    /// That of a coding, where it is made.
    pub(super) fn ready(&self, coding: Coding) -> Option<&Option<Coded>> {
        self.0[coding as usize].get()
    }

    /// That of a coding, made of these bytes with this tag.
    pub(super) fn get(&self, coding: Coding, bytes: &[u8], etag: &HeaderValue) -> Option<&Coded> {
        let make = || Some(Coded { body: coding.encode(bytes, Effort::Good)?, etag: tag(etag, coding) });
        self.0[coding as usize].get_or_init(make).as_ref()
    }
}

/// The tag of bytes in a coding.
pub(super) fn tag(etag: &HeaderValue, coding: Coding) -> HeaderValue {
    let plain = etag.to_str().unwrap_or_default().trim_end_matches('"');
    // Visible ASCII in quotes is a header value.
    HeaderValue::try_from(format!("{plain}-{}\"", coding.as_str())).unwrap_or_else(|_| etag.clone())
}
