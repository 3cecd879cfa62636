//! Writes the document from its frame, paths and components. Only one path at a time is in memory.

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
const PATHS: &str = "paths";
/// The member of the document that contains the components. It is written after the paths, because writing a path adds
/// the components that it refers to.
const COMPONENTS: &str = "components";

/// The sources of the paths and components of a document.
pub(super) struct Contents<'a> {
    pub(super) api: &'a Api,
    pub(super) operations: Operations<'a>,
    pub(super) schemas: Schemas,
    pub(super) responses: ResponseComponents,
}

/// Writes a document. The frame contains no paths, and only the components that operations do not add.
///
/// # Errors
/// Returns the errors of the serializer.
pub(super) fn write<S: Serializer>(frame: &OpenApi, contents: Contents<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let members = serde_json::to_value(frame).map_err(S::Error::custom)?;
    let contents = RefCell::new(contents);
    let mut document = serializer.serialize_map(None)?;
    for (name, member) in members.as_object().into_iter().flatten() {
        document.serialize_key(name)?;
        match name.as_str() {
            PATHS => document.serialize_value(&Paths(&contents))?,
            COMPONENTS => {
                let components = frame.components.clone().unwrap_or_default();
                let components = contents.borrow_mut().components(components).map_err(S::Error::custom)?;
                document.serialize_value(&components)?;
            }
            _ => document.serialize_value(member)?,
        }
    }
    document.end()
}

impl Contents<'_> {
    /// Adds the components that the written paths refer to.
    fn components(&mut self, mut components: Components) -> serde_json::Result<Json> {
        components.headers = headers::components(self.api, &mut self.schemas);
        components.responses = self.responses.take_components();
        components.schemas = self.schemas.components();
        let mut components = serde_json::to_value(components)?;
        self.schemas.fill_placeholders(&mut components);
        Ok(components)
    }
}

/// The paths of a document, which are generated while they are serialized. They can be serialized only once.
struct Paths<'r, 'a>(&'r RefCell<Contents<'a>>);

impl Serialize for Paths<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Contents { operations, schemas, responses, .. } = &mut *self.0.borrow_mut();
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
