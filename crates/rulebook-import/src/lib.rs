//! Converts APIs that are written for other programs to definitions for rulebook: [`openapi`] converts OpenAPI
//! descriptions, and [`project`] converts projects for other frameworks.
//!
//! This crate reads bytes and files, and returns the texts of files and what they do not express. It writes and prints
//! nothing.

mod definition;
pub mod openapi;
pub mod project;

/// A file of a definition or of a project.
#[derive(Debug)]
pub struct ImportedFile {
    /// The path in the folder of the definition or the project, with `/` between its parts.
    pub path: String,
    /// The content.
    pub text: String,
}
