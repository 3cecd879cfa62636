//! Tests of definitions. All tests are in one binary, with a file or folder for each topic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compile;
mod definition_text;
mod diagnostics;
mod files_location;
mod fuzz;
mod types;
