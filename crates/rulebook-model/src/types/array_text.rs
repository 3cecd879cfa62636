//! How the text of a parameter becomes the items of an array.

use std::borrow::Cow;

use super::any;
use super::{ArgumentError, TypeArguments};

/// The conversion of a parameter's text to an array if the text does not begin like a JSON array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TextDecoding {
    /// The text becomes the only item of the array (the definition has no `format`).
    SingleItem,
    /// The text is split at a separator (`"format": "explode"` or `"format": "list"`).
    Split {
        separator: String,
        /// `true` if blanks around the items are removed (`"format": "list"`).
        trims_items: bool,
    },
    /// The text is not converted, because it must be JSON (`"format": "json"`).
    Json,
}

impl TextDecoding {
    /// Reads the attributes `format` and `separator`.
    pub(super) fn from_arguments(arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        let separator = arguments.text("separator")?;
        match (arguments.text("format")?, separator) {
            (None, None) => Ok(Self::SingleItem),
            (Some("json"), None) => Ok(Self::Json),
            (Some("explode" | "list"), Some("")) => Err(arguments.error("`separator` is empty").at("separator")),
            (Some(format @ ("explode" | "list")), separator) => {
                Ok(Self::Split { separator: separator.unwrap_or(",").to_owned(), trims_items: format == "list" })
            }
            (None | Some("json"), Some(_)) => Err(arguments
                .error("`separator` requires the format `explode` or `list`")
                .at("separator")
                .help("add `\"format\": \"explode\"`")),
            (Some(_), _) => Err(arguments
                .error("the `format` of an array must be `explode`, `list` or `json`")
                .at("format")
                .help("remove `format` to treat a single text as the only item")),
        }
    }
}

/// Splits `text` at `separator`, and removes the blanks around the items if `trims_items` is `true`. An empty text has
/// no items. Returns `None` if there are more than [`any::MAX_DECODED_ITEMS`] items.
pub(super) fn split_items<'a>(text: &Cow<'a, str>, separator: &str, trims_items: bool) -> Option<Vec<Cow<'a, str>>> {
    match text {
        Cow::Borrowed(text) => split(text, separator, trims_items, Cow::Borrowed),
        Cow::Owned(text) => split(text, separator, trims_items, |item| Cow::Owned(item.to_owned())),
    }
}

fn split<'t, T>(text: &'t str, separator: &str, trims_items: bool, convert: fn(&'t str) -> T) -> Option<Vec<T>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let trim = |item: &'t str| if trims_items { item.trim_matches([' ', '\t']) } else { item };
    let limit = any::MAX_DECODED_ITEMS as usize;
    let items: Vec<T> = text.split(separator).take(limit + 1).map(|item| convert(trim(item))).collect();
    (items.len() <= limit).then_some(items)
}
