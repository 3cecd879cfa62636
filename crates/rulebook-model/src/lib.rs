//! Reads the definition of an HTTP API, and returns the model and the documents of the API.
//!
//! This crate has no sockets, no async code and no command line. [`definition`] parses the files of a definition.
//! [`compile`] checks the parsed definition and compiles it to the model of the API ([`model`]). [`describe`] generates
//! documents for clients from this model. [`schema`] describes the definition files for editors, and [`test_file`]
//! reads tests of the API. A program can extend definitions with [`types`], [`envelope`]s and [`mod@format`]s. The Rust
//! modules [`call`] and [`error`] contain the values and the errors of method calls.
//!
//! Programs do not depend on this crate directly. They depend on the crate `rulebook`, which re-exports what programs
//! need.

mod byte_size;
pub mod call;
pub mod compile;
pub mod connection_limits;
pub mod constraint;
pub mod definition;
pub mod describe;
pub mod diagnostic;
pub mod distinct_names;
pub mod envelope;
pub mod error;
pub mod filename;
pub mod files_location;
pub mod format;
pub mod invisible;
pub mod limits;
mod method_options;
pub mod model;
pub mod routing;
pub mod schema;
pub mod settings;
pub mod span;
pub mod suggest;
pub mod test_file;
pub mod types;
pub mod unique_json;
pub mod uri;
pub mod variables;

pub use call::{ApiError, AuthScheme, CustomError, HttpMethod, TypeMismatch, Upload, Value};

use std::path::{Path, PathBuf};

use compile::{ProgramExtensions, check_definition};

/// Reads the definition in the folder `folder`, and returns the model of the API.
///
/// # Errors
/// Returns every error of every file.
pub fn load(folder: impl AsRef<Path>) -> Result<model::Api, diagnostic::Report> {
    check_definition(definition::load(folder.as_ref()), ProgramExtensions::default()).map(|checked| checked.api)
}

/// Reads a definition from files in memory, and returns the model of the API. The path of a file is only its name; no
/// file is opened.
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
    check_definition(definition::read(files), ProgramExtensions::default()).map(|checked| checked.api)
}
