//! Code that the tests of several crates share: generated definitions, golden files, random numbers, independent validators of schemas.

#![allow(missing_docs, clippy::unwrap_used, reason = "support of tests fails by panicking")]

pub mod canonical;
pub mod generate;
pub mod golden;
pub mod random;
pub mod schema_validator;
