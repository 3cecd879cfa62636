//! The words of errors: catalogues, and the filling of their texts.
//!
//! A catalogue is a data file: a title for each [`Code`], and the [`Text`]s,
//! in which `{name}` stands for data. It is read once, into pieces that only
//! have to be written one after the other. Must not know what the data is.

mod read;
mod table;

use std::fmt::{self, Display};
use std::sync::LazyLock;

pub use read::Flaw;
pub use table::{Row, TABLE, Text};

use super::Code;

/// The catalogues that definitions can choose from, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CatalogueName {
    /// The words of PhalApi's documents, of version 1.
    #[default]
    One,
    /// The words of PhalApi's program of version 2.
    Two,
    /// The same in Chinese.
    Chinese,
}

impl CatalogueName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Chinese];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1.x",
            Self::Two => "2.x",
            Self::Chinese => "zh",
        }
    }

    /// Its file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::One => include_str!("1.x.json"),
            Self::Two => include_str!("2.x.json"),
            Self::Chinese => include_str!("zh.json"),
        }
    }

    /// Its words.
    #[must_use]
    pub fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::One => &ONE,
            Self::Two => &TWO,
            Self::Chinese => &CHINESE,
        }
    }
}

/// The words of errors in one language.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// By code.
    titles: Box<[Box<str>]>,
    /// By text; none where an optional one is not there.
    templates: Box<[Option<Template>]>,
}

/// A text, taken apart at its places for data.
#[derive(Debug, Clone, Default)]
struct Template(Box<[Piece]>);

/// A piece of a text.
#[derive(Debug, Clone)]
enum Piece {
    /// Letter for letter.
    Literal(Box<str>),
    /// The data of this name.
    Place(&'static str),
}

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| shipped(Catalogue::ENGLISH));
static ONE: LazyLock<Catalogue> = LazyLock::new(|| shipped(CatalogueName::One.file()));
static TWO: LazyLock<Catalogue> = LazyLock::new(|| shipped(CatalogueName::Two.file()));
static CHINESE: LazyLock<Catalogue> = LazyLock::new(|| shipped(CatalogueName::Chinese.file()));

fn shipped(file: &str) -> Catalogue {
    Catalogue::read(file).expect("a test reads this very text")
}

impl Catalogue {
    /// The file of the catalogue [`Catalogue::english`].
    pub const ENGLISH: &str = include_str!("en.json");

    /// The catalogue that is used where nothing else is said.
    #[must_use]
    pub fn english() -> &'static Self {
        &ENGLISH
    }

    /// Reads a catalogue's file: `{"titles": {code: words}, "texts": {key: words}}`.
    ///
    /// ```
    /// use rulebook::error::Code;
    /// use rulebook::error::texts::Catalogue;
    ///
    /// let mine = Catalogue::ENGLISH.replace("unknown service", "there is no such thing");
    /// assert_eq!(Catalogue::read(&mine).unwrap().title(Code::UnknownService), "there is no such thing");
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it: a key is unknown, missing or there twice, a place has no data.
    pub fn read(file: &str) -> Result<Self, Vec<Flaw>> {
        read::read(file)
    }

    /// A few words that are the same for every error of this class.
    #[must_use]
    pub fn title(&self, code: Code) -> &str {
        &self.titles[code as usize]
    }

    /// A text that has no data.
    #[must_use]
    pub fn plain(&self, text: Text) -> Filled<'_> {
        self.fill(text, &[])
    }

    /// Whether it has a text: those that are optional may be missing.
    #[must_use]
    pub fn has(&self, text: Text) -> bool {
        self.templates[text as usize].is_some()
    }

    /// A text with its data, each under the name that its row in [`TABLE`] has for it; nothing where the catalogue
    /// does not [have](Self::has) it.
    #[must_use]
    pub fn fill<'f>(&'f self, text: Text, data: &'f [(&'static str, &'f dyn Display)]) -> Filled<'f> {
        debug_assert!(
            data.iter().map(|(name, _)| *name).eq(text.row().places.iter().copied()),
            "the data of {text:?} is {:?}",
            text.row().places
        );
        Filled { template: self.templates[text as usize].as_ref(), data }
    }
}

/// A text with its data, to be written.
#[derive(Clone, Copy)]
pub struct Filled<'f> {
    template: Option<&'f Template>,
    data: &'f [(&'static str, &'f dyn Display)],
}

impl Display for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.template.iter().flat_map(|template| &template.0) {
            match piece {
                Piece::Literal(words) => f.write_str(words)?,
                Piece::Place(name) => {
                    if let Some((_, data)) = self.data.iter().find(|(own, _)| own == name) {
                        data.fmt(f)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
