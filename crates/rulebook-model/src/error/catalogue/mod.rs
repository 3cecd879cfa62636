//! Catalogues of error messages, and the formatting of a message with its data.
//!
//! A catalogue contains the error messages of one language. It is a JSON file with a title for each [`ErrorCode`], and
//! a message for each [`MessageId`] and for each error without data. `{name}` in a message is a placeholder for data.
//! Each file is parsed once. This Rust module must not depend on the errors from which the data comes.

mod message_ids;
mod parse;

use std::fmt::{self, Display};
use std::sync::LazyLock;

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

pub use message_ids::{MESSAGES, MessageId, MessageRow};
pub use parse::CatalogueError;

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
    /// Returns the content of the catalogue's JSON file.
    #[doc(hidden)]
    #[must_use]
    pub fn json_text(self) -> &'static str {
        match self {
            Self::PhalApi1 => include_str!("1.x.json"),
            Self::PhalApi2 => include_str!("2.x.json"),
            Self::PhalApi2Chinese => include_str!("zh.json"),
        }
    }

    /// Returns the parsed catalogue.
    #[doc(hidden)]
    #[must_use]
    pub fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::PhalApi1 => &PHALAPI_1_CATALOGUE,
            Self::PhalApi2 => &PHALAPI_2_CATALOGUE,
            Self::PhalApi2Chinese => &PHALAPI_2_CHINESE_CATALOGUE,
        }
    }
}

/// The error messages of one language.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The titles of the error codes, indexed by [`ErrorCode`].
    titles: Box<[Box<str>]>,
    /// The messages of errors without data, indexed by [`ErrorCode`]; `None` for codes whose errors have data.
    fixed_messages: Box<[Option<Box<str>>]>,
    /// The other messages, indexed by [`MessageId`]; `None` for an optional message that the catalogue omits.
    templates: Box<[Option<MessageTemplate>]>,
}

/// A message, split at its placeholders.
#[derive(Debug, Clone, Default)]
struct MessageTemplate(Box<[MessageFragment]>);

/// A part of a message: fixed text or a placeholder.
#[derive(Debug, Clone)]
enum MessageFragment {
    /// Text without placeholders.
    Literal(Box<str>),
    /// The name of a placeholder, which is replaced by data.
    Placeholder(&'static str),
}

static ENGLISH_CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| parse_built_in(Catalogue::ENGLISH_JSON));
static PHALAPI_1_CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| parse_built_in(CatalogueName::PhalApi1.json_text()));
static PHALAPI_2_CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| parse_built_in(CatalogueName::PhalApi2.json_text()));
static PHALAPI_2_CHINESE_CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| parse_built_in(CatalogueName::PhalApi2Chinese.json_text()));

/// Parses a catalogue of this crate. Panics if the catalogue is invalid, which a test excludes.
fn parse_built_in(json_text: &str) -> Catalogue {
    Catalogue::parse(json_text).expect("a test parses the built-in catalogues")
}

impl Catalogue {
    /// The content of the JSON file of the English catalogue, which [`Catalogue::english`] returns.
    pub const ENGLISH_JSON: &str = include_str!("en.json");

    /// Returns the English catalogue, which all envelopes except `phalapi` use.
    #[must_use]
    pub fn english() -> &'static Self {
        &ENGLISH_CATALOGUE
    }

    /// Parses the JSON text of a catalogue: `{"titles": {code: title}, "texts": {key: message}}`.
    ///
    /// ```
    /// use rulebook_model::error::ErrorCode;
    /// use rulebook_model::error::catalogue::Catalogue;
    ///
    /// let json_text = Catalogue::ENGLISH_JSON.replace("unknown service", "nothing found");
    /// assert_eq!(Catalogue::parse(&json_text).unwrap().title(ErrorCode::UnknownService), "nothing found");
    /// ```
    ///
    /// # Errors
    /// Returns all errors in the file: unknown, missing or duplicate keys, and invalid placeholders.
    pub fn parse(json_text: &str) -> Result<Self, Vec<CatalogueError>> {
        parse::parse(json_text)
    }

    /// Returns the title of an error code.
    #[must_use]
    pub fn title(&self, code: ErrorCode) -> &str {
        &self.titles[code as usize]
    }

    /// Returns the message of an error code whose errors carry no data. For any other code, returns the title.
    #[must_use]
    pub fn fixed_message(&self, code: ErrorCode) -> &str {
        self.fixed_messages[code as usize].as_deref().unwrap_or_else(|| self.title(code))
    }

    /// Returns a message that has no placeholders.
    #[must_use]
    pub fn message_without_data(&self, id: MessageId) -> FormattedMessage<'_> {
        self.message(id, &[])
    }

    /// Returns `true` if the catalogue has the message. Only an [optional](MessageRow::is_optional) message can be
    /// missing.
    #[must_use]
    pub fn contains(&self, id: MessageId) -> bool {
        self.templates[id as usize].is_some()
    }

    /// Returns a message with its data. `data` has the name and the data of each placeholder, in the order of
    /// [`MessageRow::placeholders`]. The message is empty if the catalogue does not [contain](Self::contains) it.
    #[must_use]
    pub fn message<'m>(&'m self, id: MessageId, data: &'m [(&'static str, &'m dyn Display)]) -> FormattedMessage<'m> {
        debug_assert!(
            data.iter().map(|(name, _)| *name).eq(id.row().placeholders.iter().copied()),
            "the data of {id:?} is {:?}",
            id.row().placeholders
        );
        FormattedMessage { template: self.templates[id as usize].as_ref(), data }
    }
}

/// A message of a catalogue together with its data. [`Display`] writes the message with the data in it.
#[derive(Clone, Copy)]
pub struct FormattedMessage<'m> {
    template: Option<&'m MessageTemplate>,
    data: &'m [(&'static str, &'m dyn Display)],
}

impl Display for FormattedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fragment in self.template.iter().flat_map(|template| &template.0) {
            match fragment {
                MessageFragment::Literal(text) => f.write_str(text)?,
                MessageFragment::Placeholder(name) => {
                    if let Some((_, data)) = self.data.iter().find(|(data_name, _)| data_name == name) {
                        data.fmt(f)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FormattedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
