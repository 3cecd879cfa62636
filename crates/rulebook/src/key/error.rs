//! Errors of key files. The messages contain nothing from a file except names and ids, because a user may have put a
//! key in the wrong place.

use std::io;
use std::path::PathBuf;

use rulebook_model::filename::PatternError;
use thiserror::Error;

/// An error of reading, using or changing a key file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The pepper file cannot be read or written, or is invalid. The message contains its path.
    #[error("{0}")]
    Pepper(io::Error),
    /// The file is not a key file.
    #[error("{file} is not a valid key file: expected {FORMAT}, at line {line}, column {column}")]
    InvalidFile {
        /// The file.
        file: PathBuf,
        /// The line of the error, from 1; 0 if the file is empty.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// The file with the usage of keys is invalid.
    #[error("{file} is not a valid file of the usage of keys, at line {line}, column {column}")]
    InvalidUsage {
        /// The file.
        file: PathBuf,
        /// The line of the error, from 1; 0 if the file is empty.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// An entry of the key file is invalid.
    #[error("{file} is not a valid key file: in key {number}, {error}")]
    InvalidEntry {
        /// The file.
        file: PathBuf,
        /// The number of the entry, from 1.
        number: usize,
        /// The error of the entry.
        error: KeyEntryError,
    },
    /// The file has the format of an earlier version, whose keys are not valid any more.
    #[error(
        "the key file {file} has the format of an earlier version, whose keys are not valid any more: move it away, and \
         create new keys with `keys add` for {}",
        list(names)
    )]
    OldFormat {
        /// The file.
        file: PathBuf,
        /// The names of its keys.
        names: Vec<String>,
    },
    /// The file has keys, but there is no pepper.
    #[error(
        "the keys of {file} were created with a pepper that is missing: neither RULEBOOK_PEPPER nor the file `pepper` \
         beside it exists"
    )]
    NoPepper {
        /// The key file.
        file: PathBuf,
    },
    /// The keys were created with another pepper.
    #[error(
        "the keys of {file} were created with another pepper than that of RULEBOOK_PEPPER or, if it is not set, of the \
         file `pepper` beside it"
    )]
    WrongPepper {
        /// The key file.
        file: PathBuf,
    },
    /// The pepper in the environment variable is too short.
    #[error("RULEBOOK_PEPPER is shorter than {min} characters")]
    ShortPepper {
        /// The minimum length in bytes.
        min: usize,
    },
    /// A pattern for the files of a new key is invalid.
    #[error("{0}")]
    Pattern(PatternError),
    /// The text is not the id of a key. The message does not contain the text, because it may be a whole key.
    #[error("an id has 8 hexadecimal digits: the part of a key between its two `_`")]
    InvalidId,
    /// No key has this id.
    #[error("{file} has no key {id:?}")]
    UnknownId {
        /// The file.
        file: PathBuf,
        /// The id.
        id: String,
    },
    /// The key has been replaced already.
    #[error("the key {id} has been replaced already, by {by}")]
    Replaced {
        /// The id.
        id: String,
        /// The id of the key that replaced it.
        by: String,
    },
    /// The key has expired.
    #[error("the key {id} has expired")]
    Expired {
        /// The id.
        id: String,
    },
    /// The system provides no random bytes.
    #[error("the system provides no random bytes")]
    Random,
}

/// An error of an entry of a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyEntryError {
    /// The id is invalid.
    #[error("the id is not 8 hexadecimal digits")]
    Id,
    /// Another key has the same id.
    #[error("the id is that of another key")]
    DuplicateId,
    /// The hash is invalid.
    #[error("the hash is not 64 hexadecimal digits")]
    Hash,
    /// The limit is invalid.
    #[error("the limit is less than 1 request")]
    Limit,
    /// A pattern for files is invalid.
    #[error("a pattern for files is not one like `public/**`")]
    Files,
}

/// The format of a key file.
const FORMAT: &str = r#"{"pepper": …, "keys": [{"id": …, "hash": …, "name": …, "scope": […], "created": …}]}"#;

fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "no one".to_owned() } else { names.join(", ") }
}
