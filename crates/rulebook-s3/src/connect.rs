//! Connects to a bucket, and checks that it can store files safely.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientOptions, RetryConfig, UpdateVersion};
use rulebook::store::StoreError;
use rulebook_model::files_location::S3Location;
use serde::{Deserialize, Serialize};

use crate::bucket::{Bucket, Written, error_during};
use crate::environment::{endpoint, read_environment};

const OPEN: &str = "opening the bucket of stored files";
/// What an operator can check if a bucket cannot be used.
const HELP: &str = "check that the bucket exists; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are the credentials, \
                    AWS_ENDPOINT_URL is the server, and AWS_REGION the region";
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the bucket may send nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request is repeated after an error of the bucket or of the network.
const MAX_RETRIES: usize = 4;
/// After which time a request is not repeated any more.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

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
    let builder = read_environment().map_err(|error| StoreError::Unavailable { action: OPEN, error: error.into() })?;
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

/// Adds what an operator can check to the error of the first request.
fn with_help(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { action, error } => {
            StoreError::Unavailable { action, error: format!("{error}; {HELP}").into() }
        }
        other => other,
    }
}

impl Bucket {
    /// Checks that the bucket exists and can be written to, that it has the format of this crate, and that the server
    /// honours the conditions of writes. Otherwise two servers could overwrite each other's files.
    pub(crate) async fn check_format(&self) -> Result<(), StoreError> {
        let failed = |why: &str| Err(StoreError::Unavailable { action: OPEN, error: why.into() });
        let key = self.keys.single("format");
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

    /// Checks that the bucket can be read.
    pub(crate) async fn check_access(&self) -> Result<(), StoreError> {
        const CHECK: &str = "checking the bucket of stored files";
        match self.read::<Format>(&self.keys.single("format"), CHECK).await? {
            Some(_) => Ok(()),
            None => {
                Err(StoreError::Unavailable { action: CHECK, error: "the object `state/format` is missing".into() })
            }
        }
    }
}
