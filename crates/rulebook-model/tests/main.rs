//! Tests of definitions, in one binary: one file or folder for each part.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compile;
mod definition_text;
mod diagnostics;
mod types;
