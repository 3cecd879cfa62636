//! Opens files that are neither folders nor devices nor pipes.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file. Anything else is rejected, because opening it could wait forever: a named pipe, for example.
///
/// # Errors
/// Fails if the path is not a regular file or cannot be opened. The error message contains the path.
pub(crate) fn open_regular_file(path: &Path) -> io::Result<File> {
    let opened =
        path.metadata().and_then(|kind| if kind.is_file() { File::open(path) } else { Err(not_a_file_error()) });
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Returns the error for a file that is not a regular file.
pub(crate) fn not_a_file_error() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}
