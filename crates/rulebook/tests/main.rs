//! Tests of the library as a whole. What it does is tested over HTTP, in the tests of the workspace.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod public_api;
mod without_features;
