//! Converts an OpenAPI description to a definition.
//!
//! `read` parses the description, `schema` converts its schemas, `operation` its operations and `settings` the rest.
//! Everything that the definition cannot express is added to the `losses`. `repair` then checks the definition, and
//! `unread` reports everything that no code has read.

mod definition_file;
mod document;
mod losses;
mod names;
mod operation;
mod read;
mod repair;
mod schema;
mod settings;
mod unread;

use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;
use serde_json::Value as Json;
use thiserror::Error;

use crate::ImportedFile;
use document::{Document, Knowledge, text};
pub use losses::Losses;
use schema::Converter;

/// A definition that was converted from a description.
#[derive(Debug)]
pub struct ImportedDescription {
    /// The files of the definition.
    pub files: Vec<ImportedFile>,
    /// The API that the files define.
    pub api: Api,
    /// The title of the description, if it has one.
    pub title: Option<String>,
    /// The version of OpenAPI.
    pub version: String,
    /// The number of schemas in the definition.
    pub schema_count: usize,
    /// What the definition does not express.
    pub losses: Losses,
}

/// The reason why a description cannot be imported.
#[derive(Debug, Error)]
pub enum DescriptionError {
    /// The text is not an OpenAPI description, or its version of OpenAPI is not supported. The message contains the
    /// name of the file.
    #[error("{0}")]
    Unreadable(String),
    /// The definition has errors that cannot be fixed.
    #[error("the description cannot be converted to a definition without errors")]
    Definition(Report),
}

/// Converts a description. `name` is the name of its file, or its URL.
///
/// # Errors
/// Fails if the text is not an OpenAPI description of a supported version, or if the definition would have errors that
/// cannot be fixed.
pub fn import(name: &str, bytes: Vec<u8>) -> Result<ImportedDescription, DescriptionError> {
    let root = read::parse(name, bytes).map_err(DescriptionError::Unreadable)?;
    let knowledge = Knowledge::default();
    let document = Document { root: &root, knowledge: &knowledge };
    let mut converter = Converter::new(document);
    let settings = settings::convert_settings(&mut converter);
    settings::read_schemes(&mut converter);
    let modules = operation::convert_operations(&mut converter);
    let schemas = converter.convert_named_schemas();
    let schema_count = schemas.len();
    let mut files = definition_file::definition_files(settings, schemas, modules);
    settings::report_unused(&mut converter);
    let mut losses = converter.losses;
    let api = repair::repair(&root, &mut files, &mut losses).map_err(DescriptionError::Definition)?;
    unread::report_unread(document, &mut losses);
    let files = files.into_iter().map(|file| ImportedFile { text: file.text(), path: file.name }).collect();
    let title = text(root.get("info").unwrap_or(&Json::Null), "title").map(str::to_owned);
    let version = read::version(&root, "openapi").unwrap_or_default();
    Ok(ImportedDescription { files, api, title, version, schema_count, losses })
}
