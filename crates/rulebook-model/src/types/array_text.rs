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
    ///
    /// # Errors
    /// Fails if an attribute is invalid, or if one requires another.
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

/// Splits `text` at `separator`, and removes the blanks around the items if `trims_items` is `true`. Returns `None` if
/// there are too many items.
pub(super) fn split_items<'a>(text: &Cow<'a, str>, separator: &str, trims_items: bool) -> Option<Vec<Cow<'a, str>>> {
    let items = split_at_separator(text, separator)?;
    Some(if trims_items { items.into_iter().map(trim_blanks).collect() } else { items })
}

/// Splits `text` at `separator`. An empty text has no parts. Returns `None` if there are more than
/// [`any::MAX_DECODED_ITEMS`] parts.
fn split_at_separator<'a>(text: &Cow<'a, str>, separator: &str) -> Option<Vec<Cow<'a, str>>> {
    let limit = any::MAX_DECODED_ITEMS as usize;
    let parts: Vec<_> = match text {
        Cow::Borrowed("") => Vec::new(),
        Cow::Borrowed(text) => text.split(separator).take(limit + 1).map(Cow::Borrowed).collect(),
        Cow::Owned(text) if text.is_empty() => Vec::new(),
        Cow::Owned(text) => {
            let parts = text.split(separator).take(limit + 1);
            parts.map(|part| Cow::Owned(part.to_owned())).collect()
        }
    };
    (parts.len() <= limit).then_some(parts)
}

/// Removes the spaces and tabs at both ends of an item.
fn trim_blanks(item: Cow<'_, str>) -> Cow<'_, str> {
    const BLANKS: [char; 2] = [' ', '\t'];
    match item {
        Cow::Borrowed(item) => Cow::Borrowed(item.trim_matches(BLANKS)),
        Cow::Owned(item) => Cow::Owned(item.trim_matches(BLANKS).to_owned()),
    }
}
