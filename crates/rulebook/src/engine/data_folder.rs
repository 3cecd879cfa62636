//! The data folder, in which the server stores files such as keys and links.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The path of the data folder if neither the program, the flag `--data` nor the definition sets the path.
const DEFAULT_DATA_FOLDER: &str = "data";

/// A handle for the path of the data folder, in which the server stores files such as keys and links.
///
/// The path is known once the definition has been read, because `data` in `app.json` may set it. A program gets the
/// handle from [`Rulebook::data_folder_handle`](crate::Rulebook::data_folder_handle) and reads the path later. A start
/// hook ([`Rulebook::on_start`](crate::Rulebook::on_start)) gets the path directly.
#[derive(Debug, Clone, Default)]
pub struct DataFolder(Arc<OnceLock<PathBuf>>);

impl DataFolder {
    /// Returns the path of the data folder. The folder may not exist yet. Before the definition has been read, the path
    /// is `data`, unless the program or the flag `--data` has set another path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.get().map_or(Path::new(DEFAULT_DATA_FOLDER), PathBuf::as_path)
    }

    pub(super) fn set_if_unset(&self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.0.get_or_init(|| path);
        }
    }
}
