//! Files of secrets: made at random when they are needed first, whole or not at all, for their owner's eyes alone.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The secret of a file.
///
/// # Errors
/// The file cannot be read, or does not have this many bytes; its path is told, as by all errors here.
pub fn read<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let bytes = fs::read(path).map_err(|error| told(path, error.kind(), &error))?;
    let wrong = |_| told(path, ErrorKind::InvalidData, &format_args!("it is no key of {BYTES} bytes"));
    bytes.try_into().map_err(wrong)
}

/// The secret of a file, which is made where there is none.
///
/// # Errors
/// As for [`read`], or the file cannot be written.
pub fn read_or_make<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        known => return known,
    }
    match make(path) {
        // Another thread, or another process, was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        made => made.map_err(|error| told(path, error.kind(), &error)),
    }
}

fn told(path: &Path, kind: ErrorKind, why: &dyn Display) -> io::Error {
    io::Error::new(kind, format!("{}: {why}", path.display()))
}

fn make<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut secret = [0; BYTES];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Only its owner reads a temporary file, and it keeps that when it gets its name.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&secret)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(secret)
}
