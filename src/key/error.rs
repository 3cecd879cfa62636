//! Why keys cannot be used or changed, and the words for it. No word of a file's content is repeated but names and
//! ids: somebody may have put a key where it does not belong.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::filename::PatternError;

/// Why a key file cannot be used, or a key not be changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// A file cannot be read or written.
    Io(PathBuf, io::Error),
    /// The file of the pepper cannot be read or written, or is none; it is named.
    Pepper(io::Error),
    /// It is not a key file.
    Shape {
        /// The file.
        file: PathBuf,
        /// The line where it is none, from 1; 0 where it is empty.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The file of what keys have been used for is none.
    Usage {
        /// The file.
        file: PathBuf,
        /// The line where it is none, from 1; 0 where it is empty.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// One of its keys cannot be.
    Entry {
        /// The file.
        file: PathBuf,
        /// Which, from 1.
        number: usize,
        /// Why.
        flaw: EntryFlaw,
    },
    /// It is of an earlier version, whose keys are not taken any more.
    Old {
        /// The file.
        file: PathBuf,
        /// The names of its keys.
        names: Vec<String>,
    },
    /// There are keys, but the pepper that they were made with is not there.
    NoPepper {
        /// The key file.
        file: PathBuf,
    },
    /// The keys were made with another pepper.
    OtherPepper {
        /// The key file.
        file: PathBuf,
    },
    /// The pepper of the environment is too short.
    ShortPepper {
        /// The fewest bytes.
        fewest: usize,
    },
    /// What a new key should be limited to is no pattern of names.
    Pattern(PatternError),
    /// What should be an id is none; it may be a whole key, and is not repeated.
    NoId,
    /// No key has the id.
    Unknown {
        /// The file.
        file: PathBuf,
        /// The id.
        id: String,
    },
    /// The key has been replaced already.
    Replaced {
        /// The id.
        id: String,
        /// The id of the key that replaced it.
        by: String,
    },
    /// The key has expired.
    Expired {
        /// The id.
        id: String,
    },
    /// No randomness is to be had.
    Random,
}

/// What is wrong with a key of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFlaw {
    /// The id is not one.
    Id,
    /// Another key has the id.
    Twice,
    /// The hash is not one.
    Hash,
    /// The limit is none.
    Limit,
    /// The patterns of files are none.
    Files,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Pepper(error) => write!(f, "{error}"),
            Self::Shape { file, line, column } => {
                write!(f, "the key file {} is none: expected {SHAPE}, at line {line}, column {column}", file.display())
            }
            Self::Usage { file, line, column } => {
                let file = file.display();
                write!(f, "{file} does not say what keys have been used for, at line {line}, column {column}")
            }
            Self::Entry { file, number, flaw } => {
                write!(f, "the key file {} is none: {flaw} of key {number}", file.display())
            }
            Self::Old { file, names } => write!(
                f,
                "the key file {} is of an earlier version, whose keys are not taken any more: move it away, and make \
                 new keys with `keys add` for {}",
                file.display(),
                list(names)
            ),
            Self::NoPepper { file } => write!(
                f,
                "the keys of {} were made with a pepper that is not there: neither RULEBOOK_PEPPER nor the file \
                 `pepper` beside it",
                file.display()
            ),
            Self::OtherPepper { file } => write!(
                f,
                "the keys of {} were made with another pepper than that of RULEBOOK_PEPPER, or of the file `pepper` \
                 beside it where that is not set",
                file.display()
            ),
            Self::ShortPepper { fewest } => write!(f, "RULEBOOK_PEPPER is shorter than {fewest} characters"),
            Self::Pattern(error) => write!(f, "{error}"),
            Self::NoId => f.write_str("an id is 8 hexadecimal digits: what stands between the two `_` of a key"),
            Self::Unknown { file, id } => write!(f, "{} has no key {id:?}", file.display()),
            Self::Replaced { id, by } => write!(f, "the key {id} has been replaced already, by {by}"),
            Self::Expired { id } => write!(f, "the key {id} has expired"),
            Self::Random => f.write_str("the system gives no random bytes"),
        }
    }
}

/// What a key file looks like.
const SHAPE: &str = r#"{"pepper": …, "keys": [{"id": …, "hash": …, "name": …, "scope": […], "created": …}]}"#;

impl fmt::Display for EntryFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id => "the id (8 hexadecimal digits)",
            Self::Twice => "the id, which another key has,",
            Self::Hash => "the hash (64 hexadecimal digits)",
            Self::Limit => "the limit (at least 1 request)",
            Self::Files => "the patterns of files (such as `public/**`)",
        })
    }
}

fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

impl std::error::Error for KeyError {}
