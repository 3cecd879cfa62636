//! Watches the frames that a client sends over HTTP/2 (RFC 9113 section 4), before `h2` handles them.
//!
//! `h2` decompresses all fields of a head before it rejects a head that is too long. A field can have a length of one
//! byte, so that a megabyte would be a million fields. A frame without content costs as much as one with content. A
//! connection with too many fields or small frames is closed. `h2` also does not notice a head that never becomes
//! complete.

use std::time::Instant;

use rulebook_model::connection_limits::{
    ConnectionLimit, FRAME_CREDIT_BYTES, HEAD_FIELDS, HEAD_SIZE, HTTP2_SMALL_FRAMES, MAX_HEAD_FIELDS, MAX_HTTP2_FIELDS,
    MAX_HTTP2_HEAD_BYTES, MAX_HTTP2_SMALL_FRAMES, SMALL_FRAME_BYTES, WEIGHTY_FRAME,
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
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
/// The flag of the frame SETTINGS that confirms the settings of the other side.
const ACK: u8 = 0x1;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// The length in bytes of the priority of a frame of the type `HEADERS`.
const PRIORITY_LEN: usize = 5;

/// The length in bytes of the content of a frame of the type `WINDOW_UPDATE`.
const INCREMENT_LEN: usize = 4;
/// The maximum number of small frames of the type `WINDOW_UPDATE` that are permitted because of sent responses.
const MAX_PERMITTED_UPDATES: u64 = 10_000;
/// The number of fields beyond [`MAX_HEAD_FIELDS`] in a head that count as a small frame, unless they are joined.
const FIELDS_PER_SMALL_FRAME: u64 = 4;

/// The frames that a client has sent.
pub(super) struct ReceivedFrames {
    state: State,
    /// The current head.
    head: IncompleteHead,
    /// The number of small frames, less those that longer frames permit.
    small_frames: u64,
    /// The number of small frames of the type `WINDOW_UPDATE` that do not count.
    permitted_updates: u64,
    /// The number of bytes that have been sent and have not permitted a frame yet.
    sent_bytes: u64,
    /// `true` if a head with more than [`MAX_HEAD_FIELDS`] has ended.
    has_long_head: bool,
    /// `true` if a head or a body has ended, or the client has permitted the server to send more.
    has_completed: bool,
}

/// A head whose last frame has not been received completely.
#[derive(Default)]
struct IncompleteHead {
    /// The time at which its first bytes were received; `None` if no head is incomplete.
    begun: Option<Instant>,
    fields: FieldCounter,
    /// The number of compressed bytes.
    length: u64,
    /// `true` if the header of its first frame has been received.
    has_begun: bool,
    /// `true` if the head ends with the current frame.
    is_last_frame: bool,
}

enum State {
    /// Bytes that are not looked at.
    Skip(usize),
    /// The first bytes of the number that a frame of the type `WINDOW_UPDATE` contains.
    Increment { bytes: [u8; INCREMENT_LEN], len: usize },
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
        Self {
            state: State::Skip(PREFACE_LEN),
            head: IncompleteHead::default(),
            small_frames: 0,
            permitted_updates: 0,
            sent_bytes: 0,
            has_long_head: false,
            has_completed: false,
        }
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
                State::Increment { bytes: increment, len } => {
                    let used = bytes.len().min(INCREMENT_LEN - *len);
                    increment[*len..*len + used].copy_from_slice(&bytes[..used]);
                    *len += used;
                    if *len == INCREMENT_LEN {
                        let increment = u32::from_be_bytes(*increment);
                        self.state = State::first_byte();
                        self.count_update(increment)?;
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
                        self.head.length += used as u64;
                        if self.head.fields.add(&bytes[..used]) > MAX_HTTP2_FIELDS {
                            return Err(HEAD_FIELDS);
                        }
                        if self.head.length > MAX_HTTP2_HEAD_BYTES {
                            return Err(HEAD_SIZE);
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
            if self.head.is_last_frame && matches!(self.state, State::Header { len: 0, .. }) {
                self.end_head()?;
            }
        }
        // Reading the clock costs more than the rest, so that it is read only if a head is incomplete.
        if self.head.begun.is_none() && self.is_in_head() {
            self.head.begun = Some(Instant::now());
        }
        Ok(())
    }

    /// Permits frames of the type `WINDOW_UPDATE` with which the client may respond to this number of sent bytes, and
    /// `updates` further ones.
    pub(super) fn permit_updates(&mut self, sent_bytes: u64, updates: u64) {
        self.sent_bytes += sent_bytes;
        let updates = updates.saturating_add(self.sent_bytes / FRAME_CREDIT_BYTES);
        self.sent_bytes %= FRAME_CREDIT_BYTES;
        self.permitted_updates = self.permitted_updates.saturating_add(updates).min(MAX_PERMITTED_UPDATES);
    }

    /// Returns `true` if a head with more than [`MAX_HEAD_FIELDS`] has ended since the last call. The server can then
    /// join its fields before it receives further heads.
    pub(super) fn take_long_head(&mut self) -> bool {
        std::mem::take(&mut self.has_long_head)
    }

    /// Returns `true` if, since the last call, a head or a body has ended, or the client has permitted the server to
    /// send more. Otherwise the client sends a part of a request.
    pub(super) fn take_completed(&mut self) -> bool {
        std::mem::take(&mut self.has_completed)
    }

    /// Permits fields beyond [`MAX_HEAD_FIELDS`]: the server has joined this number of fields with others.
    pub(super) fn permit_fields(&mut self, joined: u64) {
        self.small_frames = self.small_frames.saturating_sub(joined.div_ceil(FIELDS_PER_SMALL_FRAME));
    }

    /// Returns the time at which the first bytes of an incomplete head were received.
    pub(super) fn head_begun(&self) -> Option<Instant> {
        self.head.begun
    }

    /// Returns the number of compressed bytes of an incomplete head; 0 if no head is incomplete.
    pub(super) fn incomplete_head_len(&self) -> u64 {
        self.head.length
    }

    /// Returns `true` if a head has begun: at the latest with the byte that shows that a frame has the type `HEADERS`.
    fn is_in_head(&self) -> bool {
        let is_header = matches!(self.state, State::Header { bytes: [_, _, _, HEADERS, ..], len: 4.. });
        is_header || self.head.has_begun
    }

    fn end_head(&mut self) -> Result<(), ConnectionLimit> {
        let fields = std::mem::take(&mut self.head).fields.count();
        let added = fields.saturating_sub(MAX_HEAD_FIELDS) / FIELDS_PER_SMALL_FRAME;
        self.small_frames += added;
        self.has_long_head |= added > 0;
        self.has_completed = true;
        if self.small_frames > MAX_HTTP2_SMALL_FRAMES { Err(HEAD_FIELDS) } else { Ok(()) }
    }

    fn count_update(&mut self, increment: u32) -> Result<(), ConnectionLimit> {
        if u64::from(increment) >= FRAME_CREDIT_BYTES {
            return Ok(());
        }
        if let Some(left) = self.permitted_updates.checked_sub(1) {
            self.permitted_updates = left;
            return Ok(());
        }
        self.small_frames += WEIGHTY_FRAME;
        if self.small_frames > MAX_HTTP2_SMALL_FRAMES { Err(HTTP2_SMALL_FRAMES) } else { Ok(()) }
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
            self.small_frames = self.small_frames.saturating_sub(left as u64 / FRAME_CREDIT_BYTES);
        } else if kind == SETTINGS && flags & ACK == 0 {
            // A change of the window changes every open stream.
            self.small_frames += WEIGHTY_FRAME;
        }
        // `h2` decompresses the fields of this frame, which no client may send (RFC 9113 section 8.4).
        if self.small_frames > MAX_HTTP2_SMALL_FRAMES || kind == PUSH_PROMISE {
            return Err(HTTP2_SMALL_FRAMES);
        }
        self.has_completed |= kind == WINDOW_UPDATE || kind == DATA && is_last;
        if kind == HEADERS {
            // The time is that of the first bytes of the frame header.
            self.head = IncompleteHead { begun: self.head.begun, has_begun: true, ..IncompleteHead::default() };
        }
        if matches!(kind, HEADERS | CONTINUATION) {
            self.head.is_last_frame = is_last;
        }
        let skipped = if kind == HEADERS && flags & PRIORITY != 0 { PRIORITY_LEN } else { 0 };
        self.state = match kind {
            HEADERS if flags & PADDED != 0 && left > 0 => State::PaddingLen { left, skipped },
            HEADERS | CONTINUATION => State::fields(left, skipped, 0),
            WINDOW_UPDATE if left == INCREMENT_LEN => State::Increment { bytes: [0; INCREMENT_LEN], len: 0 },
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
#[path = "received_frames_tests.rs"]
mod tests;
