//! How the items of a list are written in one text of a request: the formats `explode` and `list` of arrays.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::model::{Location, Parameter};
use crate::types::{Arity, Check, NamedSchema, SCHEMA_REFERENCE_PREFIX};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListFormat<'a> {
    /// The text between two items.
    pub(super) separator: &'a str,
    /// `true` if blanks around the items are removed.
    pub(super) trims_items: bool,
}

impl<'a> ListFormat<'a> {
    /// Returns the format of the lists of a type with these attributes. Returns `None` if a text contains only one
    /// item, or is JSON.
    pub(super) fn from_attributes(attributes: &'a Map<String, Json>) -> Option<Self> {
        let attribute = |name: &str| attributes.get(name).and_then(Json::as_str);
        let trims_items = match attribute("format") {
            Some("explode") => false,
            Some("list") => true,
            _ => return None,
        };
        Some(Self { separator: attribute("separator").unwrap_or(","), trims_items })
    }

    /// Returns the name of the separator in a sentence: "commas", or the separator itself in code.
    pub(super) fn separator_in_words(self, code: impl Fn(&str) -> String) -> String {
        match self.separator {
            "," => "commas".to_owned(),
            " " => "spaces".to_owned(),
            other => code(other),
        }
    }
}

/// Returns the attributes of a type. If the type is the name of a schema, these are the attributes of the schema's
/// type.
pub(super) fn type_attributes(check: &dyn Check) -> Map<String, Json> {
    let mut schema = schema_of_reference(check);
    while let Some(next) = schema.as_ref().and_then(|schema| schema_of_reference(&*schema.check)) {
        schema = Some(next);
    }
    schema.map_or_else(|| check.type_expr(), |schema| schema.check.type_expr()).attributes
}

/// Returns the schema whose name a type is.
fn schema_of_reference(check: &dyn Check) -> Option<Arc<NamedSchema>> {
    let referenced = check.referenced_schemas();
    let reference = (!referenced.is_empty()).then(|| check.schema())?;
    let key = reference.get("$ref")?.as_str()?.strip_prefix(SCHEMA_REFERENCE_PREFIX)?;
    referenced.into_iter().find(|schema| schema.key() == key)
}

/// Describes how the items of a parameter are written in one text, for the description of its values: "in a form, the
/// items are separated by commas". Returns `None` if the parameter has no such format.
pub(super) fn describe_list_format(parameter: &Parameter) -> Option<String> {
    let check = &*parameter.r#type.check;
    let attributes = (check.arity() == Arity::Many).then(|| type_attributes(check))?;
    let format = ListFormat::from_attributes(&attributes)?;
    // In a JSON body, the list is a JSON array.
    let place = match parameter.from {
        Location::Body => "in a form, ",
        Location::Any => "in the query or a form, ",
        Location::Path | Location::Position(_) | Location::Query | Location::Header | Location::Cookie => "",
        Location::WholeBody => return None,
    };
    let separator = format.separator_in_words(|text| Json::from(text).to_string());
    let blanks = if format.trims_items { ", and blanks around them are removed" } else { "" };
    Some(format!("{place}the items are separated by {separator}{blanks}"))
}
