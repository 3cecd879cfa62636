//! Connects to a bucket with the settings in the environment, and checks that it can store files safely.

use std::ffi::OsString;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::{BackoffConfig, ClientOptions, RetryConfig, UpdateVersion};
use rulebook::store::StoreError;
use rulebook_model::files_location::S3Location;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::bucket::{Bucket, Written, error_during, unavailable};
use crate::keys::STATE;

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

/// Returns the settings in the variables `AWS_…` of the environment. An empty variable is not set. The crate
/// object_store panics when it sends a request with values that this function refuses.
///
/// # Errors
/// Fails if a variable cannot be used. The error is a message that names it.
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
