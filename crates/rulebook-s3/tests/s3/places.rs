//! The storages in which the tests store files.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{ObjectStore, ObjectStoreExt};
use rulebook::Content;
use rulebook::store::{FileName, Precondition, Publication, StagedFile, Store, StoreError, StoredFile};
use tempfile::TempDir;

/// Where a test stores files.
pub enum Place {
    Folder(TempDir),
    /// The URL of a prefix that no other test uses.
    S3(String),
}

impl Place {
    /// Opens the place. Several stores of the same place behave like several programs.
    pub fn open(&self) -> Store {
        match self {
            Self::Folder(folder) => Store::open(folder.path()).unwrap(),
            Self::S3(url) => open_s3(url),
        }
    }
}

/// Returns a folder and, if there is a server, a prefix in its bucket.
pub fn places() -> Vec<Place> {
    let folder = Place::Folder(tempfile::tempdir().unwrap());
    [Some(folder), new_url().map(Place::S3)].into_iter().flatten().collect()
}

/// Returns the URL of a prefix that no other test uses; `None` without a server.
pub fn new_url() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let bucket = support::test_server("TEST_S3")?;
    Some(format!("{bucket}/{}-{}/files", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Returns whether the server creates a bucket that does not exist when an object is written to it, as SeaweedFS does.
pub fn creates_buckets() -> bool {
    std::env::var("TEST_S3_SERVER").is_ok_and(|server| server == "seaweedfs")
}

pub fn open_s3(url: &str) -> Store {
    Store::with_engine(rulebook_s3::open_url(url).unwrap()).unwrap()
}

/// The objects below the prefix of a URL, for tests that look at them.
pub struct Objects {
    s3: Arc<AmazonS3>,
    prefix: String,
}

impl Objects {
    pub fn new(url: &str) -> Self {
        let path = url.strip_prefix("s3://").unwrap().split('?').next().unwrap();
        let (bucket, prefix) = path.split_once('/').unwrap();
        let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_allow_http(true);
        Self { s3: Arc::new(builder.build().unwrap()), prefix: prefix.to_owned() }
    }

    /// Returns the signed URL of the bucket, for a request that creates or deletes it.
    pub fn bucket_url(&self, method: ureq::http::Method) -> String {
        block_on(self.s3.signed_url(method, &Path::default(), Duration::from_secs(60))).unwrap().into()
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }

    /// Returns the keys below a folder, without the prefix, and the content of each object.
    pub fn list(&self, folder: &str) -> Vec<(String, String)> {
        block_on(async {
            let found: Vec<_> = self.s3.list(Some(&self.path(folder))).try_collect().await.unwrap();
            let mut objects = Vec::new();
            for object in found {
                let bytes = self.s3.get(&object.location).await.unwrap().bytes().await.unwrap();
                let key = object.location.as_ref().strip_prefix(&format!("{}/", self.prefix)).unwrap().to_owned();
                objects.push((key, String::from_utf8_lossy(&bytes).into_owned()));
            }
            objects
        })
    }

    pub fn count(&self, folder: &str) -> usize {
        block_on(self.s3.list(Some(&self.path(folder))).try_collect::<Vec<_>>()).unwrap().len()
    }

    pub fn delete(&self, key: &str) {
        block_on(self.s3.delete(&self.path(key))).unwrap();
    }

    pub fn put(&self, key: &str, content: &str) {
        block_on(self.s3.put(&self.path(key), content.to_owned().into())).unwrap();
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Waits until a condition is met, for at most 20 seconds.
pub fn wait_until(mut is_met: impl FnMut() -> bool) -> bool {
    (0..200).any(|_| {
        let met = is_met();
        if !met {
            std::thread::sleep(Duration::from_millis(100));
        }
        met
    })
}

pub fn file_name(text: &str) -> FileName {
    FileName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

pub fn stage_file(store: &Store, content: &[u8]) -> StagedFile {
    let mut writer = store.writer(1 << 30).unwrap();
    writer.write(content).unwrap();
    writer.finish().unwrap()
}

pub fn new_publication(store: &Store, text: &str, content: &[u8]) -> Publication {
    Publication { staged: stage_file(store, content), name: file_name(text), precondition: Precondition::default() }
}

pub fn publish_file(store: &Store, text: &str, content: &[u8]) -> Result<(), StoreError> {
    store.publish(stage_file(store, content), &file_name(text), &Precondition::default()).map(drop)
}

pub fn read_file(store: &Store, text: &str) -> Result<Vec<u8>, StoreError> {
    store.read(&file_name(text)).map(read_content)
}

pub fn read_content(StoredFile { content, info, .. }: StoredFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    match content {
        Content::File(mut file) => drop(file.read_to_end(&mut bytes).unwrap()),
        Content::Bytes(content) => bytes.extend_from_slice(&content),
        Content::Ranged(content) => bytes = read_stream(content.stream(0..content.length())),
        other => panic!("{other:?}"),
    }
    assert_eq!(info.length, Some(bytes.len() as u64));
    bytes
}

pub fn read_stream(stream: rulebook::ByteStream) -> Vec<u8> {
    let pieces: Vec<_> = block_on(stream.try_collect()).unwrap();
    pieces.concat()
}
