//! Errors of reading and changing key files. A user may have put a key in the wrong place by mistake; therefore the
//! messages quote nothing from a file except names and ids of keys.

use std::io;
use std::path::PathBuf;

use rulebook_model::filename::PatternError;
use thiserror::Error;

/// An error that occurs when a key file is read, checked or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file with this path cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file with the pepper, the server's secret in the hashes of keys, cannot be read or written, or is invalid.
    /// The message contains the path of the file.
    #[error("{0}")]
    Pepper(io::Error),
    /// The content of the file is not that of a key file.
    #[error("{file} is not a valid key file: expected {KEY_FILE_FORMAT}, at line {line}, column {column}")]
    InvalidFile {
        /// The file.
        file: PathBuf,
        /// The line of the error, from 1; 0 if the file is empty.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// The file in which the server records how keys are used is invalid.
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
        /// Why the entry is invalid.
        error: KeyEntryError,
    },
    /// The key file has the format of an earlier version of rulebook, whose keys are not valid any more.
    #[error(
        "the key file {file} has the format of an earlier version, whose keys are not valid any more: move it away, and \
         create new keys with `keys add` for {}",
        quoted_names(names)
    )]
    OldFormat {
        /// The file.
        file: PathBuf,
        /// The names of the keys in the file.
        names: Vec<String>,
    },
    /// The key file contains keys, but the pepper that their hashes depend on is missing.
    #[error(
        "the keys of {file} were created with a pepper that is missing: neither RULEBOOK_PEPPER nor the file `pepper` \
         beside it exists"
    )]
    NoPepper {
        /// The key file.
        file: PathBuf,
    },
    /// The keys of the file were created with a pepper that differs from the current one.
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
    /// One of the patterns that select the stored files for a new key is invalid.
    #[error("{0}")]
    Pattern(PatternError),
    /// The argument does not have the format of a key's id. The message does not quote the argument, because it may be
    /// a whole key.
    #[error("an id has 8 hexadecimal digits: the part of a key between its two `_`")]
    InvalidId,
    /// The key file contains no key with this id.
    #[error("{file} has no key {id:?}")]
    UnknownId {
        /// The file.
        file: PathBuf,
        /// The id.
        id: String,
    },
    /// The key cannot be replaced, because another key has already replaced it.
    #[error("the key {id} has been replaced already, by {by}")]
    Replaced {
        /// The id.
        id: String,
        /// The id of the key that replaced it.
        by: String,
    },
    /// The key cannot be replaced, because it has expired.
    #[error("the key {id} has expired")]
    Expired {
        /// The id.
        id: String,
    },
    /// The operating system provides no random bytes, which a new key needs.
    #[error("the system provides no random bytes")]
    Random,
}

/// Why an entry of a key file is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyEntryError {
    /// The id is invalid.
    #[error("the id is not 8 hexadecimal digits")]
    Id,
    /// An earlier entry of the file has the same id.
    #[error("the id is that of another key")]
    DuplicateId,
    /// The hash is invalid.
    #[error("the hash is not 64 hexadecimal digits")]
    Hash,
    /// The rate limit allows no requests.
    #[error("the limit is less than 1 request")]
    Limit,
    /// One of the patterns that select stored files is invalid.
    #[error("a pattern for files is not one like `public/**`")]
    Files,
}

/// The format of a key file, as error messages show it.
const KEY_FILE_FORMAT: &str = r#"{"pepper": …, "keys": [{"id": …, "hash": …, "name": …, "scope": […], "created": …}]}"#;

fn quoted_names(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "no one".to_owned() } else { names.join(", ") }
}
