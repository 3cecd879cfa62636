//! The hash of a file's content, kept with the file.
//!
//! It is an extended attribute, so that it comes and goes with the content: no index can be behind it, and publishing is
//! one renaming. It says of which length and time of change it is, so that it does not count any more where somebody has
//! written to the file. File systems without such attributes keep no hash.

use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

use crate::call::ETag;
use crate::transfer::{Facts, tag};

/// What the attribute is called.
#[cfg(unix)]
const ATTRIBUTE: &str = "user.rulebook.blake3";
/// The most bytes of it: 64 of hash, and two numbers of at most 16 and 32 digits.
#[cfg(unix)]
const LONGEST: usize = 128;

/// What is known of an open file, of which the system says this.
pub(super) fn facts(file: &File, kind: &Metadata) -> Facts {
    let etag = kept(file, kind).or_else(|| tag(kind, SystemTime::now()));
    Facts { length: Some(kind.len()), has_parts: true, etag, modified: kind.modified().ok() }
}

/// Keeps the hash of a file that has been written to its end.
///
/// # Errors
/// The file system keeps no attributes; nothing depends on them.
pub(super) fn keep(file: &File, hash: &str) -> io::Result<()> {
    let kind = file.metadata()?;
    write(file, format!("{hash}{}", state(&kind)).as_bytes())
}

fn kept(file: &File, kind: &Metadata) -> Option<ETag> {
    let kept = read(file)?;
    let hash = kept.strip_suffix(&state(kind))?;
    (hash.len() == 2 * blake3::OUT_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| ETag::strong(hash))
}

/// The state of the file that the hash is of.
fn state(kind: &Metadata) -> String {
    let since = kind.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!(" {:x} {:x}", kind.len(), since.unwrap_or_default().as_nanos())
}

#[cfg(unix)]
fn read(file: &File) -> Option<String> {
    let mut text = [0; LONGEST];
    let length = rustix::fs::fgetxattr(file, ATTRIBUTE, &mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok().map(str::to_owned)
}

#[cfg(unix)]
fn write(file: &File, text: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, ATTRIBUTE, text, rustix::fs::XattrFlags::empty())?)
}

#[cfg(not(unix))]
fn read(_: &File) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn write(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
