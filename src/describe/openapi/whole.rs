//! The document from its frame, its paths and its components, of which only one path at a time is there before it is
//! written.

use std::cell::RefCell;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::openapi::{Components, OpenApi};

use super::answers::{self, Answers};
use super::paths::Listing;
use super::schemas::Schemas;
use crate::model::Api;

/// The member of the frame that the paths are.
const PATHS: &str = "paths";
/// The member that holds what they refer to. It stands behind them, since they are made as they are written.
const COMPONENTS: &str = "components";

/// What the paths and the components of a document are made from.
pub(super) struct Rest<'a> {
    pub(super) api: &'a Api,
    pub(super) listing: Listing<'a>,
    pub(super) schemas: Schemas,
    pub(super) answers: Answers,
}

/// Writes a document whose frame has no paths yet, and of its components those alone that are of no operation.
///
/// # Errors
/// Those of the serializer.
pub(super) fn write<S: Serializer>(frame: &OpenApi, rest: Rest<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let members = serde_json::to_value(frame).map_err(S::Error::custom)?;
    let rest = RefCell::new(rest);
    let mut document = serializer.serialize_map(None)?;
    for (name, member) in members.as_object().into_iter().flatten() {
        document.serialize_key(name)?;
        match name.as_str() {
            PATHS => document.serialize_value(&Paths(&rest))?,
            COMPONENTS => {
                let own = frame.components.clone().unwrap_or_default();
                document.serialize_value(&rest.borrow_mut().components(own).map_err(S::Error::custom)?)?;
            }
            _ => document.serialize_value(member)?,
        }
    }
    document.end()
}

impl Rest<'_> {
    /// The components: what the paths that have been written refer to.
    fn components(&mut self, mut own: Components) -> serde_json::Result<Json> {
        own.headers = answers::headers(self.api, &mut self.schemas);
        own.responses = self.answers.components();
        own.schemas = self.schemas.components();
        let mut components = serde_json::to_value(own)?;
        self.schemas.fill(&mut components);
        Ok(components)
    }
}

/// Paths that are made as they are written: once.
struct Paths<'r, 'a>(&'r RefCell<Rest<'a>>);

impl Serialize for Paths<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rest { listing, schemas, answers, .. } = &mut *self.0.borrow_mut();
        let mut map = serializer.serialize_map(None)?;
        for (path, listed) in listing.paths() {
            let mut item = serde_json::to_value(listing.item(listed, schemas, answers)).map_err(S::Error::custom)?;
            schemas.fill(&mut item);
            map.serialize_entry(path, &item)?;
        }
        map.end()
    }
}
