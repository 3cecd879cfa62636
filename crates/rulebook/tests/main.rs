//! Tests of the public API of the crate, of the settings of handlers, and of the crate without its features. The tests
//! of its behaviour over HTTP are in the folder `tests` of the workspace.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fuzz;
mod handler_settings;
mod member_writer;
mod public_api;
mod tls;
mod trace_context;
mod variables;
mod verified_credentials;
mod without_features;
