//! Watches the frames that a client sends over HTTP/2 (RFC 9113 section 4), before `h2` handles them.
//!
//! `h2` decompresses all fields of a head before it rejects a head that is too long. A field can have a length of one
//! byte, so that a megabyte would be a million fields. A frame without content costs as much as one with content. A
//! connection with too many fields or small frames is closed.

use rulebook_model::connection_limits::{
    ConnectionLimit, HEAD_FIELDS, HTTP2_SMALL_FRAMES, MAX_HTTP2_FIELDS, MAX_HTTP2_SMALL_FRAMES, SMALL_FRAME_BYTES,
};

use super::field_counter::FieldCounter;

/// The length in bytes of the preface with which a connection begins (RFC 9113 section 3.4).
const PREFACE_LEN: usize = 24;
/// The length in bytes of a frame header.
const HEADER_LEN: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
/// The flag of the frame SETTINGS that confirms the settings of the other side.
const ACK: u8 = 0x1;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// The length in bytes of the priority of a frame of the type `HEADERS`.
const PRIORITY_LEN: usize = 5;

/// The number of bytes of a head or a body that permit another small frame.
const BYTES_FOR_SMALL_FRAME: u64 = 64;
/// The number of small frames as which the frame SETTINGS counts.
const SETTINGS_WEIGHT: u64 = 10;

/// The frames that a client has sent.
pub(super) struct ReceivedFrames {
    state: State,
    /// The fields of the current head.
    fields: FieldCounter,
    /// The number of small frames, less those that longer frames permit.
    small_frames: u64,
}

enum State {
    /// Bytes that are not looked at.
    Skip(usize),
    /// The first bytes of a frame header.
    Header { bytes: [u8; HEADER_LEN], len: usize },
    /// A part of a head that begins with the length of the padding.
    PaddingLen { left: usize, skipped: usize },
    /// A part of a head, after `skipped` bytes and before `padding` bytes.
    Fields { left: usize, skipped: usize, padding: usize },
}

impl Default for ReceivedFrames {
    /// Returns the frames of a connection whose preface has not been received yet.
    fn default() -> Self {
        Self { state: State::Skip(PREFACE_LEN), fields: FieldCounter::default(), small_frames: 0 }
    }
}

impl ReceivedFrames {
    /// Watches bytes that have been received.
    ///
    /// # Errors
    /// Returns the limit that the client exceeds.
    pub(super) fn watch(&mut self, mut bytes: &[u8]) -> Result<(), ConnectionLimit> {
        while !bytes.is_empty() {
            let used = match &mut self.state {
                State::Skip(left) => {
                    let used = bytes.len().min(*left);
                    *left -= used;
                    if *left == 0 {
                        self.state = State::first_byte();
                    }
                    used
                }
                State::Header { bytes: header, len } => {
                    let used = bytes.len().min(HEADER_LEN - *len);
                    header[*len..*len + used].copy_from_slice(&bytes[..used]);
                    *len += used;
                    if *len == HEADER_LEN {
                        let header = *header;
                        self.begin_frame(header)?;
                    }
                    used
                }
                State::PaddingLen { left, skipped } => {
                    self.state = State::fields(*left - 1, *skipped, bytes[0].into());
                    1
                }
                State::Fields { left, skipped, padding } => {
                    if *skipped > 0 {
                        let used = bytes.len().min(*skipped);
                        (*skipped, *left) = (*skipped - used, *left - used);
                        used
                    } else {
                        let used = bytes.len().min(*left - *padding);
                        if self.fields.add(&bytes[..used]) > MAX_HTTP2_FIELDS {
                            return Err(HEAD_FIELDS);
                        }
                        *left -= used;
                        used
                    }
                }
            };
            bytes = &bytes[used..];
            if let State::Fields { left, padding, skipped: 0 } = self.state
                && left == padding
            {
                self.state = State::skip(padding);
            }
        }
        Ok(())
    }

    fn begin_frame(&mut self, header: [u8; HEADER_LEN]) -> Result<(), ConnectionLimit> {
        let [high, middle, low, kind, flags, ..] = header;
        let left = u32::from_be_bytes([0, high, middle, low]) as usize;
        let is_content = matches!(kind, DATA | HEADERS | CONTINUATION);
        // `END_HEADERS` ends a head; a small frame at the end of a head or a body is usual.
        let is_last = flags & if kind == DATA { END_STREAM } else { END_HEADERS } != 0;
        if is_content && (left as u64) < SMALL_FRAME_BYTES && !is_last {
            self.small_frames += 1;
        } else if is_content {
            self.small_frames = self.small_frames.saturating_sub(left as u64 / BYTES_FOR_SMALL_FRAME);
        } else if kind == SETTINGS && flags & ACK == 0 {
            // A change of the window changes every open stream.
            self.small_frames += SETTINGS_WEIGHT;
        }
        // `h2` decompresses the fields of this frame, which no client may send (RFC 9113 section 8.4).
        if self.small_frames > MAX_HTTP2_SMALL_FRAMES || kind == PUSH_PROMISE {
            return Err(HTTP2_SMALL_FRAMES);
        }
        if kind == HEADERS {
            self.fields = FieldCounter::default();
        }
        let skipped = if kind == HEADERS && flags & PRIORITY != 0 { PRIORITY_LEN } else { 0 };
        self.state = match kind {
            HEADERS if flags & PADDED != 0 && left > 0 => State::PaddingLen { left, skipped },
            HEADERS | CONTINUATION => State::fields(left, skipped, 0),
            _ => State::skip(left),
        };
        Ok(())
    }
}

impl State {
    fn first_byte() -> Self {
        Self::Header { bytes: [0; HEADER_LEN], len: 0 }
    }

    fn skip(count: usize) -> Self {
        if count == 0 { Self::first_byte() } else { Self::Skip(count) }
    }

    /// Returns the state for a part of a head. A frame that is too short for its parts is an error, which `h2` reports.
    fn fields(left: usize, skipped: usize, padding: usize) -> Self {
        if skipped + padding >= left { Self::skip(left) } else { Self::Fields { left, skipped, padding } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    /// Watches the frames in pieces of each length, and returns the number of bytes that are accepted and the limit.
    fn watch(frames: &[u8]) -> Option<&'static str> {
        let bytes = [&[b'P'; PREFACE_LEN][..], frames].concat();
        let results = [1, 2, 7, 100, bytes.len()].map(|length| {
            let mut received = ReceivedFrames::default();
            bytes.chunks(length).find_map(|piece| received.watch(piece).err()).map(|limit| limit.name)
        });
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        results[0]
    }

    #[test]
    fn the_fields_of_a_head_are_limited_over_all_its_frames() {
        let fields = |count: u64| vec![0x90; count as usize];
        let half = MAX_HTTP2_FIELDS / 2;
        let continued = |count| [frame(HEADERS, 0, &fields(half)), frame(CONTINUATION, 4, &fields(count))].concat();
        assert_eq!(watch(&continued(half)), None);
        assert_eq!(watch(&continued(half + 1)), Some("head-fields"));
        let heads = frame(HEADERS, 4, &fields(MAX_HTTP2_FIELDS)).repeat(5);
        assert_eq!(watch(&heads), None);
    }

    #[test]
    fn padding_and_priorities_are_no_fields() {
        let fields = vec![0x90; MAX_HTTP2_FIELDS as usize];
        for (flags, prefix, padding) in
            [(PRIORITY, &[0x90; 5][..], 0), (PADDED, &[200], 200), (PADDED | PRIORITY, &[9, 0x90, 0, 0, 0, 1], 9)]
        {
            let head = |fields: &[u8]| frame(HEADERS, flags | 4, &[prefix, fields, &vec![0x90; padding]].concat());
            assert_eq!(watch(&head(&fields).repeat(2)), None, "{flags}");
            assert_eq!(watch(&head(&[&fields[..], &[0x90]].concat())), Some("head-fields"), "{flags}");
        }
        for payload in [&[][..], &[5], &[255, 0x90]] {
            assert_eq!(watch(&[frame(HEADERS, PADDED, payload), frame(DATA, 0, b"x")].concat()), None);
        }
    }

    #[test]
    fn small_frames_are_limited() {
        for (kind, payload) in [(DATA, &b""[..]), (DATA, b"1234567"), (CONTINUATION, b"")] {
            let small = |count: u64| frame(kind, 0, payload).repeat(count as usize);
            assert_eq!(watch(&small(MAX_HTTP2_SMALL_FRAMES)), None);
            assert_eq!(watch(&small(MAX_HTTP2_SMALL_FRAMES + 1)), Some("http2-small-frames"));
            let interrupted = |length: u64| {
                [small(MAX_HTTP2_SMALL_FRAMES), frame(DATA, 0, &vec![b'x'; length as usize])].concat().repeat(3)
            };
            assert_eq!(watch(&interrupted(MAX_HTTP2_SMALL_FRAMES * BYTES_FOR_SMALL_FRAME)), None);
            assert_eq!(watch(&interrupted(100)), Some("http2-small-frames"));
        }
    }

    #[test]
    fn frames_that_cost_more_than_they_carry_are_limited() {
        let settings = |flags| frame(SETTINGS, flags, &[0, 4, 0, 0, 0, 0]).repeat(101);
        assert_eq!(watch(&settings(0)), Some("http2-small-frames"));
        assert_eq!(watch(&settings(ACK)), None);
        assert_eq!(watch(&frame(PUSH_PROMISE, 4, &[0, 0, 0, 2, 0x90])), Some("http2-small-frames"));
    }

    #[test]
    fn other_frames_are_skipped() {
        let frames = (2..=8)
            .filter(|kind| *kind != PUSH_PROMISE)
            .chain([10, 255])
            .flat_map(|kind| frame(kind, 0xff, &[0x90; 1000]));
        assert_eq!(watch(&frames.collect::<Vec<_>>()), None);
    }
}
