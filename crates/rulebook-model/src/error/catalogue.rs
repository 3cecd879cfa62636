//! The texts of errors, in the languages of the file `messages.json`.
//!
//! For each error code, `errors` has a title, and a message if its errors have no data. `messages` has all other texts
//! by their keys, in which `{name}` is replaced by data. This Rust module must not depend on the errors with the data.

use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::ErrorCode;

/// The names of the catalogues that a definition can choose for the envelope `phalapi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum CatalogueName {
    /// `1.x`: the messages in the documentation of PhalApi 1.
    #[default]
    #[strum(serialize = "1.x")]
    PhalApi1,
    /// `2.x`: the messages of PhalApi 2 in English.
    #[strum(serialize = "2.x")]
    PhalApi2,
    /// `zh`: the messages of PhalApi 2 in Chinese.
    #[strum(serialize = "zh")]
    PhalApi2Chinese,
}

impl CatalogueName {
    pub(crate) fn catalogue(self) -> Catalogue {
        match self {
            Self::PhalApi1 => Catalogue(&["1.x", "en"]),
            Self::PhalApi2 => Catalogue(&["2.x", "1.x", "en"]),
            Self::PhalApi2Chinese => Catalogue(&["zh"]),
        }
    }
}

/// The texts of one language: the keys of the language in `messages.json`, of which the first that a text has is used.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue(&'static [&'static str]);

/// A text by language.
type Translations = HashMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    errors: HashMap<String, ErrorTexts>,
    messages: HashMap<String, Translations>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorTexts {
    title: Translations,
    message: Option<Translations>,
}

static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| serde_json::from_str(include_str!("messages.json")).expect("a test reads the file"));

impl Catalogue {
    /// The English texts, which all envelopes except `phalapi` use.
    pub const ENGLISH: Self = Self(&["en"]);

    fn choose(self, texts: &Translations) -> Option<&str> {
        self.0.iter().find_map(|language| texts.get(*language)).map(String::as_str)
    }

    /// Returns the title of an error code.
    #[must_use]
    pub fn title(self, code: ErrorCode) -> &'static str {
        TEXTS.errors.get(code.row().name).and_then(|texts| self.choose(&texts.title)).unwrap_or_default()
    }

    /// Returns the message of errors with this code that carry no data: the title of the code if it has no message.
    pub(crate) fn message_of_code(self, code: ErrorCode) -> &'static str {
        let texts = TEXTS.errors.get(code.row().name).and_then(|texts| texts.message.as_ref());
        texts.and_then(|texts| self.choose(texts)).unwrap_or_else(|| self.title(code))
    }

    /// Returns the text with this key; `None` if the language does not have it. Only messages in the style of PhalApi
    /// are missing in English.
    #[must_use]
    pub fn find(self, key: &str) -> Option<&'static str> {
        TEXTS.messages.get(key).and_then(|texts| self.choose(texts))
    }

    /// Returns the text with this key, which has no data.
    #[must_use]
    pub fn text(self, key: &str) -> &'static str {
        debug_assert!(TEXTS.messages.contains_key(key), "{key}");
        self.find(key).unwrap_or_default()
    }

    /// Returns the text with this key, in which `data` replaces the placeholders with the same names.
    pub(crate) fn message(self, key: &str, data: &[(&str, &dyn Display)]) -> String {
        let mut message = String::new();
        let mut rest = self.text(key);
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            message.push_str(before);
            match data.iter().find(|(known, _)| *known == name) {
                // Writing to a `String` never fails.
                Some((_, value)) => drop(write!(message, "{value}")),
                None => drop(write!(message, "{{{name}}}")),
            }
            rest = after;
        }
        message + rest
    }
}
