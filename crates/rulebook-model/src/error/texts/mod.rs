//! Catalogues of error messages, and the formatting of a message with its data.
//!
//! A catalogue is a JSON file with a title for each [`ErrorCode`], and a text for each [`MessageId`] and each error without
//! data. `{name}` in a text is a placeholder for data. A file is parsed once, into fragments that are written one after the other. This module
//! must not know where the data comes from.

mod message_ids;
mod read;

use std::fmt::{self, Display};
use std::sync::LazyLock;

pub use message_ids::{MessageId, MessageRow, TABLE};
pub use read::CatalogueError;

use super::ErrorCode;

/// The names of the catalogues that a definition can choose for the envelope `phalapi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CatalogueName {
    /// `1.x`: the messages in the documentation of PhalApi 1.
    #[default]
    PhalApi1,
    /// `2.x`: the messages of PhalApi 2 in English.
    PhalApi2,
    /// `zh`: the messages of PhalApi 2 in Chinese.
    PhalApi2Chinese,
}

impl CatalogueName {
    /// All catalogue names.
    pub const ALL: [Self; 3] = [Self::PhalApi1, Self::PhalApi2, Self::PhalApi2Chinese];

    /// Returns the name of the catalogue in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PhalApi1 => "1.x",
            Self::PhalApi2 => "2.x",
            Self::PhalApi2Chinese => "zh",
        }
    }

    /// Returns the JSON text of the catalogue.
    #[doc(hidden)]
    #[must_use]
    pub fn file(self) -> &'static str {
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
            Self::PhalApi1 => &PHALAPI_1,
            Self::PhalApi2 => &PHALAPI_2,
            Self::PhalApi2Chinese => &PHALAPI_2_CHINESE,
        }
    }
}

/// The error messages of one language.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The titles, indexed by [`ErrorCode`].
    titles: Box<[Box<str>]>,
    /// The messages of errors without data, indexed by [`ErrorCode`]; `None` for errors with data.
    plain_errors: Box<[Option<Box<str>>]>,
    /// The messages, indexed by [`MessageId`]; `None` for an optional message that the catalogue omits.
    templates: Box<[Option<MessageTemplate>]>,
}

/// A message, split at its placeholders.
#[derive(Debug, Clone, Default)]
struct MessageTemplate(Box<[Fragment]>);

/// A part of a message.
#[derive(Debug, Clone)]
enum Fragment {
    /// Text that is written as it is.
    Literal(Box<str>),
    /// A placeholder for the data of this name.
    Placeholder(&'static str),
}

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| built_in(Catalogue::ENGLISH));
static PHALAPI_1: LazyLock<Catalogue> = LazyLock::new(|| built_in(CatalogueName::PhalApi1.file()));
static PHALAPI_2: LazyLock<Catalogue> = LazyLock::new(|| built_in(CatalogueName::PhalApi2.file()));
static PHALAPI_2_CHINESE: LazyLock<Catalogue> = LazyLock::new(|| built_in(CatalogueName::PhalApi2Chinese.file()));

fn built_in(file: &str) -> Catalogue {
    Catalogue::read(file).expect("a test parses the built-in catalogues")
}

impl Catalogue {
    /// The JSON text of the catalogue that [`Catalogue::english`] returns.
    pub const ENGLISH: &str = include_str!("en.json");

    /// Returns the default catalogue.
    #[must_use]
    pub fn english() -> &'static Self {
        &ENGLISH
    }

    /// Parses the JSON text of a catalogue: `{"titles": {code: title}, "texts": {key: message}}`.
    ///
    /// ```
    /// use rulebook_model::error::ErrorCode;
    /// use rulebook_model::error::texts::Catalogue;
    ///
    /// let mine = Catalogue::ENGLISH.replace("unknown service", "nothing found");
    /// assert_eq!(Catalogue::read(&mine).unwrap().title(ErrorCode::UnknownService), "nothing found");
    /// ```
    ///
    /// # Errors
    /// Returns every error in the file: an unknown, missing or duplicate key, or an invalid placeholder.
    pub fn read(file: &str) -> Result<Self, Vec<CatalogueError>> {
        read::read(file)
    }

    /// Returns the title of an error code.
    #[must_use]
    pub fn title(&self, code: ErrorCode) -> &str {
        &self.titles[code as usize]
    }

    /// Returns the message for an error code whose errors carry no data. For any other code, returns the title.
    #[must_use]
    pub fn plain_error(&self, code: ErrorCode) -> &str {
        self.plain_errors[code as usize].as_deref().unwrap_or_else(|| self.title(code))
    }

    /// Returns a message that has no placeholders.
    #[must_use]
    pub fn plain_message(&self, id: MessageId) -> Message<'_> {
        self.message(id, &[])
    }

    /// Returns `true` if the catalogue has the message; only [optional](MessageRow::optional) messages can be missing.
    #[must_use]
    pub fn contains(&self, id: MessageId) -> bool {
        self.templates[id as usize].is_some()
    }

    /// Returns a message with its data, which is given by placeholder name in the order of
    /// [`MessageRow::placeholders`]. The message is empty if the catalogue does not [contain](Self::contains) it.
    #[must_use]
    pub fn message<'m>(&'m self, id: MessageId, data: &'m [(&'static str, &'m dyn Display)]) -> Message<'m> {
        debug_assert!(
            data.iter().map(|(name, _)| *name).eq(id.row().placeholders.iter().copied()),
            "the data of {id:?} is {:?}",
            id.row().placeholders
        );
        Message { template: self.templates[id as usize].as_ref(), data }
    }
}

/// A message of a catalogue with its data; [`Display`] writes the text.
#[derive(Clone, Copy)]
pub struct Message<'m> {
    template: Option<&'m MessageTemplate>,
    data: &'m [(&'static str, &'m dyn Display)],
}

impl Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fragment in self.template.iter().flat_map(|template| &template.0) {
            match fragment {
                Fragment::Literal(text) => f.write_str(text)?,
                Fragment::Placeholder(name) => {
                    if let Some((_, data)) = self.data.iter().find(|(data_name, _)| data_name == name) {
                        data.fmt(f)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
