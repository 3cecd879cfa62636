//! Contents of downloads that are not on the disk.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::ByteStream;

/// The content of a file that is not on the disk, such as an object in an object storage. Any part of it can be read
/// without reading the bytes before the part, so that clients can request parts of the file.
#[derive(Clone)]
pub struct RangedContent {
    length: u64,
    open: Arc<dyn Fn(Range<u64>) -> ByteStream + Send + Sync>,
}

impl RangedContent {
    /// Creates the content from its length in bytes and a function that returns the stream of a part. The stream should
    /// request the part when it is first polled, and keep only a few chunks in memory.
    pub fn new(length: u64, open: impl Fn(Range<u64>) -> ByteStream + Send + Sync + 'static) -> Self {
        Self { length, open: Arc::new(open) }
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns a stream of the bytes in a range of offsets, which must not exceed the length.
    #[must_use]
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        (self.open)(range)
    }
}

impl fmt::Debug for RangedContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in another storage", self.length)
    }
}
