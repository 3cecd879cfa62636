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

/// The names of the catalogues that a definition can choose for the envelope `phalapi`. Each stands for the versions of
/// PhalApi from the one in its name to the next one, and for a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum CatalogueName {
    /// `1.x`: the messages in the documentation of PhalApi 1, which differ from those of the program.
    #[default]
    #[strum(serialize = "1.x")]
    PhalApi1,
    /// `1.1`: PhalApi 1.1 to 1.3 in English.
    #[strum(serialize = "1.1")]
    PhalApi1_1,
    /// `1.4`: PhalApi 1.4 in English.
    #[strum(serialize = "1.4")]
    PhalApi1_4,
    /// `2.0`: PhalApi 2.0 to 2.2 in English.
    #[strum(serialize = "2.0")]
    PhalApi2_0,
    /// `2.3`: PhalApi 2.3 to 2.16 in English.
    #[strum(serialize = "2.3")]
    PhalApi2_3,
    /// `2.x`: PhalApi 2.17 and later in English.
    #[strum(serialize = "2.x")]
    PhalApi2,
    /// `zh-1.1`: PhalApi 1.1 to 1.3 in Chinese.
    #[strum(serialize = "zh-1.1")]
    PhalApi1_1Chinese,
    /// `zh-1.4`: PhalApi 1.4 in Chinese.
    #[strum(serialize = "zh-1.4")]
    PhalApi1_4Chinese,
    /// `zh-2.0`: PhalApi 2.0 to 2.2 in Chinese.
    #[strum(serialize = "zh-2.0")]
    PhalApi2_0Chinese,
    /// `zh-2.3`: PhalApi 2.3 to 2.16 in Chinese.
    #[strum(serialize = "zh-2.3")]
    PhalApi2_3Chinese,
    /// `zh`: PhalApi 2.17 and later in Chinese.
    #[strum(serialize = "zh")]
    PhalApi2Chinese,
}

/// The versions of PhalApi that respond differently, apart from the texts of messages. Each stands for the versions
/// from this one to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhalapiVersion {
    /// The number of an error about an unknown service is 400, as for an invalid name.
    V1_1,
    /// The number of an error about an unknown service is 404.
    V1_4,
    /// The name of a service without a namespace gets the namespace `App`; before, there are no namespaces. `s` is
    /// short for `service`, as in the last version 1.4.2 of PhalApi 1.
    V2_0,
    /// `data` without content is `{}`; before, it is `[]`.
    V2_3,
    /// A service name that consists only of a class gets the method `Index`; before, it is invalid.
    V2_17,
}

impl CatalogueName {
    /// Returns the version of PhalApi, and the languages of its texts; see [`Catalogue`].
    fn row(self) -> (PhalapiVersion, &'static [&'static str]) {
        const ENGLISH: &[&str] = &["2.x", "1.x", "en"];
        const CHINESE: &[&str] = &["zh"];
        match self {
            Self::PhalApi1 => (PhalapiVersion::V1_4, &["1.x", "en"]),
            Self::PhalApi1_1 => (PhalapiVersion::V1_1, ENGLISH),
            Self::PhalApi1_4 => (PhalapiVersion::V1_4, ENGLISH),
            Self::PhalApi2_0 => (PhalapiVersion::V2_0, ENGLISH),
            Self::PhalApi2_3 => (PhalapiVersion::V2_3, ENGLISH),
            Self::PhalApi2 => (PhalapiVersion::V2_17, ENGLISH),
            Self::PhalApi1_1Chinese => (PhalapiVersion::V1_1, &["zh-1.1", "zh"]),
            Self::PhalApi1_4Chinese => (PhalapiVersion::V1_4, CHINESE),
            Self::PhalApi2_0Chinese => (PhalapiVersion::V2_0, CHINESE),
            Self::PhalApi2_3Chinese => (PhalapiVersion::V2_3, CHINESE),
            Self::PhalApi2Chinese => (PhalapiVersion::V2_17, CHINESE),
        }
    }

    pub(crate) fn catalogue(self) -> Catalogue {
        Catalogue(self.row().1)
    }

    /// Returns the first version of PhalApi whose responses the catalogue describes.
    #[must_use]
    #[doc(hidden)] // Programs do not need it.
    pub fn version(self) -> PhalapiVersion {
        self.row().0
    }
}

/// The texts of one language: the keys of the language in `messages.json`. If a text has several of them, the first one
/// is used.
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

    /// The titles of errors in the program aicra since version 0.4.3.
    pub(crate) const AICRA_STATUS: Self = Self(&["aicra-status", "en"]);

    fn choose(self, texts: &Translations) -> Option<&str> {
        self.0.iter().find_map(|language| texts.get(*language)).map(String::as_str)
    }

    /// Returns the title of an error code in the language itself; `None` if only another language has a title.
    pub(crate) fn title_without_fallback(self, code: ErrorCode) -> Option<&'static str> {
        let titles = TEXTS.errors.get(code.row().name).map(|texts| &texts.title);
        titles.and_then(|titles| titles.get(*self.0.first()?)).map(String::as_str)
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
