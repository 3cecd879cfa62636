//! Watches the frames that the server sends over HTTP/2 (RFC 9113 section 4). `h2` refuses requests above the number of
//! concurrent ones itself, and does not report it.

/// The length in bytes of a frame header.
const HEADER_LEN: usize = 9;
/// The length in bytes of a frame of the type RST_STREAM: header and error code.
const RESET_LEN: usize = HEADER_LEN + 4;
const RST_STREAM: u8 = 3;
/// The error code of a request that has not been handled (RFC 9113 section 7).
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];

/// The frames that the server has sent.
#[derive(Default)]
pub(super) struct SentFrames {
    /// The number of bytes that remain of the content of a frame.
    skipped: usize,
    /// The first bytes of a frame.
    first: [u8; RESET_LEN],
    /// The number of bytes in `first`.
    first_len: usize,
}

impl SentFrames {
    /// Watches bytes that have been sent. Returns the number of requests that they refuse.
    pub(super) fn watch(&mut self, mut bytes: &[u8]) -> u64 {
        let mut refused = 0;
        while !bytes.is_empty() {
            let skipped = self.skipped.min(bytes.len());
            (self.skipped, bytes) = (self.skipped - skipped, &bytes[skipped..]);
            let is_reset = self.first_len >= HEADER_LEN;
            let needed = if is_reset { RESET_LEN } else { HEADER_LEN };
            let used = bytes.len().min(needed - self.first_len);
            self.first[self.first_len..self.first_len + used].copy_from_slice(&bytes[..used]);
            (self.first_len, bytes) = (self.first_len + used, &bytes[used..]);
            if self.first_len < needed {
                break;
            }
            if is_reset {
                refused += u64::from(self.first[HEADER_LEN..] == REFUSED_STREAM);
                self.first_len = 0;
            } else if self.first[3] != RST_STREAM {
                let [high, middle, low, ..] = self.first;
                self.skipped = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.first_len = 0;
            }
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 1], content].concat()
    }

    #[test]
    fn refused_requests_are_counted_in_whatever_pieces_the_frames_are_sent() {
        let refused = frame(RST_STREAM, &REFUSED_STREAM);
        let cancelled = frame(RST_STREAM, &[0, 0, 0, 8]);
        // The content of a frame of the type DATA can look like a frame.
        let frames =
            [frame(4, &[]), refused.clone(), frame(0, &refused), cancelled, frame(1, &[0x88]), refused].concat();
        for length in [1, 2, 7, 13, frames.len()] {
            let mut sent = SentFrames::default();
            let count: u64 = frames.chunks(length).map(|piece| sent.watch(piece)).sum();
            assert_eq!(count, 2, "pieces of {length}");
        }
    }
}
