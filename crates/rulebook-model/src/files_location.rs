//! Where a server stores files: in a folder, or in a bucket of an object storage that a URL names.
//!
//! The setting `files`, the flag `--files` and the storage itself use this one parser.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::suggest::closest_word;

/// The scheme of URLs of S3 buckets.
pub const S3_SCHEME: &str = "s3";

/// Where files are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilesLocation {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of S3, or of another server with the same interface.
    S3(S3Location),
    /// In a storage that the program adds, which the scheme of the URL names.
    Other {
        /// The scheme of the URL.
        scheme: String,
        /// The whole URL.
        url: String,
    },
}

/// The bucket and the prefix of the names of all objects: `s3://bucket/prefix`. The query can contain options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The name of the bucket.
    pub bucket: String,
    /// The text with which the names of all objects begin, without `/` at the end. Empty if the URL has no path.
    pub prefix: String,
    /// For how long the content of a replaced file stays for downloads in progress. The default is an hour.
    pub grace: Duration,
    /// After which time the server deletes contents without a name: a day by default, never if it is zero.
    pub sweep: Duration,
}

/// Why a text is not the location of stored files.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FilesLocationError {
    message: String,
    /// What to write instead.
    pub help: String,
}

impl FilesLocationError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// The options in the query of a URL, each of which is a duration.
const OPTIONS: [&str; 2] = ["grace", "sweep"];
/// The units of durations, in seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
/// The maximum length of a prefix in bytes, so that the names of most files fit after it (1024 bytes in S3).
const MAX_PREFIX_LEN: usize = 256;
const EXAMPLE: &str = "write the path of a folder, or `s3://BUCKET/PREFIX`";

impl FilesLocation {
    /// Parses the path of a folder, or a URL such as `s3://bucket/prefix`.
    ///
    /// # Errors
    /// Fails if the text is blank, or is a URL of S3 that is not valid.
    pub fn parse(text: &str) -> Result<Self, FilesLocationError> {
        if text.trim().is_empty() {
            return Err(FilesLocationError::new("the location is blank", EXAMPLE));
        }
        match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => match scheme.to_ascii_lowercase().as_str() {
                S3_SCHEME => S3Location::parse(rest).map(Self::S3),
                scheme => Ok(Self::Other { scheme: scheme.to_owned(), url: text.to_owned() }),
            },
            _ if text.starts_with("s3:") => Err(FilesLocationError::new("the URL has no `//` after `s3:`", EXAMPLE)),
            _ => Ok(Self::Folder(text.into())),
        }
    }
}

/// Returns `true` for the scheme of a URL (RFC 3986 section 3.1). A single letter is a drive of Windows.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

impl S3Location {
    /// Parses the part of the URL after `s3://`.
    fn parse(rest: &str) -> Result<Self, FilesLocationError> {
        if rest.contains('#') {
            return Err(FilesLocationError::new("the URL has a fragment (`#`)", EXAMPLE));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let mut location = Self {
            bucket: check_bucket(bucket)?.to_owned(),
            prefix: check_prefix(prefix)?.to_owned(),
            grace: Duration::from_secs(3600),
            sweep: Duration::from_secs(86400),
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let duration = || {
                parse_duration(value).ok_or_else(|| {
                    let help = "write a whole number and a unit (s, m, h, d), such as `1h`";
                    FilesLocationError::new(format!("`{}` is not a duration", value.escape_debug()), help)
                })
            };
            match name {
                "grace" => location.grace = duration()?,
                "sweep" => location.sweep = duration()?,
                _ => return Err(unknown_option(name)),
            }
        }
        Ok(location)
    }

    /// Returns the URL without its options.
    #[must_use]
    pub fn url(&self) -> String {
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        format!("{S3_SCHEME}://{}{separator}{}", self.bucket, self.prefix)
    }
}

fn unknown_option(name: &str) -> FilesLocationError {
    let help = match closest_word(name, OPTIONS) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the options are `{}`", OPTIONS.join("` and `")),
    };
    FilesLocationError::new(format!("unknown option `{}` in the URL", name.escape_debug()), help)
}

/// Checks the name of a bucket, by the rules of Amazon S3. A URL with a user name or a port is rejected here.
fn check_bucket(bucket: &str) -> Result<&str, FilesLocationError> {
    let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if bucket.is_empty() {
        return Err(FilesLocationError::new("the URL has no bucket", EXAMPLE));
    }
    if bucket.contains(['@', ':']) {
        let help = "set the credentials with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and the server with \
                    AWS_ENDPOINT_URL";
        return Err(FilesLocationError::new("the URL has credentials or a port", help));
    }
    let (first, last) = (bucket.bytes().next(), bucket.bytes().last());
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_valid) || !is_edge(first) || !is_edge(last) {
        let help = "the name of a bucket has 3 to 63 lower-case letters, digits, `-` and `.`";
        return Err(FilesLocationError::new(format!("`{}` is not a bucket", bucket.escape_debug()), help));
    }
    Ok(bucket)
}

fn check_prefix(prefix: &str) -> Result<&str, FilesLocationError> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_valid);
    if prefix.len() > MAX_PREFIX_LEN || !(prefix.is_empty() || prefix.split('/').all(is_part)) {
        let help =
            format!("a prefix has at most {MAX_PREFIX_LEN} letters of ASCII, digits, `-`, `_`, `.`, and `/` between");
        return Err(FilesLocationError::new(format!("`{}` is not a prefix", prefix.escape_debug()), help));
    }
    Ok(prefix)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    // A limit of 100 years keeps sums with times within their range.
    number.parse::<u32>().ok()?.checked_mul(u32::try_from(*seconds).ok()?).map(|it| Duration::from_secs(it.into()))
}
