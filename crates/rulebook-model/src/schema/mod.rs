//! JSON Schemas (2020-12) of the files of a definition, for completion and validation in editors.
//!
//! The schemas are generated from the parser's tables of keys and from the types of the settings, and this module must
//! not repeat what those contain. A schema accepts every file that the parser accepts. It rejects the invalid files
//! whose errors JSON Schema can describe, which excludes duplicate keys and contradictions between parts of a file.

mod constraints;
mod files;
pub(crate) mod pattern;
mod tables;

use serde_json::{Map, Value as Json, json};

pub(crate) use constraints::{envelopes, one_of, range};

use tables::Tables;

/// The kinds of files that there are schemas for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// Any file of a definition. The schema detects the dialect by the same rules as the parser.
    AnyFile,
    /// `app.json`, also with a whole API in it.
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
/// In one case the schema is stricter than the parser: the parser does not check the types and fields of rules in the
/// dialect `rules` that no method uses.
///
/// ```
/// use rulebook_model::schema::{SchemaKind, schema};
///
/// let schema = schema(SchemaKind::Settings);
/// assert_eq!(schema["title"], "The settings of an API");
/// ```
#[must_use]
pub fn schema(kind: SchemaKind) -> Json {
    let mut tables = Tables::default();
    let (title, body) = match kind {
        SchemaKind::AnyFile => ("A definition file", files::any(&mut tables)),
        SchemaKind::Settings => ("The settings of an API", files::settings(&mut tables)),
        SchemaKind::Tree => ("A module in the dialect `tree`", files::tree(&mut tables)),
        SchemaKind::Methods => ("Modules in the dialect `methods`", files::methods(&mut tables)),
        SchemaKind::Rules => ("ServicesByClass in the dialect `rules`", files::rules(&mut tables)),
    };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(body);
    schema.insert("$defs".to_owned(), Json::Object(tables.definitions()));
    Json::Object(schema)
}
