//! What a file is, by its first bytes.

/// How much of the beginning is looked at, in bytes.
pub const SAMPLE: usize = 8 << 10;
/// The media type of what is neither recognised nor text.
const BINARY: &str = "application/octet-stream";

/// The media type of a file that begins with these bytes; all of them, where it is not longer than [`SAMPLE`].
#[must_use]
pub fn sniff(start: &[u8]) -> &'static str {
    let cut = start.len() > SAMPLE;
    let sample = if cut { &start[..SAMPLE] } else { start };
    if let Some(kind) = infer::get(sample) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character may be cut in two at the sample's end, and nowhere else.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BINARY,
    };
    let binary = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(binary) { BINARY } else { "text/plain" }
}
