//! The files that both servers send, and those that they are sent.

use std::error::Error;
use std::path::Path;

use rulebook::store::{Name, Precondition, Store};

/// Where files are asked for and sent to.
pub const PATH: &str = "/iapi/file";

/// Between the parts of a body that brings a file.
pub const BOUNDARY: &str = "----bench-4c1f0a7d";

/// The sizes of the files, in bytes.
pub const SIZES: [usize; 3] = [1 << 10, 1 << 20, 256 << 20];

/// What a file consists of: text, as sniffing finds out.
pub const LINE: &[u8] = b"A file is a long line of short lines, and this is one of them..\n";

/// The name of the file of so many bytes.
pub fn name(size: usize) -> String {
    format!("public/{size}.txt")
}

/// Keeps the files in the store of this folder, as if they had been uploaded.
pub fn keep(folder: &Path) -> Result<(), Box<dyn Error>> {
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
        store.publish(writer.finish()?, &Name::parse(&name(size))?, &Precondition::default())?;
    }
    Ok(())
}

/// What stands in front of the file, and behind it, in a body that brings one.
pub fn around(name: &str) -> (String, String) {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\n{name}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    (head, format!("\r\n--{BOUNDARY}--\r\n"))
}

/// The media type of such a body.
pub fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// Such a body, whole.
pub fn body(name: &str, size: usize) -> String {
    let (head, tail) = around(name);
    let content = String::from_utf8_lossy(LINE).repeat(size / LINE.len());
    head + &content + &tail
}
