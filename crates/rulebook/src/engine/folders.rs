//! Where a program stores data: its data folder, and the settings of stored files; and that the static folder, whose
//! files everyone can read, is another one.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rulebook_model::files_location::{FilesLocation, S3_SCHEME};
use rulebook_model::model::Api;
use url::Url;

use crate::secret::create_private_folder;
use crate::store::{LazyStore, OpenEngine, Store, StoreError};

/// The default folder of stored files, as a name in the data folder.
const DEFAULT_FILES_FOLDER: &str = "files";

/// The settings of stored files: whether the program stores files, and where.
#[derive(Default)]
pub(super) struct FilesSettings {
    pub(super) is_enabled: bool,
    /// The folder or the URL that the program or the flag `--files` has set; `None` if neither has set one.
    pub(super) location: Option<PathBuf>,
    /// The functions that open the storages of the program, by the schemes of their URLs.
    pub(super) storages: BTreeMap<&'static str, Arc<OpenEngine>>,
}

impl fmt::Debug for FilesSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesSettings").field("location", &self.location).finish_non_exhaustive()
    }
}

impl FilesSettings {
    /// Returns the location of stored files; `None` if the program stores no files, and the location is not a URL: such
    /// a program uses a storage for the files of download links. The location in these settings has priority over the
    /// location in the definition; the default is `files` in the data folder.
    pub(super) fn resolve_location(mut self, api: &Api, data_folder: &Path) -> Option<Arc<LazyStore>> {
        let is_folder = |text: &str| matches!(FilesLocation::parse(text), Ok(FilesLocation::Folder(_)));
        let defined = api.files.as_deref().map(|text| if is_folder(text) { api.path(text) } else { text.into() });
        let configured = self.location.take().or(defined);
        // If the feature `files` is disabled, no folder can be used, so that opening a required folder reports the
        // error.
        let is_required = configured.is_some() || cfg!(not(feature = "files"));
        let path = configured.unwrap_or_else(|| data_folder.join(DEFAULT_FILES_FOLDER));
        let (scheme, shown) = match path.to_str().map(FilesLocation::parse) {
            Some(Ok(FilesLocation::S3(location))) => (S3_SCHEME.to_owned(), location.url()),
            Some(Ok(FilesLocation::Other { scheme, url })) => (scheme, shown_url(&url)),
            _ => return self.is_enabled.then(|| Arc::new(LazyStore::folder(path, is_required))),
        };
        let (open, unknown) = (self.storages.remove(&*scheme), shown.clone());
        Some(Arc::new(LazyStore::engine(shown, is_required, move || match &open {
            Some(open) => open(&path.to_string_lossy()).and_then(Store::with_engine),
            None => Err(StoreError::UnknownStorage(unknown.clone())),
        })))
    }
}

/// Returns a URL for people: without the user name, the password, the query and the fragment, which may be secrets.
fn shown_url(url: &str) -> String {
    let without_secrets = Url::parse(url).ok().and_then(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            url.set_password(None).and_then(|()| url.set_username("")).ok()?;
        }
        Some(url.to_string())
    });
    // With `/`, `?` or `#` in a password, which should be percent-encoded, the password seems to be a port.
    without_secrets
        .unwrap_or_else(|| url.split_once("://").map_or_else(String::new, |(scheme, _)| format!("{scheme}://")))
}

/// What the static folder must not contain, because everyone could read it.
pub(super) struct PrivateFiles<'a> {
    /// A file of the definition.
    pub(super) definition: Option<&'a Path>,
    pub(super) data: &'a Path,
    /// The folder of stored files. The static folder must not be in it either.
    pub(super) stored: Option<&'a Path>,
    /// Files of handlers, authenticators, storages and the server.
    pub(super) others: Vec<&'a Path>,
}

impl PrivateFiles<'_> {
    /// Fails if the static folder contains one of the files, or is in the folder of stored files. A folder that does
    /// not exist contains nothing.
    pub(super) fn check_static_folder(&self, folder: &Path) -> io::Result<()> {
        let Ok(folder_path) = folder.canonicalize() else { return Ok(()) };
        let contains = |path: &Path| resolve(path).is_some_and(|path| path.starts_with(&folder_path));
        let definition = self.definition.filter(|path| contains(path)).and_then(Path::parent);
        let contained = [("definition", definition), ("data folder", Some(self.data)), ("stored files", self.stored)];
        let others = self.others.iter().map(|path| ("private file", Some(*path)));
        let mut contained = contained.into_iter().chain(others).filter_map(|(what, path)| Some((what, path?)));
        let why = match contained.find(|(what, path)| *what == "definition" || contains(path)) {
            Some((what, path)) => format!("contains the {what} {}", path.display()),
            None => match self.stored {
                Some(stored) if resolve(stored).is_some_and(|stored| folder_path.starts_with(stored)) => {
                    format!("is in the folder of stored files {}", stored.display())
                }
                _ => return Ok(()),
            },
        };
        let folder = folder.display();
        let why = format!("the static folder {folder} {why}: everyone could read its files; move one of the two");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// Returns a path without symbolic links, also that of a file that does not exist yet, in a folder that does.
fn resolve(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    })
}

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

    /// Creates the folder, unless it exists. Only the user that runs the program can enter a new folder, because the
    /// data can be secret.
    ///
    /// # Errors
    /// Fails if the operating system does not create the folder.
    pub fn create(&self) -> io::Result<()> {
        create_private_folder(self.path())
    }

    pub(super) fn set_if_unset(&self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.0.get_or_init(|| path);
        }
    }
}
