//! The files of a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::text::MAX_BYTES;

/// What was found in a file.
pub(super) enum Content {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// More bytes than a definition may have.
    TooLarge,
    /// Nothing, and why.
    Unreadable(io::Error),
}

/// Reads the files of a definition, in the order of their names.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(PathBuf, Content)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let path = folder.join(&name);
        let ours = path.extension().is_some_and(|extension| extension == "json" || extension == "jsonc");
        let hidden = name.as_encoded_bytes().starts_with(b".");
        // What is not there (a link to nothing) is told when it is opened.
        let ordinary = fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if ours && !hidden && ordinary {
            paths.push(path);
        }
    }
    paths.sort();
    let contents = paths.into_iter().map(|path| {
        let content = content(&path).unwrap_or_else(Content::Unreadable);
        (path, content)
    });
    Ok(contents.collect())
}

fn content(path: &Path) -> io::Result<Content> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bounded(bytes))
}

/// Refuses what is too large.
pub(super) fn bounded(bytes: Vec<u8>) -> Content {
    if bytes.len() > MAX_BYTES { Content::TooLarge } else { Content::Bytes(bytes) }
}
