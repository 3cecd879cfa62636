//! Reads and writes the small objects of a bucket, and converts the errors of the bucket.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::ready;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use rulebook::describe_with_causes;
use rulebook::store::StoreError;
use rulebook_model::files_location::S3Location;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::Keys;

/// The number of small objects that are read, written or deleted at the same time.
pub(crate) const CONCURRENT: usize = 8;

/// The bucket, and the keys of the objects in it. A clone refers to the same bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(Arc<BucketData>);

#[derive(Debug)]
pub(crate) struct BucketData {
    pub(crate) s3: AmazonS3,
    pub(crate) keys: Keys,
    pub(crate) location: S3Location,
}

impl std::ops::Deref for Bucket {
    type Target = BucketData;

    fn deref(&self) -> &BucketData {
        &self.0
    }
}

/// A small object, and the version of it that was read.
#[derive(Debug)]
pub(crate) struct Versioned<T> {
    pub(crate) value: T,
    pub(crate) version: Version,
    /// When the object was written, by the clock of the bucket.
    pub(crate) written: SystemTime,
}

/// A version of an object; `None` is the absence of the object.
pub(crate) type Version = Option<UpdateVersion>;

/// The result of a conditional write.
#[derive(Debug)]
pub(crate) enum Written {
    /// The object has been written, and has this version.
    Done(Version),
    /// The object had another version, so that it has not been written.
    Conflict,
}

/// Returns the error of an operation with the bucket. `action` describes the operation.
pub(crate) fn unavailable(
    action: &'static str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unavailable { action, error: error.into() }
}

/// Returns a function that converts an error of the bucket. `action` describes the operation.
pub(crate) fn error_during(action: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| unavailable(action, describe_with_causes(&error))
}

/// Returns `true` if an object does not exist. If the bucket does not exist, this is an error of the bucket.
pub(crate) fn is_missing_object(error: &Error) -> bool {
    // The response is a part of the message.
    matches!(error, Error::NotFound { source, .. } if !source.to_string().contains("<Code>NoSuchBucket</Code>"))
}

impl Bucket {
    pub(crate) fn new(s3: AmazonS3, location: S3Location) -> Self {
        let keys = Keys::new(&location.prefix);
        Self(Arc::new(BucketData { s3, keys, location }))
    }

    /// Reads an object that contains JSON. Returns `None` if the object does not exist.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        key: &Path,
        action: &'static str,
    ) -> Result<Option<Versioned<T>>, StoreError> {
        let Some((bytes, meta)) = self.get(key, action).await? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| unavailable(action, format!("the object {key} cannot be read: {error}")))?;
        let version = UpdateVersion { e_tag: meta.e_tag, version: meta.version };
        Ok(Some(Versioned { value, version: Some(version), written: meta.last_modified.into() }))
    }

    /// Reads the bytes of an object. Returns `None` if the object does not exist.
    pub(crate) async fn read_bytes(&self, key: &Path, action: &'static str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get(key, action).await?.map(|(bytes, _)| bytes))
    }

    async fn get(&self, key: &Path, action: &'static str) -> Result<Option<(Bytes, ObjectMeta)>, StoreError> {
        let result = match self.s3.get_opts(key, GetOptions::default()).await {
            Ok(result) => result,
            Err(error) if is_missing_object(&error) => return Ok(None),
            Err(error) => return Err(error_during(action)(error)),
        };
        let meta = result.meta.clone();
        Ok(Some((result.bytes().await.map_err(error_during(action))?, meta)))
    }

    /// Creates an object with these bytes, if it does not exist.
    pub(crate) async fn create_bytes(
        &self,
        key: &Path,
        bytes: Bytes,
        action: &'static str,
    ) -> Result<Written, StoreError> {
        self.put_if(key, bytes.into(), PutMode::Create, action).await
    }

    /// Writes an object as JSON, if it still has this version.
    pub(crate) async fn write_if<T: Serialize>(
        &self,
        key: &Path,
        value: &T,
        version: &Version,
        action: &'static str,
    ) -> Result<Written, StoreError> {
        let mode = match version {
            Some(version) => PutMode::Update(version.clone()),
            None => PutMode::Create,
        };
        self.put_if(key, json(value, action)?, mode, action).await
    }

    async fn put_if(
        &self,
        key: &Path,
        payload: PutPayload,
        mode: PutMode,
        action: &'static str,
    ) -> Result<Written, StoreError> {
        match self.s3.put_opts(key, payload, PutOptions::from(mode)).await {
            Ok(put) => Ok(Written::Done(Some(put.into()))),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }) => {
                Ok(Written::Conflict)
            }
            Err(error) => Err(error_during(action)(error)),
        }
    }

    pub(crate) async fn write<T: Serialize>(
        &self,
        key: &Path,
        value: &T,
        action: &'static str,
    ) -> Result<(), StoreError> {
        self.s3.put(key, json(value, action)?).await.map(drop).map_err(error_during(action))
    }

    /// Deletes an object. Succeeds if the object does not exist.
    pub(crate) async fn delete(&self, key: &Path) -> Result<(), StoreError> {
        match self.s3.delete(key).await {
            Err(error) if !is_missing_object(&error) => Err(error_during("deleting an object")(error)),
            _ => Ok(()),
        }
    }

    /// Returns the keys of the objects below a prefix that are older than `age`.
    pub(crate) fn older(&self, prefix: &Path, age: Duration) -> BoxStream<'static, Result<Path, StoreError>> {
        let limit = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let objects = self.s3.list(Some(prefix)).map_err(error_during("listing objects"));
        let old = objects.try_filter(move |object| ready(SystemTime::from(object.last_modified) <= limit));
        old.map_ok(|object| object.location).boxed()
    }
}

fn json<T: Serialize>(value: &T, action: &'static str) -> Result<PutPayload, StoreError> {
    match serde_json::to_vec(value) {
        Ok(bytes) => Ok(Bytes::from(bytes).into()),
        Err(error) => Err(unavailable(action, error)),
    }
}

/// Runs a function for all items, some at the same time. Returns the first error.
pub(crate) async fn run_for_all<T, F>(items: Vec<T>, run: impl Fn(T) -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    let results: Vec<_> = stream::iter(items.into_iter().map(run)).buffered(CONCURRENT).collect().await;
    results.into_iter().collect()
}
