//! Tests of stored files in a bucket of S3, and of the behaviour that all storages share.
//!
//! The variable `TEST_S3` contains the URL of an empty bucket; the script `scripts/with-s3` sets it. Without the
//! variable, only the shared behaviour of folders is tested. `TEST_S3_SERVER` is the name of the server's program.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking; no other crate uses its items")]

mod behaviour;
mod broken_downloads;
mod bucket;
mod checksums;
mod failed_uploads;
mod kills;
mod links;
mod lost_responses;
mod places;
mod proxy;
mod sharing;
