//! JSON Schemas (2020-12) of definition files, with which editors complete and validate these files.
//!
//! The schemas are generated from the parser's tables of keys and from the types of the settings, so that no key is
//! described twice. A schema accepts every file that the parser accepts. It rejects invalid files as far as JSON Schema
//! can describe their errors: it cannot describe duplicate keys and contradictions between parts of a file.

mod constraints;
mod files;
pub(crate) mod pattern;
mod table_schemas;

use serde_json::{Map, Value as Json, json};

pub(crate) use constraints::{Word, envelope_examples, range_constraint, words_constraint};

use constraints::CONSTRAINTS_SUBJECT;
use table_schemas::SchemaTables;

/// The kinds of definition files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// Any file of a definition. The schema detects the dialect (the notation) of the file by the same rules as the
    /// parser.
    AnyFile,
    /// `app.json`, which may contain a whole API.
    Settings,
    /// A file in the dialect `tree`.
    Tree,
    /// A file in the dialect `methods`.
    Methods,
    /// A file in the dialect `rules`.
    Rules,
}

/// Returns the JSON Schema of a kind of definition file.
///
/// The schema is stricter than the parser in one case: the parser does not check the types and fields of common
/// parameters in the dialect `rules` if no method inherits them.
///
/// ```
/// use rulebook_model::schema::{SchemaKind, schema};
///
/// let schema = schema(SchemaKind::Settings);
/// assert_eq!(schema["title"], "The settings of an API");
/// ```
#[must_use]
pub fn schema(kind: SchemaKind) -> Json {
    let mut tables = SchemaTables::default();
    tables.add_schema(CONSTRAINTS_SUBJECT, constraints::constraints_schema());
    let (title, body) = match kind {
        SchemaKind::AnyFile => ("A definition file", files::any_file_schema(&mut tables)),
        SchemaKind::Settings => ("The settings of an API", files::settings_file_schema(&mut tables)),
        SchemaKind::Tree => ("A module in the dialect `tree`", files::tree_file_schema(&mut tables)),
        SchemaKind::Methods => ("Modules in the dialect `methods`", files::methods_file_schema(&mut tables)),
        SchemaKind::Rules => ("Classes in the dialect `rules`", files::rules_file_schema(&mut tables)),
    };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(body);
    schema.insert("$defs".to_owned(), Json::Object(tables.into_definitions()));
    Json::Object(schema)
}
