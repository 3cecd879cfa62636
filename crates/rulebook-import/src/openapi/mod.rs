//! Converts an OpenAPI description to a definition.
//!
//! `document` parses the description, `schema` converts its schemas, `operation` its operations and `settings` the
//! rest. Everything that the definition cannot express is added to the `losses`. `repair` then checks the definition,
//! and `losses` reports everything that no code has read.

mod document;
mod losses;
mod operation;
mod repair;
mod schema;
mod settings;

use std::collections::{BTreeMap, HashSet};

use rulebook_model::diagnostic::Report;
use rulebook_model::model::{Api, LOCATION_PREFIXES, WHOLE_BODY_KEY};
use rulebook_model::types::{Type, Types};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::ImportedFile;
use document::{Document, Knowledge, text};
pub use losses::Losses;
use operation::Module;
use schema::{Converter, ORIGIN_KEY};

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
    let root = document::parse(name, bytes).map_err(DescriptionError::Unreadable)?;
    let knowledge = Knowledge::default();
    let document = Document { root: &root, knowledge: &knowledge };
    let mut converter = Converter::new(document);
    let settings = settings::convert_settings(&mut converter);
    settings::read_schemes(&mut converter);
    let modules = operation::convert_operations(&mut converter);
    let schemas = converter.convert_named_schemas();
    let schema_count = schemas.len();
    let mut files = definition_files(settings, schemas, modules);
    settings::report_unused(&mut converter);
    let mut losses = converter.losses;
    let api = repair::repair(&root, &mut files, &mut losses).map_err(DescriptionError::Definition)?;
    losses::report_unread(document, &mut losses);
    let files = files.into_iter().map(|file| ImportedFile { text: file.text(), path: file.name }).collect();
    let title = text(root.get("info").unwrap_or(&Json::Null), "title").map(str::to_owned);
    let version = document::version(&root, "openapi").unwrap_or_default();
    Ok(ImportedDescription { files, api, title, version, schema_count, losses })
}

/// The maximum size of a definition file, in bytes.
const MAX_FILE_BYTES: usize = 8 << 20;

#[derive(Debug)]
struct DefinitionFile {
    /// The name of the file in the folder.
    pub name: String,
    /// The content, with the places in the description.
    pub content: Json,
}

impl DefinitionFile {
    /// Returns the text of the file. It has line breaks, unless it would be too long to be read.
    fn text(&self) -> String {
        let content = without_origins(&self.content);
        let text = format!("{content:#}\n");
        if text.len() <= MAX_FILE_BYTES { text } else { format!("{content}\n") }
    }
}

fn definition_files(
    mut settings: Map<String, Json>,
    schemas: Map<String, Json>,
    modules: BTreeMap<String, Module>,
) -> Vec<DefinitionFile> {
    if !schemas.is_empty() {
        settings.insert("schemas".to_owned(), schemas.into());
    }
    let mut files = vec![DefinitionFile { name: "app.json".to_owned(), content: settings.into() }];
    for (name, module) in modules {
        let mut content = Map::from_iter([("info".to_owned(), Json::String(module.info))]);
        let mut below = Map::new();
        for (path, methods) in module.services {
            if path.is_empty() {
                content.extend(methods);
            } else {
                below.insert(path, methods.into());
            }
        }
        content.insert("/".to_owned(), below.into());
        files.push(DefinitionFile { name: format!("{name}.json"), content: content.into() });
    }
    files
}

fn without_origins(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let members = members.iter().filter(|(key, _)| *key != ORIGIN_KEY);
            members.map(|(key, member)| (key.clone(), without_origins(member))).collect::<Map<_, _>>().into()
        }
        Json::Array(items) => items.iter().map(without_origins).collect(),
        other => other.clone(),
    }
}

/// Returns the name that is equal to `name`, or has a number after it, and is not in `used`. Adds it to `used`.
fn unique_name(name: &str, used: &mut HashSet<String>) -> String {
    let numbered = (2_u64..).map(|number| format!("{name}_{number}"));
    // There are more numbers than names, so that one of the names is always unused.
    let unused = std::iter::once(name.to_owned()).chain(numbered).find(|name| !used.contains(name));
    let unused = unused.unwrap_or_default();
    used.insert(unused.clone());
    unused
}

/// Returns a name of a schema that is similar to `name`, before it is made unique.
fn schema_name(name: &str) -> String {
    let name = plain_name(name);
    if Types::builtin().iter().any(|known: &dyn Type| known.name() == name) { format!("{name}_schema") } else { name }
}

/// Returns a text in lower case in which `separator` replaces everything between words of letters and digits. Letters
/// beyond ASCII are kept.
fn slug(text: &str, separator: char) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        if char.is_alphanumeric() {
            slug.extend(char.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with(separator) {
            slug.push(separator);
        }
    }
    slug.trim_end_matches(separator).to_owned()
}

/// Returns the beginning of a text that has at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Returns the name of a capture, or of a schema, that is similar to `name`: ASCII letters, digits, `_` and `-`.
fn plain_name(name: &str) -> String {
    let is_valid = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let name: String = name.chars().map(|char| if is_valid(char) { char } else { '_' }).collect();
    let is_start = |char: char| char.is_ascii_alphabetic() || char == '_';
    if name.starts_with(is_start) { name } else { format!("_{name}") }
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char.is_control())
}

/// Returns `true` if the key of a parameter can be this name of a field in a body: it means nothing else, and the field
/// has no brackets, which mean members of an object in forms.
fn is_body_key(name: &str) -> bool {
    let has_prefix = LOCATION_PREFIXES.iter().map(|(prefix, _)| *prefix).chain(["URL#"]);
    let is_capture = name.starts_with('{') && name.ends_with('}');
    let has_other_meaning =
        name == WHOLE_BODY_KEY || is_capture || has_prefix.into_iter().any(|one| name.starts_with(one));
    !name.is_empty() && !has_other_meaning && !name.contains(['[', ']'])
}
