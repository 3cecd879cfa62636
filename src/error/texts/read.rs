//! From a catalogue's file to its texts in pieces.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Catalogue, Piece, TABLE, Template};
use crate::error::codes;

/// What is wrong with a catalogue's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is no JSON of this shape.
    Syntax(String),
    /// A key that no code and no text has.
    Unknown(String),
    /// A key that stands twice.
    Twice(String),
    /// A key that is not there.
    Missing(&'static str),
    /// A place without data of its name.
    Place {
        /// The text's key.
        key: &'static str,
        /// What stands between the braces.
        name: String,
    },
    /// A brace that is not one of a pair.
    Brace(&'static str),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(why) => write!(f, "the catalogue cannot be read: {why}"),
            Self::Unknown(key) => write!(f, "`{key}` is no key of a catalogue"),
            Self::Twice(key) => write!(f, "`{key}` stands twice"),
            Self::Missing(key) => write!(f, "`{key}` is missing"),
            Self::Place { key, name } => write!(f, "`{key}` has no data `{name}`"),
            Self::Brace(key) => write!(f, "a brace of `{key}` has no other one"),
        }
    }
}

/// A catalogue's file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    titles: Entries,
    texts: Entries,
}

/// The members of an object, also those that stand twice.
struct Entries(Vec<(String, String)>);

pub(super) fn read(file: &str) -> Result<Catalogue, Vec<Flaw>> {
    let File { titles, texts } = serde_json::from_str(file).map_err(|error| vec![Flaw::Syntax(error.to_string())])?;
    let mut flaws = Vec::new();
    let titles = by_key(titles, codes::TABLE.iter().map(|row| (row.name, false)), &mut flaws);
    let texts = by_key(texts, TABLE.iter().map(|row| (row.key, row.optional)), &mut flaws);
    let template = |(row, words): (&super::Row, Option<String>)| {
        pieces(row.key, row.places, &words?).map_err(|flaw| flaws.push(flaw)).ok()
    };
    let templates = TABLE.iter().zip(texts).map(template).collect();
    if flaws.is_empty() {
        Ok(Catalogue { titles: titles.into_iter().map(|title| title.unwrap_or_default().into()).collect(), templates })
    } else {
        Err(flaws)
    }
}

/// The words of each key, in the order of the keys, of which each is told whether it may be missing.
fn by_key(
    entries: Entries,
    keys: impl Iterator<Item = (&'static str, bool)>,
    flaws: &mut Vec<Flaw>,
) -> Vec<Option<String>> {
    let mut left = entries.0;
    let words = keys.map(|(key, optional)| {
        let own: Vec<_> = left.extract_if(.., |(other, _)| other == key).map(|(_, words)| words).collect();
        match own.len() {
            0 if optional => {}
            0 => flaws.push(Flaw::Missing(key)),
            1 => {}
            _ => flaws.push(Flaw::Twice(key.to_owned())),
        }
        own.into_iter().next()
    });
    let words = words.collect();
    flaws.extend(left.into_iter().map(|(key, _)| Flaw::Unknown(key)));
    words
}

/// A text, taken apart at its places.
fn pieces(key: &'static str, places: &'static [&'static str], words: &str) -> Result<Template, Flaw> {
    let mut pieces = Vec::new();
    let literal = |words: &str| match words {
        "" => Ok(None),
        words if words.contains('}') => Err(Flaw::Brace(key)),
        words => Ok(Some(Piece::Literal(words.into()))),
    };
    let mut rest = words;
    while let Some((before, behind)) = rest.split_once('{') {
        pieces.extend(literal(before)?);
        let (name, behind) = behind.split_once('}').ok_or(Flaw::Brace(key))?;
        let place = places.iter().find(|place| **place == name);
        let place = place.ok_or_else(|| Flaw::Place { key, name: name.to_owned() })?;
        pieces.push(Piece::Place(place));
        rest = behind;
    }
    pieces.extend(literal(rest)?);
    Ok(Template(pieces.into()))
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by their keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
