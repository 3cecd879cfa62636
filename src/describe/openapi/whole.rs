//! The document from its frame, its paths and their schemas, of which only one path at a time is a JSON tree.

use std::cell::RefCell;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{OpenApi, Paths};

use super::schemas::Schemas;

/// The member of the frame that the paths are.
const PATHS: &str = "paths";

/// Writes a document whose frame has no paths yet.
///
/// # Errors
/// Those of the serializer.
pub(super) fn write<S: Serializer>(
    frame: OpenApi,
    paths: Paths,
    mut schemas: Schemas,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut frame = serde_json::to_value(frame).map_err(S::Error::custom)?;
    schemas.fill(&mut frame);
    let mut document = serializer.serialize_map(None)?;
    let mut pieces = Some(Pieces(RefCell::new((paths.paths.into_iter(), schemas))));
    for (name, member) in frame.as_object().into_iter().flatten() {
        document.serialize_key(name)?;
        match if name == PATHS { pieces.take() } else { None } {
            Some(pieces) => document.serialize_value(&pieces)?,
            None => document.serialize_value(member)?,
        }
    }
    document.end()
}

/// Paths that are dropped as they are written, with the schemas that belong into them: to be written once.
struct Pieces<P>(RefCell<(P, Schemas)>);

impl<P: Iterator<Item = (String, PathItem)>> Serialize for Pieces<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (paths, schemas) = &mut *self.0.borrow_mut();
        let mut map = serializer.serialize_map(None)?;
        for (path, item) in paths {
            let mut item: Json = serde_json::to_value(item).map_err(S::Error::custom)?;
            schemas.fill(&mut item);
            map.serialize_entry(&path, &item)?;
        }
        map.end()
    }
}
