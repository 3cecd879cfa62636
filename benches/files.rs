//! The files that clients download and upload.

use std::error::Error;
use std::path::Path;

use rulebook::store::{FileName, Precondition, Store};

/// The path of the endpoint for downloads and uploads.
pub const ENDPOINT_PATH: &str = "/iapi/file";

/// The boundary between the fields of multipart bodies.
pub const BOUNDARY: &str = "----bench-4c1f0a7d";

/// The sizes of the files, in bytes.
pub const FILE_SIZES: [usize; 3] = [1 << 10, 1 << 20, 256 << 20];

/// The line that each file repeats. Servers detect its media type as text.
pub const LINE: &[u8] = b"A file is a long line of short lines, and this is one of them..\n";

/// Returns the name of the file that has this size in bytes.
pub fn file_name(size: usize) -> String {
    format!("public/{size}.txt")
}

/// Stores the files in this folder, in the same way as uploads are stored.
pub fn store_files(folder: &Path) -> Result<(), Box<dyn Error>> {
    let store = Store::open(folder)?;
    let piece = LINE.repeat(4096);
    for size in FILE_SIZES {
        let mut writer = store.writer(size as u64)?;
        let mut remaining = size;
        while remaining > 0 {
            let length = remaining.min(piece.len());
            writer.write(&piece[..length])?;
            remaining -= length;
        }
        store.publish(writer.finish()?, &FileName::parse(&file_name(size))?, &Precondition::default())?;
    }
    Ok(())
}

/// Returns the parts of an upload's multipart body before and after the content of the file.
pub fn multipart_body_parts(name: &str) -> (String, String) {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n{name}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    (head, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// Returns the media type of a multipart body. It contains the boundary.
pub fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// Returns the complete multipart body for the upload of a file.
pub fn multipart_body(name: &str, size: usize) -> String {
    let (head, tail) = multipart_body_parts(name);
    let content = String::from_utf8_lossy(LINE).repeat(size / LINE.len());
    head + &content + &tail
}
