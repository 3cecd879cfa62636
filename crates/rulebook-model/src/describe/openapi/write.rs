//! Writes the OpenAPI document. It consists of the frame (the document without paths), the paths and the components.
//! Only one path at a time is in memory.

use std::cell::RefCell;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::openapi::{Components, OpenApi};

use super::headers;
use super::paths::Operations;
use super::responses::ResponseComponents;
use super::schemas::Schemas;
use crate::model::Api;

/// The member of the document that contains the paths.
const PATHS_MEMBER: &str = "paths";
/// The member of the document that contains the components. This member is written after the paths, because writing a
/// path adds the components to which the path refers.
const COMPONENTS_MEMBER: &str = "components";

/// The content from which the paths and the components of a document are generated.
pub(super) struct DocumentContents<'a> {
    pub(super) api: &'a Api,
    pub(super) operations: Operations<'a>,
    pub(super) schemas: Schemas,
    pub(super) responses: ResponseComponents,
}

/// Writes an OpenAPI document. `frame` contains the members of the document except the paths, and only those components
/// that operations do not add.
///
/// # Errors
/// Returns the errors of the serializer.
pub(super) fn write_document<S: Serializer>(
    frame: &OpenApi,
    contents: DocumentContents<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let members = serde_json::to_value(frame).map_err(S::Error::custom)?;
    let contents = RefCell::new(contents);
    let mut document = serializer.serialize_map(None)?;
    for (name, member) in members.as_object().into_iter().flatten() {
        document.serialize_key(name)?;
        match name.as_str() {
            PATHS_MEMBER => document.serialize_value(&LazyPaths(&contents))?,
            COMPONENTS_MEMBER => {
                let components = frame.components.clone().unwrap_or_default();
                let components = contents.borrow_mut().add_written_components(components).map_err(S::Error::custom)?;
                document.serialize_value(&components)?;
            }
            _ => document.serialize_value(member)?,
        }
    }
    document.end()
}

impl DocumentContents<'_> {
    /// Adds the components to which the written paths refer, and returns all components as JSON.
    fn add_written_components(&mut self, mut components: Components) -> serde_json::Result<Json> {
        components.headers = headers::header_components(self.api, &mut self.schemas);
        components.responses = self.responses.take_components();
        components.schemas = self.schemas.component_placeholders();
        let mut components = serde_json::to_value(components)?;
        self.schemas.fill_placeholders(&mut components);
        Ok(components)
    }
}

/// The paths of a document. Each path is generated while it is serialized. This value can be serialized only once.
struct LazyPaths<'r, 'a>(&'r RefCell<DocumentContents<'a>>);

impl Serialize for LazyPaths<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DocumentContents { operations, schemas, responses, .. } = &mut *self.0.borrow_mut();
        let mut map = serializer.serialize_map(None)?;
        for (path, at_path) in operations.paths() {
            let mut item =
                serde_json::to_value(operations.path_item(at_path, schemas, responses)).map_err(S::Error::custom)?;
            schemas.fill_placeholders(&mut item);
            map.serialize_entry(path, &item)?;
        }
        map.end()
    }
}
