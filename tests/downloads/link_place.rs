//! The storages in which the tests keep the files of download links: a folder and, if the variable `TEST_S3` contains
//! the URL of a bucket (`scripts/with-s3` sets it), the bucket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore, ObjectStoreExt};
use rulebook::Rulebook;
use tempfile::TempDir;

/// Where a test keeps the files of links. A clone is the same place.
#[derive(Clone)]
pub struct LinkPlace {
    data: PathBuf,
    /// The URL of a prefix in the bucket that no other test uses; `None` for a folder.
    url: Option<String>,
    /// The folder that is deleted at the end.
    _folder: Option<Arc<TempDir>>,
}

impl LinkPlace {
    fn new(url: Option<String>) -> Self {
        let folder = TempDir::new().unwrap();
        Self { data: folder.path().to_owned(), url, _folder: Some(Arc::new(folder)) }
    }

    /// Returns a folder that no other test uses.
    pub fn folder() -> Self {
        Self::new(None)
    }

    /// Returns an existing place.
    pub fn existing(data: &Path, url: Option<String>) -> Self {
        Self { data: data.to_owned(), url, _folder: None }
    }

    /// Returns the data folder of the servers.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Lets a program keep the files of links in this place.
    pub fn configure(&self, rulebook: Rulebook) -> Rulebook {
        let rulebook = rulebook.data_folder(&self.data);
        match &self.url {
            // Expired files are deleted after a second.
            Some(url) => rulebook_s3::add(rulebook.keep_files()).files_folder(format!("{url}?grace=1s")),
            None => rulebook,
        }
    }

    /// Returns the names of all files of links, also of unfinished ones.
    pub fn link_files(&self) -> Vec<String> {
        let Some(url) = &self.url else {
            let names = stored_link_files(&self.data).into_iter();
            return names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        };
        let keys = object_keys(url);
        let keys = keys.iter().filter_map(|key| key.strip_prefix("links/"));
        let (heads, contents): (Vec<_>, Vec<_>) =
            keys.map(|name| name.split_once('/').unwrap()).partition(|(kind, _)| *kind == "heads");
        // A content without a head is an unfinished file.
        let unfinished = contents.into_iter().filter(|(_, nonce)| !heads.iter().any(|(_, head)| head.ends_with(nonce)));
        heads.iter().copied().chain(unfinished).map(|(_, name)| name.to_owned()).collect()
    }

    pub fn is_bucket(&self) -> bool {
        self.url.is_some()
    }

    /// Returns `true` if no part of unfinished files is left.
    pub fn has_no_files(&self) -> bool {
        let uploads = |url: &String| object_keys(url).into_iter().filter(|key| key.starts_with("uploads/")).count();
        self.link_files().is_empty() && self.url.as_ref().map_or(0, uploads) == 0
    }

    /// Deletes the file of one link.
    pub fn delete_one(&self) {
        let name = self.link_files().swap_remove(0);
        match &self.url {
            Some(url) => {
                let ((s3, prefix), (_, nonce)) = (bucket(url), name.split_once('-').unwrap());
                for key in [format!("links/heads/{name}"), format!("links/content/{nonce}")] {
                    block_on(s3.delete(&format!("{prefix}/{key}").into())).unwrap();
                }
            }
            None => fs::remove_file(self.data.join("links").join(name)).unwrap(),
        }
    }
}

/// Returns a folder and, if there is a server, a prefix in its bucket.
pub fn link_places() -> Vec<LinkPlace> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = || NEXT.fetch_add(1, Ordering::Relaxed);
    let bucket = support::test_server("TEST_S3");
    let url = bucket.map(|bucket| format!("{bucket}/downloads-{}-{}", std::process::id(), number()));
    [Some(LinkPlace::folder()), url.map(|url| LinkPlace::new(Some(url)))].into_iter().flatten().collect()
}

/// Returns the files of links in a data folder, also unfinished ones.
pub fn stored_link_files(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("links")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Returns the bucket of a URL, and the prefix of the keys.
fn bucket(url: &str) -> (AmazonS3, &str) {
    let (bucket, prefix) = url.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_allow_http(true);
    (builder.build().unwrap(), prefix)
}

/// Returns the keys of all objects below a URL, without the prefix of the URL.
fn object_keys(url: &str) -> Vec<String> {
    let (s3, prefix) = bucket(url);
    let objects: Vec<_> = block_on(s3.list(Some(&prefix.into())).try_collect()).unwrap();
    let keys = objects.iter().map(|object| object.location.as_ref().strip_prefix(prefix).unwrap());
    keys.map(|key| key.trim_start_matches('/').to_owned()).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
