//! Files that contain a random secret, such as the key that signs download links, and folders with private files. A
//! file is created when its secret is first needed. Only the user that runs the program can read it.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Fails if the length of the file is not `BYTES`. All error messages contain the path of the file.
pub fn read<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let bytes = fs::read(path).map_err(|error| error_with_path(path, error.kind(), &error))?;
    let invalid =
        |_| error_with_path(path, ErrorKind::InvalidData, &format_args!("it is not a secret of {BYTES} bytes"));
    bytes.try_into().map_err(invalid)
}

/// Creates the file with a random secret if it does not exist. Fails like `read`.
pub fn read_or_create<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        result => return result,
    }
    match create(path) {
        // Another thread or process has created the file in the meantime.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        made => made.map_err(|error| error_with_path(path, error.kind(), &error)),
    }
}

fn error_with_path(path: &Path, kind: ErrorKind, reason: &dyn Display) -> io::Error {
    io::Error::new(kind, format!("{}: {reason}", path.display()))
}

fn create<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut secret = [0; BYTES];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    create_private_folder(folder_of(path))?;
    write_private_file(path, &secret)?.persist_noclobber(path)?;
    Ok(secret)
}

/// Only the user that runs the program can enter the folder and the new folders around it.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file in the folder of the file that it shall become. Only its owner can read it, also after it has been
/// renamed.
pub fn write_private_file(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder_of(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
