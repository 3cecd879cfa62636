//! What the definition of an HTTP API means.
//!
//! Text goes in, data comes out: no sockets, no async, no command line. A definition is parsed
//! ([`definition`]), checked and lowered ([`compile`]) into the model of the API ([`model`]), and the model is
//! described for clients and editors ([`describe`], [`schema`]). Everything that a program adds to a definition
//! ([`types`], [`envelope`], [`mod@format`]) and what requests are answered with ([`call`], [`error`]) has its data
//! and its texts here.
//!
//! Programs depend on the crate `rulebook`, which re-exports what they need.

pub mod call;
pub mod compile;
pub mod definition;
pub mod describe;
pub mod diagnostic;
pub mod envelope;
pub mod error;
pub mod filename;
pub mod format;
pub mod limits;
pub mod model;
pub mod routing;
pub mod schema;
mod settings;
pub mod span;
pub mod suggest;
pub mod types;

pub use call::{ApiError, AuthScheme, CustomError, HttpMethod, TypeMismatch, Upload, Value};

use std::path::{Path, PathBuf};

use compile::{Extensions, check};

/// Reads the definition in a folder and returns the model of its API.
///
/// # Errors
/// Returns every error of every file.
pub fn load(folder: impl AsRef<Path>) -> Result<model::Api, diagnostic::Report> {
    check(definition::load(folder.as_ref()), Extensions::default()).map(|checked| checked.api)
}

/// Returns the model of the API that files in memory define. Their paths only name them.
///
/// ```
/// let text = r#"{ "/": { "hello": { "GET": { "info": "Greets" } } } }"#;
/// let api = rulebook_model::read(vec![("hello.json".into(), text.into())])?;
/// assert_eq!(api.modules[0].name, "hello");
/// # Ok::<(), rulebook_model::diagnostic::Report>(())
/// ```
///
/// # Errors
/// Returns every error of every file.
pub fn read(files: Vec<(PathBuf, Vec<u8>)>) -> Result<model::Api, diagnostic::Report> {
    check(definition::read(files), Extensions::default()).map(|checked| checked.api)
}
