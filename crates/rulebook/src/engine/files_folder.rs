//! The folder, or the other storage, in which a program stores files.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_rt::task::spawn_blocking;
use rulebook_model::files_location::{FilesLocation, S3_SCHEME};

use crate::handler::ReadinessCheck;
use crate::store::{FileStorage, LazyStore, OpenEngine, StoreError};

/// The default folder of stored files, as a name in the data folder.
const DEFAULT_FILES_FOLDER: &str = "files";
/// The name of the readiness check of a storage other than a folder.
const READINESS_CHECK: &str = "files";

/// The settings of stored files: whether the program stores files, and where.
#[derive(Default)]
pub(super) struct FilesSettings {
    enabled: bool,
    /// The folder or the URL that the program or the flag `--files` has set; `None` if neither has set one.
    location: Option<PathBuf>,
    /// The functions that open the storages of the program, by the schemes of their URLs.
    storages: BTreeMap<&'static str, Arc<OpenEngine>>,
}

impl fmt::Debug for FilesSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesSettings").field("location", &self.location).finish_non_exhaustive()
    }
}

impl FilesSettings {
    pub(super) fn enable_stored_files(&mut self) {
        self.enabled = true;
    }

    /// Sets the location of stored files if no location was set before.
    pub(super) fn set_location_if_unset(&mut self, location: PathBuf) {
        self.location.get_or_insert(location);
    }

    /// Adds the function that opens storages whose URLs have this scheme.
    pub(super) fn add_storage(&mut self, scheme: &'static str, open: Arc<OpenEngine>) {
        self.storages.insert(scheme, open);
    }

    /// Returns the location of stored files; `None` if the program stores no files, and the location is not a URL: such
    /// a program uses a storage for the files of download links. The location in these settings has priority over the
    /// location `defined` in the definition; the default is `files` in the data folder.
    pub(super) fn resolve_location(mut self, defined: Option<&str>, data_folder: &Path) -> Option<FilesFolder> {
        let configured = self.location.take().or_else(|| defined.map(PathBuf::from));
        // If the feature `files` is disabled, no folder can be used, so that opening a required folder reports the
        // error.
        let is_required = configured.is_some() || cfg!(not(feature = "files"));
        let path = configured.unwrap_or_else(|| data_folder.join(DEFAULT_FILES_FOLDER));
        let storage = match path.to_str().map(FilesLocation::parse) {
            Some(Ok(FilesLocation::S3(location))) => self.engine(S3_SCHEME, location.url(), &path),
            Some(Ok(FilesLocation::Other { scheme, url })) => self.engine(&scheme, shown_url(&url), &path),
            _ if !self.enabled => return None,
            _ => FileStorage::Folder(path),
        };
        Some(FilesFolder { store: Arc::new(LazyStore::new(storage)), is_required })
    }

    /// Returns the storage whose URL has this scheme. `shown` is the URL without credentials and options.
    fn engine(&self, scheme: &str, shown: String, url: &Path) -> FileStorage {
        match self.storages.get(scheme) {
            Some(open) => {
                FileStorage::Engine { shown, url: url.to_string_lossy().into_owned(), open: Arc::clone(open) }
            }
            None => FileStorage::Unknown(shown),
        }
    }
}

/// Returns a URL for people: without the user name, the password, the query and the fragment, which may be secrets.
fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest[..end].split_at(rest[..end].find('/').unwrap_or(end));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        // `/`, `?` or `#` in a password, which should be percent-encoded: the password seems to be a port.
        None if authority.contains(':') && rest.contains('@') => format!("{scheme}://"),
        None => format!("{scheme}://{authority}{path}"),
    }
}

/// The folder, or the other storage, in which a program stores files.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct FilesFolder {
    pub(super) store: Arc<LazyStore>,
    /// `true` if the server must not start when the storage cannot be used: the program, the flag `--files` or the
    /// definition has set the location.
    is_required: bool,
}

impl FilesFolder {
    /// Returns the path of the folder or the URL of the storage, for people.
    #[doc(hidden)]
    pub fn location(&self) -> String {
        self.store.location()
    }

    /// Returns `true` if the files of download links are in the same storage.
    #[doc(hidden)]
    pub fn has_links(&self) -> bool {
        self.store.store().is_ok_and(|store| store.links().is_some())
    }

    /// Returns `true` if the files are in a storage that other machines can reach, and not in a folder.
    #[doc(hidden)]
    pub fn is_shared(&self) -> bool {
        self.store.store().is_ok_and(|store| store.path().is_none())
    }

    /// Opens the storage if it is required, that is, if the program, the flag `--files` or the definition has set it.
    ///
    /// # Errors
    /// Fails if the storage cannot be used.
    #[doc(hidden)]
    pub fn open_required(&self) -> io::Result<()> {
        let opened = self.is_required.then(|| self.store.store());
        opened.transpose().map(drop).map_err(|error| unusable_storage_error(&error))
    }

    /// Opens the storage before the first request is served. For a folder, this also removes temporary files of a
    /// process that was killed. If the default folder cannot be used, the error is logged, and requests that need no
    /// stored files are served. Each request that needs stored files tries to open the folder again.
    ///
    /// # Errors
    /// Fails if a required storage cannot be used.
    pub(super) fn open(&self) -> io::Result<()> {
        self.open_required()?;
        if let Err(error) = self.store.store() {
            log::error!(
                "files cannot be stored in {}; requests that need no stored files are served: {error}",
                self.location()
            );
        }
        Ok(())
    }

    /// Returns the readiness check of a storage other than a folder.
    pub(super) fn readiness_check(&self) -> Option<ReadinessCheck> {
        let store = Arc::clone(&self.store);
        let check = move || {
            let store = Arc::clone(&store);
            async move {
                let checked = spawn_blocking(move || store.store()?.check()).await;
                checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
            }
        };
        (!self.store.is_folder()).then(|| ReadinessCheck::new(READINESS_CHECK, check))
    }
}

fn unusable_storage_error(error: &StoreError) -> io::Error {
    io::Error::new(error.io_kind(), format!("no files can be stored there: {error}"))
}

#[cfg(test)]
mod tests {
    use super::shown_url;

    #[test]
    fn shown_urls_contain_no_secrets() {
        for (url, shown) in [
            ("gs://b", "gs://b"),
            ("gs://b/x@y", "gs://b/x@y"),
            ("gs://b:8080/x/y", "gs://b:8080/x/y"),
            ("azure://c?sig=SECRET", "azure://c"),
            ("azure://c/x?sig=SECRET#SECRET", "azure://c/x"),
            ("azure://c/x#SECRET?SECRET", "azure://c/x"),
            ("azure://c?mail=SECRET@b/x", "azure://c"),
            ("gs://ada@b/x@y", "gs://b/x@y"),
            ("gs://ada:SECRET@b/x?sig=SECRET", "gs://b/x"),
            ("gs://ada:SEC@RET@b:80/x", "gs://b:80/x"),
            ("gs://ada:SECRET@", "gs://"),
            ("gs://ada:SECRET/SECRET@b/x", "gs://"),
            ("gs://ada:SECRET?SECRET@b/x", "gs://"),
            ("gs://ada:SECRET#SECRET@b/x", "gs://"),
        ] {
            assert_eq!(shown_url(url), shown, "{url}");
        }
    }
}
