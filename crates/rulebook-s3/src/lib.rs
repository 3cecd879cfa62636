//! Stored files in a bucket of S3, or of another server with the same interface. Several servers can share a bucket.
//!
//! [`add`] adds this storage to a program. Its files are in the bucket if their location is a URL such as
//! `s3://bucket/prefix` (the setting `files`, or the flag `--files`). Credentials, region and server are read from the
//! environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL` and the other variables
//! that the crate [`object_store`] knows.
//!
//! The content of a file is one object, which never changes. A name is another, small object, the pointer, which refers
//! to the content. Publishing a file means to write its pointer under a condition that the bucket checks (`If-Match` or
//! `If-None-Match`), so that of several servers only one succeeds, and nothing is copied.
//!
//! The files of download links are in the bucket too, so that a link that one server has created is valid at all
//! servers with the same bucket.

mod bucket;
mod cleanup;
mod content;
mod engine;
mod links;
mod pointer;

pub use engine::S3Files;

use std::sync::Arc;

use rulebook::Rulebook;
use rulebook::store::{FileEngine, StoreError};
use rulebook_model::files_location::{FilesLocation, S3_SCHEME};

/// Adds the storage for URLs that begin with `s3://` to a program.
#[must_use]
pub fn add(rulebook: Rulebook) -> Rulebook {
    rulebook.file_storage(S3_SCHEME, open_url)
}

/// Opens the bucket with this URL.
///
/// # Errors
/// Fails if the text is not a URL of S3, or if [`S3Files::open`] fails.
pub fn open_url(url: &str) -> Result<Arc<dyn FileEngine>, StoreError> {
    match FilesLocation::parse(url) {
        Ok(FilesLocation::S3(location)) => Ok(Arc::new(S3Files::open(location)?)),
        Ok(_) => Err(StoreError::UnknownStorage(url.to_owned())),
        Err(error) => {
            Err(StoreError::Unavailable { action: "reading the URL of stored files", error: Box::new(error) })
        }
    }
}
