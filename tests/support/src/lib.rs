//! Code that the tests of several crates share: generated definitions, golden files, random numbers, independent validators of schemas.

#![allow(missing_docs, clippy::unwrap_used, reason = "support of tests fails by panicking")]

pub mod canonical;
pub mod generate;
pub mod golden;
pub mod random;
pub mod schema_validator;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// The examples of the page about handlers.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/handlers.md")]
pub struct Handlers;

/// The examples of the page about migration.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/migration.md")]
pub struct Migration;
