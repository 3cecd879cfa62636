//! How the items of a list are written in one text of a request: the formats `explode` and `list` of arrays.

use serde_json::Value as Json;

use crate::model::{Location, Parameter, ParameterType};
use crate::types::Arity;

/// The format of the items of a list in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListFormat<'a> {
    /// The text between two items.
    pub(super) separator: &'a str,
    /// `true` if blanks around the items are removed.
    pub(super) trims_items: bool,
}

impl<'a> ListFormat<'a> {
    /// Returns the format of the lists of a type. Returns `None` if a text contains only one item, or is JSON.
    pub(super) fn of_type(r#type: &'a ParameterType) -> Option<Self> {
        let attribute = |name: &str| r#type.written.attributes.get(name).and_then(Json::as_str);
        let trims_items = match attribute("format") {
            Some("explode") => false,
            Some("list") => true,
            _ => return None,
        };
        let is_list = r#type.check.arity() == Arity::Many;
        is_list.then(|| Self { separator: attribute("separator").unwrap_or(","), trims_items })
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

/// Describes how the items of a parameter are written in one text, for the description of its values: "in a form, the
/// items are separated by commas". Returns `None` if the parameter has no such format.
pub(super) fn describe_list_format(parameter: &Parameter) -> Option<String> {
    let format = ListFormat::of_type(&parameter.r#type)?;
    // In a JSON body, the list is a JSON array.
    let place = match parameter.from {
        Location::Body => "in a form, ",
        Location::Any => "in the query or a form, ",
        Location::Path | Location::Position(_) | Location::Query | Location::Header | Location::Cookie => "",
    };
    let separator = format.separator_in_words(|text| Json::from(text).to_string());
    let blanks = if format.trims_items { ", and blanks around them are removed" } else { "" };
    Some(format!("{place}the items are separated by {separator}{blanks}"))
}
