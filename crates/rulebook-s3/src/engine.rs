//! The storage as the store uses it, and the threads that exchange data with the bucket.

use std::fmt;
use std::sync::{Arc, mpsc};

use object_store::ObjectStore;
use rulebook::Content;
use rulebook::store::{
    ContentWriter, FileEngine, FileInfo, FileName, LinkFiles, Listing, NewFile, StoreError, StoredFile,
};
use rulebook_model::files_location::S3Location;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::bucket::{self, Bucket, CONTENTS, error_during, random_id, unavailable};
use crate::links::S3Links;
use crate::pointer::{Entry, Pointer, Published};
use crate::{cleanup, content};

/// The files in a bucket.
pub struct S3Files {
    store: Store,
    /// A permit for each replaced content that will be deleted.
    waiting: Arc<Semaphore>,
    links: Arc<S3Links>,
}

impl fmt::Debug for S3Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Files").field(&self.store.bucket.location).finish()
    }
}

impl S3Files {
    /// Opens a bucket, and starts the threads that exchange data with it.
    ///
    /// # Errors
    /// Fails if the bucket cannot be read and written, or if its server ignores the conditions of writes.
    pub fn open(location: S3Location) -> Result<Self, StoreError> {
        let store = Store::new(Bucket::new(bucket::client(&location)?, location))?;
        store.run(|bucket| async move { bucket.check_format().await })?;
        let waiting = Arc::new(Semaphore::new(cleanup::MAX_WAITING));
        store.spawn(cleanup::search_regularly(store.bucket.clone()));
        let links = Arc::new(S3Links::new(store.clone()));
        Ok(Self { store, waiting, links })
    }

    fn entry(&self, name: &FileName) -> Result<Entry, StoreError> {
        // A name that is too long cannot have been published.
        let key = self.store.bucket.keys.pointer(name).map_err(|_| StoreError::NotFound(name.clone()))?;
        let resolved = self.store.run(|bucket| async move { bucket.resolve(&key).await })?;
        resolved.current.ok_or_else(|| StoreError::NotFound(name.clone()))
    }
}

impl FileEngine for S3Files {
    fn location(&self) -> String {
        self.store.bucket.location.url()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.store.run(|bucket| async move { bucket.check_access().await })
    }

    fn read(&self, name: &FileName) -> Result<StoredFile, StoreError> {
        let entry = self.entry(name)?;
        let info = entry.info();
        let key = self.store.bucket.keys.key(CONTENTS, &entry.content);
        let content = content::ranged_content(&self.store, key, entry.length, ());
        Ok(StoredFile::new(Content::Ranged(content), info))
    }

    fn info(&self, name: &FileName) -> Result<FileInfo, StoreError> {
        self.entry(name).map(|entry| entry.info())
    }

    fn list(&self, folder: Option<&FileName>) -> Result<Listing, StoreError> {
        let folder = folder.cloned();
        self.store.run(|bucket| async move { bucket.list(folder.as_ref()).await })
    }

    fn create(&self) -> Result<Box<dyn ContentWriter>, StoreError> {
        let target = content::Target { id: random_id()?, is_link: false };
        Ok(Box::new(content::Writer::new(self.store.clone(), target)))
    }

    fn publish(&self, files: &[NewFile]) -> Result<Vec<FileInfo>, StoreError> {
        let owned = files.to_vec();
        let published = self.store.run(|bucket| async move {
            Ok(match owned.as_slice() {
                [] => Published { result: Ok(Vec::new()), replaced: Vec::new(), unused: false },
                [file] => bucket.publish_one(file).await,
                files => bucket.publish_several(files).await,
            })
        })?;
        cleanup::delete_later(&self.store, &self.waiting, published.replaced);
        if published.unused {
            files.iter().for_each(|file| self.discard(&file.content));
        }
        published.result
    }

    fn links(&self) -> Option<Arc<dyn LinkFiles>> {
        Some(self.links.clone())
    }

    fn discard(&self, content: &str) {
        let (bucket, key) = (self.store.bucket.clone(), self.store.bucket.keys.key(CONTENTS, content));
        self.store.spawn(async move {
            if let Err(error) = bucket.delete(&key).await {
                log::debug!("a content that is not needed stays until it is old: {error}");
            }
        });
    }
}

impl Bucket {
    async fn list(&self, folder: Option<&FileName>) -> Result<Listing, StoreError> {
        let action = "listing stored files";
        let found = self.s3.list_with_delimiter(Some(&self.keys.names(folder))).await.map_err(error_during(action))?;
        let mut listing = Listing::default();
        for object in found.objects {
            let Some(name) = self.keys.file_name(&object.location) else { continue };
            // The pointer of a file that is being published, or whose publication was aborted, has another size.
            if Pointer::is_plain_size(object.size) || self.resolve(&object.location).await?.current.is_some() {
                listing.files.push(name);
            }
        }
        listing.folders = found.common_prefixes.iter().filter_map(|prefix| self.keys.file_name(prefix)).collect();
        listing.folders.sort();
        listing.files.sort();
        match folder {
            Some(folder) if listing == Listing::default() => Err(StoreError::NotFound(folder.clone())),
            _ => Ok(listing),
        }
    }
}

/// The number of threads. They only move bytes, and compute signatures and checksums.
const THREADS: usize = 2;

/// A bucket, and the threads that exchange data with it. Their tasks end when the last clone of this value is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) bucket: Bucket,
    background: Arc<Background>,
}

#[derive(Debug)]
struct Background {
    /// `None` only after the value was dropped.
    runtime: Option<Runtime>,
}

impl Drop for Background {
    fn drop(&mut self) {
        // Dropping a runtime waits for its tasks, which asynchronous code must not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store {
    pub(crate) fn new(bucket: Bucket) -> Result<Self, StoreError> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("rulebook-s3").enable_all().build();
        let runtime = runtime.map_err(StoreError::io_during("starting the threads for a bucket"))?;
        Ok(Self { bucket, background: Arc::new(Background { runtime: Some(runtime) }) })
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let runtime = self.background.runtime.as_ref().expect("the runtime is removed only when the value is dropped");
        runtime.spawn(task)
    }

    /// Runs a task and blocks this thread until it ends. Unlike a call of `block_on`, this cannot panic if the thread
    /// belongs to another runtime.
    pub(crate) fn run<T, F>(&self, task: impl FnOnce(Bucket) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        let task = task(self.bucket.clone());
        self.spawn(async move {
            // Sending fails only if this thread has panicked.
            let _ = sender.send(task.await);
        });
        let closed = |_| unavailable("waiting for a bucket", "the task has panicked, or the store has been closed");
        receiver.recv().map_err(closed)?
    }
}
