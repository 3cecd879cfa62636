//! The bucket: connects to it with the settings in the environment, reads and writes its small objects, converts its
//! errors, and knows the keys of its objects.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig, UpdateVersion,
};
use percent_encoding::percent_decode_str;
use rulebook::describe_with_causes;
use rulebook::store::{FileName, StoreError};
use rulebook_model::files_location::S3Location;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

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

#[derive(Debug)]
pub(crate) enum Written {
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

/// The maximum length of a key in bytes (Amazon S3, "Naming Amazon S3 objects").
const MAX_KEY_LEN: usize = 1024;

/// The folder of the pointers, whose names are the names of the files.
const NAMES: &str = "names";
pub(crate) const CONTENTS: &str = "content";
pub(crate) const LINKS: &str = "links";
pub(crate) const LINK_CONTENTS: &str = "links/content";
pub(crate) const LINK_HEADS: &str = "links/heads";
/// The folder of the decisions about transactions.
pub(crate) const TRANSACTIONS: &str = "transactions";
/// The folder of the records of multipart uploads.
pub(crate) const UPLOADS: &str = "uploads";
/// The folder of the objects that exist once.
pub(crate) const STATE: &str = "state";

#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Returns the key of an object in a folder, or the common prefix of all its objects if the name is empty.
    pub(crate) fn key(&self, folder: &str, name: &str) -> Path {
        // `Path::from` percent-encodes the characters that servers may not accept in keys.
        Path::from(format!("{}/{folder}/{name}", self.prefix))
    }

    pub(crate) fn pointer(&self, name: &FileName) -> Result<Path, StoreError> {
        let key = self.key(NAMES, name.as_str());
        if key.as_ref().len() > MAX_KEY_LEN {
            let max = MAX_KEY_LEN.saturating_sub(self.names(None).as_ref().len() + 1);
            return Err(StoreError::NameTooLong { name: name.clone(), max });
        }
        Ok(key)
    }

    /// Returns the common prefix of the pointers of all files in a folder; `None` is the top folder.
    pub(crate) fn names(&self, folder: Option<&FileName>) -> Path {
        self.key(NAMES, folder.map_or("", FileName::as_str))
    }

    /// The file or folder to which the key of a pointer belongs; `None` if another program has created the object.
    pub(crate) fn file_name(&self, key: &Path) -> Option<FileName> {
        let encoded = key.as_ref().strip_prefix(self.names(None).as_ref())?.strip_prefix('/')?;
        let name = percent_decode_str(encoded).decode_utf8().ok()?;
        FileName::parse(&name).ok().filter(|parsed| parsed.as_str() == name)
    }
}

/// Returns a new id for a content or a transaction: 128 random bits as hexadecimal digits.
pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| unavailable("creating a file", error.to_string()))?;
    Ok(hex::encode(random))
}

const OPEN: &str = "opening the bucket of stored files";
const HELP: &str = "check that the bucket exists; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the credentials, \
                    AWS_ENDPOINT_URL is the server, and AWS_REGION the region";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the bucket may send nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request is repeated after an error of the bucket or of the network.
const MAX_RETRIES: usize = 4;
/// After which time a request is not repeated any more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Says whether writes have a checksum, which the server compares and stores ("Data Integrity Protections for Amazon
/// S3" in the reference of Amazon's SDKs).
const CHECKSUMS: &str = "AWS_REQUEST_CHECKSUM_CALCULATION";

/// The object that every bucket with stored files has.
#[derive(Debug, Serialize, Deserialize)]
struct Format {
    /// The version of the format of all objects.
    format: u32,
}

/// The version of the format that this crate reads and writes.
const FORMAT: Format = Format { format: 1 };

/// Returns a client of a bucket. The credentials, the region and the server come from the environment.
pub(crate) fn client(location: &S3Location) -> Result<AmazonS3, StoreError> {
    // If the program has chosen another implementation of cryptography already, it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = read_environment().map_err(|error| unavailable(OPEN, error))?;
    let is_plain = endpoint(&builder).is_some_and(|url| url.starts_with("http://"));
    let has_credentials = builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_some();
    // The timeout of a whole request would end long downloads.
    let options = ClientOptions::new()
        .with_allow_http(is_plain)
        // A machine that needs no certificates may have none. Services that issue credentials have TLS.
        .with_no_system_certificates(is_plain && has_credentials)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_read_timeout(READ_TIMEOUT)
        .with_timeout_disabled();
    let retry =
        RetryConfig { max_retries: MAX_RETRIES, retry_timeout: RETRY_TIMEOUT, backoff: BackoffConfig::default() };
    let builder = builder.with_bucket_name(&location.bucket).with_client_options(options).with_retry(retry);
    builder.build().map_err(error_during(OPEN))
}

/// Reads the variables `AWS_…`; an empty one is not set. The crate object_store panics when it sends a request with
/// values that this function refuses. The error is a message that names the variable.
fn read_environment() -> Result<AmazonS3Builder, String> {
    let texts = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let variables = std::env::vars_os().filter_map(texts);
    let mut builder = AmazonS3Builder::new();
    // A request is signed with the same SHA-256, so this checksum costs nothing.
    let mut checksum = Some(Checksum::SHA256);
    for (name, value) in variables.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()) {
        if name == CHECKSUMS {
            checksum = match value.to_ascii_lowercase().as_str() {
                "when_supported" => Some(Checksum::SHA256),
                "when_required" => None,
                _ => {
                    return Err(format!(
                        "the environment variable {name} is neither `when_supported` nor `when_required`"
                    ));
                }
            };
        }
        let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() else { continue };
        if value.contains(char::is_control) {
            return Err(format!("the environment variable {name} contains a line break or another control character"));
        }
        let value = match key {
            AmazonS3ConfigKey::Endpoint
            | AmazonS3ConfigKey::S3Endpoint
            | AmazonS3ConfigKey::MetadataEndpoint
            | AmazonS3ConfigKey::StsEndpoint => parse_endpoint(&value).ok_or_else(|| {
                format!(
                    "the environment variable {name} is not the address of a server: expected `https://HOST` or \
                     `http://HOST:PORT`"
                )
            })?,
            _ => value,
        };
        builder = builder.with_config(key, value);
    }
    Ok(match checksum {
        Some(checksum) if builder.get_config_value(&AmazonS3ConfigKey::Checksum).is_none() => {
            builder.with_checksum_algorithm(checksum)
        }
        _ => builder,
    })
}

/// Returns the normal form of the address of a server; `None` if the text is no such address.
fn parse_endpoint(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let url = Url::parse(text).ok()?;
    let is_address = !rest.starts_with('/') && !rest.contains(['@', '?', '#', '\\', ' ']);
    is_address.then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// Returns the address of the server of a bucket, if the environment contains one.
fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    let value = |key| builder.get_config_value(&key);
    value(AmazonS3ConfigKey::S3Endpoint).or_else(|| value(AmazonS3ConfigKey::Endpoint))
}

/// Adds what an operator can check to the error of the first request.
fn with_help(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { action, error } => unavailable(action, format!("{error}; {HELP}")),
        other => other,
    }
}

impl Bucket {
    /// Checks that the bucket exists and can be written to, that it has the format of this crate, and that the server
    /// honours the conditions of writes. Otherwise two servers could overwrite each other's files.
    pub(crate) async fn check_format(&self) -> Result<(), StoreError> {
        let failed = |why: &str| Err(unavailable(OPEN, why));
        let key = self.keys.key(STATE, "format");
        self.write_if(&key, &FORMAT, &None, OPEN).await.map_err(with_help)?;
        let Some(found) = self.read::<Format>(&key, OPEN).await? else {
            return failed("an object cannot be read after it was written");
        };
        if found.value.format != FORMAT.format {
            return failed("the bucket has the format of a newer version of this program");
        }
        let other =
            Some(UpdateVersion { e_tag: Some("\"00000000000000000000000000000000\"".to_owned()), version: None });
        for version in [None, other] {
            if let Written::Done(_) = self.write_if(&key, &FORMAT, &version, OPEN).await? {
                return failed(
                    "the server ignores `If-None-Match` or `If-Match` of writes, so that files could be lost",
                );
            }
        }
        Ok(())
    }

    pub(crate) async fn check_access(&self) -> Result<(), StoreError> {
        const CHECK: &str = "checking the bucket of stored files";
        match self.read::<Format>(&self.keys.key(STATE, "format"), CHECK).await? {
            Some(_) => Ok(()),
            None => Err(unavailable(CHECK, "the object `state/format` is missing")),
        }
    }
}
