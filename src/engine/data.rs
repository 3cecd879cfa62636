//! The folder of the server's own files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where the server keeps its own files when nothing is said about it.
const DEFAULT: &str = "data";

/// The folder of the server's own files: the flag `--data`, else what `app.json` says, else `data`.
///
/// A handle, so that a program can hand it to what stores something there before it is known:
/// [`crate::Rulebook::data_folder`] gives it, and it is settled when the definition has been read.
#[derive(Debug, Clone, Default)]
pub struct DataFolder(Arc<OnceLock<PathBuf>>);

impl DataFolder {
    /// Where it is. Nobody has seen to it that it exists.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.get().map_or(Path::new(DEFAULT), PathBuf::as_path)
    }

    /// Settles it; what was settled first stays.
    pub(super) fn settle(&self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.0.get_or_init(|| path);
        }
    }
}
