//! Reads the contents of the definition files in a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::jsonc::MAX_FILE_BYTES;

/// The content of a definition file, or why the content is not available.
pub(super) enum FileContent {
    /// The file could be read and has these bytes.
    Bytes(Vec<u8>),
    /// The file has more than [`MAX_FILE_BYTES`] bytes.
    TooLarge,
    /// The file could not be read.
    Unreadable(io::Error),
}

/// Reads the definition files of a folder (`*.json` and `*.jsonc`, except hidden files), sorted by file name.
///
/// # Errors
///
/// Fails if the files in the folder cannot be listed. If a file cannot be read, the result contains its error.
pub(super) fn read_folder(folder: &Path) -> io::Result<Vec<(PathBuf, FileContent)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let path = folder.join(&name);
        let is_json = path.extension().is_some_and(|extension| extension == "json" || extension == "jsonc");
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        // A symbolic link without a target has no metadata. It counts as a file here, so that opening it reports the
        // error.
        let is_file = fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if is_json && !is_hidden && is_file {
            paths.push(path);
        }
    }
    paths.sort();
    let contents = paths.into_iter().map(|path| {
        let content = read_file(&path).unwrap_or_else(FileContent::Unreadable);
        (path, content)
    });
    Ok(contents.collect())
}

fn read_file(path: &Path) -> io::Result<FileContent> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(content_from_bytes(bytes))
}

/// Returns the content of a file that has these bytes: [`FileContent::TooLarge`] if there are more than
/// [`MAX_FILE_BYTES`].
pub(super) fn content_from_bytes(bytes: Vec<u8>) -> FileContent {
    if bytes.len() > MAX_FILE_BYTES { FileContent::TooLarge } else { FileContent::Bytes(bytes) }
}
