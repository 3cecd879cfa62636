//! Generates the Rust types and handlers of an API from its definition, in the build script of a program.
//!
//! The build script names the folder of the definition:
//!
//! ```no_run
//! // build.rs
//! fn main() -> std::process::ExitCode {
//!     rulebook_build::generate("api")
//! }
//! ```
//!
//! The program includes the generated code. It has a Rust module for each API module, here `article`, with the
//! arguments, outputs and errors of each method, a type for each schema, and the struct `Handlers` with a field for
//! each method:
//!
//! ```ignore
//! mod api {
//!     include!(concat!(env!("OUT_DIR"), "/api.rs"));
//! }
//!
//! use api::article::{Handlers, ReadArguments, ReadError, ReadOutputs};
//!
//! pub fn module() -> rulebook::Module {
//!     Handlers { read: read_article }.into_module()
//! }
//!
//! async fn read_article(arguments: ReadArguments, _: rulebook::Context) -> Result<ReadOutputs, ReadError> {
//!     let title = find_title(arguments.article_id).ok_or(ReadError::NoSuchArticle)?;
//!     Ok(ReadOutputs { title })
//! }
//! ```
//!
//! A method without a handler, a handler with other arguments or outputs than the definition declares, and an error
//! that it does not declare are errors of the compiler. cargo runs the build script again when a file of the definition
//! changes.

mod build;
mod distinct_names;
pub mod identifier;
mod rust;

pub use build::{Build, FILE_NAME, generate};
pub use rust::{Purpose, Signature, module_names, rust_code, signatures};
