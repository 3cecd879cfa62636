//! Files with random secrets, which are created when they are first needed. Only their owner can read them.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Reads a secret.
///
/// # Errors
/// Fails if the file cannot be read or does not have the expected length. All error messages contain the path.
pub fn read<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let bytes = fs::read(path).map_err(|error| with_path(path, error.kind(), &error))?;
    let invalid = |_| with_path(path, ErrorKind::InvalidData, &format_args!("it is not a secret of {BYTES} bytes"));
    bytes.try_into().map_err(invalid)
}

/// Reads a secret, and creates it if the file does not exist.
///
/// # Errors
/// Fails like [`read`], or if the file cannot be written.
pub fn read_or_create<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        result => return result,
    }
    match create(path) {
        // Another thread or process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        made => made.map_err(|error| with_path(path, error.kind(), &error)),
    }
}

fn with_path(path: &Path, kind: ErrorKind, reason: &dyn Display) -> io::Error {
    io::Error::new(kind, format!("{}: {reason}", path.display()))
}

fn create<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut secret = [0; BYTES];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Temporary files can only be read by their owner, and keep their mode when they are renamed.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&secret)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(secret)
}
