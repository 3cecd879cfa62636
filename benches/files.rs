//! The files that clients download and upload.

use std::error::Error;
use std::path::Path;

use rulebook::store::{FileName, Precondition, Store};

/// The path for downloads and uploads.
pub const PATH: &str = "/iapi/file";

/// The boundary of multipart bodies.
pub const BOUNDARY: &str = "----bench-4c1f0a7d";

/// The sizes of the files, in bytes.
pub const SIZES: [usize; 3] = [1 << 10, 1 << 20, 256 << 20];

/// The line of which files consist. Its media type is detected as text.
pub const LINE: &[u8] = b"A file is a long line of short lines, and this is one of them..\n";

/// Returns the name of the file of this size.
pub fn name(size: usize) -> String {
    format!("public/{size}.txt")
}

/// Stores the files in this folder, as if they had been uploaded.
pub fn store(folder: &Path) -> Result<(), Box<dyn Error>> {
    let store = Store::open(folder)?;
    let piece = LINE.repeat(4096);
    for size in SIZES {
        let mut writer = store.writer(size as u64)?;
        let mut left = size;
        while left > 0 {
            let length = left.min(piece.len());
            writer.write(&piece[..length])?;
            left -= length;
        }
        store.publish(writer.finish()?, &FileName::parse(&name(size))?, &Precondition::default())?;
    }
    Ok(())
}

/// Returns the parts of a multipart body before and after the file.
pub fn body_parts(name: &str) -> (String, String) {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n{name}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    (head, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// Returns the media type of a multipart body.
pub fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// Returns a complete multipart body.
pub fn body(name: &str, size: usize) -> String {
    let (head, tail) = body_parts(name);
    let content = String::from_utf8_lossy(LINE).repeat(size / LINE.len());
    head + &content + &tail
}
