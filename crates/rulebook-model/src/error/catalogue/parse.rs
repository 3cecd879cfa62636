//! Parses the JSON file of a catalogue into message templates.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use thiserror::Error;

use super::{Catalogue, MESSAGES, MessageFragment, MessageRow, MessageTemplate};
use crate::error::codes;

/// An error in the JSON file of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// The file is not JSON, or does not have the required structure. The text is the message of the JSON parser.
    #[error("the catalogue cannot be parsed: {0}")]
    Syntax(String),
    /// The file has a key that is neither the name of an error code nor the key of a message.
    #[error("`{0}` is not a key of a catalogue")]
    UnknownKey(String),
    /// The file has the same key twice.
    #[error("`{0}` occurs twice")]
    DuplicateKey(String),
    /// The file lacks the key of a required message.
    #[error("`{0}` is missing")]
    MissingKey(&'static str),
    /// A message has a placeholder for which there is no data.
    #[error("`{key}` has no placeholder `{name}`")]
    UnknownPlaceholder {
        /// The key of the message.
        key: &'static str,
        /// The name of the placeholder: the text between the braces.
        name: String,
    },
    /// A brace in the message of this key is not part of a pair.
    #[error("a brace in `{0}` is not paired")]
    UnpairedBrace(&'static str),
}

/// The content of a catalogue's JSON file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    /// The titles, by the names of error codes.
    titles: KeysAndTexts,
    /// The messages, by their keys.
    texts: KeysAndTexts,
}

/// The members of a JSON object in the order of the file, including members with the same key.
struct KeysAndTexts(Vec<(String, String)>);

/// Parses the content of a catalogue's JSON file. Returns all errors in it.
pub(super) fn parse(json_text: &str) -> Result<Catalogue, Vec<CatalogueError>> {
    let CatalogueFile { titles, texts } =
        serde_json::from_str(json_text).map_err(|error| vec![CatalogueError::Syntax(error.to_string())])?;
    let mut errors = Vec::new();
    let titles = order_by_keys(titles, codes::ERROR_CODES.iter().map(|row| (row.name, false)), &mut errors);
    let fixed_message_codes = || codes::ERROR_CODES.iter().filter(|row| row.has_fixed_message);
    let keys = MESSAGES.iter().map(|row| (row.key, row.is_optional));
    let keys = keys.chain(fixed_message_codes().map(|row| (row.name, false)));
    let mut texts = order_by_keys(texts, keys, &mut errors);
    let mut fixed_messages = vec![None; codes::ERROR_CODES.len()];
    for (row, text) in fixed_message_codes().zip(texts.split_off(MESSAGES.len())) {
        errors.extend(text.as_deref().and_then(|text| parse_message(row.name, &[], text).err()));
        fixed_messages[row.code as usize] = text.map(String::into_boxed_str);
    }
    let template = |(row, text): (&MessageRow, Option<String>)| {
        parse_message(row.key, row.placeholders, &text?).map_err(|error| errors.push(error)).ok()
    };
    let templates = MESSAGES.iter().zip(texts).map(template).collect();
    if errors.is_empty() {
        let titles = titles.into_iter().map(|title| title.unwrap_or_default().into()).collect();
        Ok(Catalogue { titles, fixed_messages: fixed_messages.into(), templates })
    } else {
        Err(errors)
    }
}

/// Returns the texts of the members in the order of `keys`, and `None` for a missing key. The `bool` beside a key is
/// `true` if the key is optional.
fn order_by_keys(
    members: KeysAndTexts,
    keys: impl Iterator<Item = (&'static str, bool)>,
    errors: &mut Vec<CatalogueError>,
) -> Vec<Option<String>> {
    let mut remaining = members.0;
    let texts = keys.map(|(key, is_optional)| {
        let matching: Vec<_> =
            remaining.extract_if(.., |(member_key, _)| member_key == key).map(|(_, text)| text).collect();
        match matching.len() {
            0 if is_optional => {}
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

/// Splits a message at its placeholders. `placeholders` are the names of the placeholders that are allowed.
fn parse_message(
    key: &'static str,
    placeholders: &'static [&'static str],
    text: &str,
) -> Result<MessageTemplate, CatalogueError> {
    let mut fragments = Vec::new();
    let literal = |text: &str| match text {
        "" => Ok(None),
        text if text.contains('}') => Err(CatalogueError::UnpairedBrace(key)),
        text => Ok(Some(MessageFragment::Literal(text.into()))),
    };
    let mut remaining = text;
    while let Some((before, after)) = remaining.split_once('{') {
        fragments.extend(literal(before)?);
        let (name, after) = after.split_once('}').ok_or(CatalogueError::UnpairedBrace(key))?;
        let placeholder = placeholders.iter().find(|placeholder| **placeholder == name);
        let placeholder =
            placeholder.ok_or_else(|| CatalogueError::UnknownPlaceholder { key, name: name.to_owned() })?;
        fragments.push(MessageFragment::Placeholder(placeholder));
        remaining = after;
    }
    fragments.extend(literal(remaining)?);
    Ok(MessageTemplate(fragments.into()))
}

impl<'de> Deserialize<'de> for KeysAndTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysAndTextsVisitor;

        impl<'de> Visitor<'de> for KeysAndTextsVisitor {
            type Value = KeysAndTexts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<KeysAndTexts, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(KeysAndTexts(members))
            }
        }

        deserializer.deserialize_map(KeysAndTextsVisitor)
    }
}
