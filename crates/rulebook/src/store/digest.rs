//! What a store computes from the bytes of a file while they are written: the length, the hash and the media type.

use crate::store::StoreError;
use crate::transfer::detect_media_type;
use crate::transfer::sniff::SAMPLE_LEN;

/// The length, hash and first bytes of a file that is being written.
#[derive(Debug)]
pub(super) struct ContentDigest {
    hasher: blake3::Hasher,
    length: u64,
    max_length: u64,
    /// The first bytes of the file, from which its media type is detected: at most [`SAMPLE_LEN`] + 1 bytes.
    first_bytes: Vec<u8>,
}

impl ContentDigest {
    /// Returns the digest of a file without bytes, which can have at most `max_length` bytes.
    pub(super) fn new(max_length: u64) -> Self {
        Self { hasher: blake3::Hasher::new(), length: 0, max_length, first_bytes: Vec::new() }
    }

    /// Checks that the file can have this number of further bytes.
    pub(super) fn check_length(&self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.length.saturating_add(bytes.len() as u64) > self.max_length {
            return Err(StoreError::TooLarge(self.max_length));
        }
        Ok(())
    }

    /// Adds bytes that have been written.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let sampled = bytes.len().min((SAMPLE_LEN + 1).saturating_sub(self.first_bytes.len()));
        self.first_bytes.extend_from_slice(&bytes[..sampled]);
        self.hasher.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }

    pub(super) fn media_type(&self) -> &'static str {
        detect_media_type(&self.first_bytes)
    }
}
