//! Signs URLs at which clients can read an object from the bucket itself.

use std::time::Duration;

use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use rulebook::store::StoreError;

use crate::bucket::{Bucket, error_during};

/// For how long a signed URL is valid.
const URL_LIFETIME: Duration = Duration::from_secs(60);

/// The header fields of responses that the query of a URL can set, and their parameters (Amazon S3, `GetObject`).
const RESPONSE_FIELDS: [(&str, &str); 5] = [
    ("cache-control", "response-cache-control"),
    ("content-disposition", "response-content-disposition"),
    ("content-encoding", "response-content-encoding"),
    ("content-language", "response-content-language"),
    ("content-type", "response-content-type"),
];

impl Bucket {
    /// Returns a URL at which clients can read an object for a short time. The response contains those of the header
    /// fields that the query of the URL can set.
    pub(crate) async fn signed_url(&self, key: &Path, fields: Vec<(String, String)>) -> Result<String, StoreError> {
        let query = fields.into_iter().filter_map(|(name, value)| {
            let (_, parameter) = RESPONSE_FIELDS.iter().find(|(field, _)| *field == name)?;
            Some(((*parameter).to_owned(), value))
        });
        let options = SignedUrlOptions::default().with_query(query);
        let url = self.s3.signed_url_opts(reqwest::Method::GET, key, URL_LIFETIME, &options).await;
        url.map(String::from).map_err(error_during("signing the URL of a file"))
    }
}
