//! Detects the media type of a file from its first bytes.

/// The number of bytes at the beginning of a file by which its media type is detected.
pub const SAMPLE_LEN: usize = 8 << 10;
/// The media type of a file that is not text and has no known format.
pub const BINARY_MEDIA_TYPE: &str = "application/octet-stream";
/// The first bytes of an OLE container: for example, a document of Microsoft Office before 2007 or a Windows installer.
const OLE_SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const OLE_MEDIA_TYPE: &str = "application/x-ole-storage";

/// Returns the media type of a file that begins with the bytes `start`. For a file of at most [`SAMPLE_LEN`] bytes,
/// `start` must be the whole file; for a longer file, it must be longer than [`SAMPLE_LEN`].
#[must_use]
pub fn detect_media_type(start: &[u8]) -> &'static str {
    let cut = start.len() > SAMPLE_LEN;
    let sample = if cut { &start[..SAMPLE_LEN] } else { start };
    // `infer` guesses that every OLE container is a Word document. The real type is in the directory of the container,
    // which is mostly near the end of the file.
    if sample.starts_with(OLE_SIGNATURE) {
        return OLE_MEDIA_TYPE;
    }
    if let Some(kind) = infer::get(sample) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // The sample may end in the middle of a character, which is not an encoding error.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BINARY_MEDIA_TYPE,
    };
    let is_binary = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(is_binary) { BINARY_MEDIA_TYPE } else { "text/plain" }
}
