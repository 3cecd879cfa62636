//! Parses the JSON file of a catalogue into message templates.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use thiserror::Error;

use super::{Catalogue, Fragment, MessageRow, MessageTemplate, TABLE};
use crate::error::codes;

/// An error in the file of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// The file is not JSON of the required structure; the text is the message of the JSON parser.
    #[error("the catalogue cannot be parsed: {0}")]
    Syntax(String),
    /// No error code and no message has this key.
    #[error("`{0}` is not a key of a catalogue")]
    UnknownKey(String),
    /// The key occurs twice.
    #[error("`{0}` occurs twice")]
    DuplicateKey(String),
    /// The key of a required message is missing.
    #[error("`{0}` is missing")]
    MissingKey(&'static str),
    /// A message has a placeholder that is unknown to it.
    #[error("`{key}` has no placeholder `{name}`")]
    UnknownPlaceholder {
        /// The key of the message.
        key: &'static str,
        /// The text between the braces.
        name: String,
    },
    /// A brace in the message of this key is not part of a pair.
    #[error("a brace in `{0}` is not paired")]
    UnpairedBrace(&'static str),
}

/// The JSON file of a catalogue.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    titles: Entries,
    texts: Entries,
}

/// The members of a JSON object in file order, including duplicates.
struct Entries(Vec<(String, String)>);

pub(super) fn read(file: &str) -> Result<Catalogue, Vec<CatalogueError>> {
    let CatalogueFile { titles, texts } =
        serde_json::from_str(file).map_err(|error| vec![CatalogueError::Syntax(error.to_string())])?;
    let mut errors = Vec::new();
    let titles = by_key(titles, codes::TABLE.iter().map(|row| (row.name, false)), &mut errors);
    let plain_codes = || codes::TABLE.iter().filter(|row| row.is_plain);
    let keys = TABLE.iter().map(|row| (row.key, row.optional)).chain(plain_codes().map(|row| (row.name, false)));
    let mut texts = by_key(texts, keys, &mut errors);
    let mut plain_errors = vec![None; codes::TABLE.len()];
    for (row, text) in plain_codes().zip(texts.split_off(TABLE.len())) {
        errors.extend(text.as_deref().and_then(|text| parse_message(row.name, &[], text).err()));
        plain_errors[row.code as usize] = text.map(String::into_boxed_str);
    }
    let template = |(row, text): (&MessageRow, Option<String>)| {
        parse_message(row.key, row.placeholders, &text?).map_err(|error| errors.push(error)).ok()
    };
    let templates = TABLE.iter().zip(texts).map(template).collect();
    if errors.is_empty() {
        let titles = titles.into_iter().map(|title| title.unwrap_or_default().into()).collect();
        Ok(Catalogue { titles, plain_errors: plain_errors.into(), templates })
    } else {
        Err(errors)
    }
}

/// Returns the texts of `entries` in the order of `keys`. The `bool` beside a key is `true` if the key is optional.
fn by_key(
    entries: Entries,
    keys: impl Iterator<Item = (&'static str, bool)>,
    errors: &mut Vec<CatalogueError>,
) -> Vec<Option<String>> {
    let mut remaining = entries.0;
    let texts = keys.map(|(key, optional)| {
        let matching: Vec<_> =
            remaining.extract_if(.., |(entry_key, _)| entry_key == key).map(|(_, text)| text).collect();
        match matching.len() {
            0 if optional => {}
            0 => errors.push(CatalogueError::MissingKey(key)),
            1 => {}
            _ => errors.push(CatalogueError::DuplicateKey(key.to_owned())),
        }
        matching.into_iter().next()
    });
    let texts = texts.collect();
    errors.extend(remaining.into_iter().map(|(key, _)| CatalogueError::UnknownKey(key)));
    texts
}

/// Splits a message at its placeholders.
fn parse_message(
    key: &'static str,
    placeholders: &'static [&'static str],
    text: &str,
) -> Result<MessageTemplate, CatalogueError> {
    let mut fragments = Vec::new();
    let literal = |text: &str| match text {
        "" => Ok(None),
        text if text.contains('}') => Err(CatalogueError::UnpairedBrace(key)),
        text => Ok(Some(Fragment::Literal(text.into()))),
    };
    let mut remaining = text;
    while let Some((before, after)) = remaining.split_once('{') {
        fragments.extend(literal(before)?);
        let (name, after) = after.split_once('}').ok_or(CatalogueError::UnpairedBrace(key))?;
        let placeholder = placeholders.iter().find(|placeholder| **placeholder == name);
        let placeholder =
            placeholder.ok_or_else(|| CatalogueError::UnknownPlaceholder { key, name: name.to_owned() })?;
        fragments.push(Fragment::Placeholder(placeholder));
        remaining = after;
    }
    fragments.extend(literal(remaining)?);
    Ok(MessageTemplate(fragments.into()))
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
