//! Detects the media type of a file from its first bytes.

/// Number of bytes at the beginning of a file that are examined.
pub const SAMPLE_LEN: usize = 8 << 10;
/// The media type of a file that is neither of a known format nor text.
const BINARY: &str = "application/octet-stream";
/// The first bytes of an OLE container: a document of Microsoft Office before 2007, a Windows installer, and others.
const OLE_SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const OLE: &str = "application/x-ole-storage";

/// Returns the media type of a file that begins with these bytes. If the file is at most [`SAMPLE_LEN`] bytes long,
/// they must be the whole file; otherwise they must be more than [`SAMPLE_LEN`] bytes.
#[must_use]
pub fn sniff(start: &[u8]) -> &'static str {
    let cut = start.len() > SAMPLE_LEN;
    let sample = if cut { &start[..SAMPLE_LEN] } else { start };
    // The directory of an OLE container can be anywhere in the file, and is mostly near its end. `infer` guesses that every
    // container is a Word document.
    if sample.starts_with(OLE_SIGNATURE) {
        return OLE;
    }
    if let Some(kind) = infer::get(sample) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // The end of the sample may cut a character in two, which is not an encoding error.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BINARY,
    };
    let is_binary = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(is_binary) { BINARY } else { "text/plain" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ole_containers_are_not_reported_as_word_documents() {
        let file = [OLE_SIGNATURE, &[0; 504]].concat();
        assert_eq!(sniff(&file), "application/x-ole-storage");
    }
}
