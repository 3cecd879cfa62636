//! What may stand in the files of a definition, as JSON Schema 2020-12: editors complete and check by it.
//!
//! In charge of saying in a schema what the reader's tables of keys, the
//! vocabularies and the names of settings say. What the reader takes the schema
//! takes, and what the reader refuses and a schema can state it refuses; that a
//! key stands twice, or that two parts do not go together, it cannot. Must not
//! list what is listed elsewhere.

mod facts;
mod files;
mod pattern;
mod tables;

use serde_json::{Map, Value as Json, json};

use tables::Tables;

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Any file of a definition; its dialect is recognised as the reader does it.
    AnyFile,
    /// `app.json`, and a document that holds a whole API.
    Settings,
    /// A file of the dialect `tree`.
    Tree,
    /// A file of the dialect `methods`.
    Methods,
    /// A file of the dialect `rules`.
    Rules,
}

/// The schema of files of a definition.
///
/// Rules that no method has are the one thing that the reader takes without a look at their types and fields, and
/// this does not.
#[must_use]
pub fn schema(of: Of) -> Json {
    let mut tables = Tables::default();
    let (title, body) = match of {
        Of::AnyFile => ("A file of a definition", files::any(&mut tables)),
        Of::Settings => ("The settings of an API", files::settings(&mut tables)),
        Of::Tree => ("A module as a tree", files::tree(&mut tables)),
        Of::Methods => ("Modules of methods", files::methods(&mut tables)),
        Of::Rules => ("Classes and their rules", files::rules(&mut tables)),
    };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(body);
    schema.insert("$defs".to_owned(), Json::Object(tables.definitions()));
    Json::Object(schema)
}
