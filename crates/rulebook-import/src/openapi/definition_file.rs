//! The files of the definition.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::operation::Module;
use super::schema::ORIGIN_KEY;

/// The maximum size of a definition file, in bytes.
const MAX_FILE_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct DefinitionFile {
    /// The name of the file in the folder.
    pub name: String,
    /// The content, with the places in the description.
    pub content: Json,
}

impl DefinitionFile {
    /// Returns the text of the file. It has line breaks, unless it would be too long to be read.
    pub(super) fn text(&self) -> String {
        let content = without_origins(&self.content);
        let text = format!("{content:#}\n");
        if text.len() <= MAX_FILE_BYTES { text } else { format!("{content}\n") }
    }
}

/// Returns the files: `app.json`, and one for each module.
pub(super) fn definition_files(
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

/// Returns a value without the places in the description.
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
