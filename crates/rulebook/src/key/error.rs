//! Errors of reading and changing keys. A user may have put a key in the wrong place by mistake; therefore the
//! messages quote nothing from a file except names and ids of keys.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

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
    /// A storage other than a file cannot be read or written.
    #[error("{location}: {error}")]
    Storage {
        /// The place of the keys, without secrets.
        location: String,
        /// The reason, without secrets.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The address of the database with the keys is not valid, for this reason. The message does not quote the address.
    #[error("the database of the keys: {0}")]
    InvalidAddress(&'static str),
    /// An entry of a storage other than a file is invalid.
    #[error("key {number} in {location} is not valid: {error}")]
    InvalidStored {
        /// The place of the keys.
        location: String,
        /// The number of the entry, from 1.
        number: usize,
        /// Why the entry is invalid.
        error: KeyEntryError,
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
    /// There are keys, but the pepper that their hashes depend on is missing.
    #[error(
        "the keys of {location} were created with a pepper that is missing: RULEBOOK_PEPPER is not set{}",
        with_file(", and there is no file ", pepper_file.as_deref(), "")
    )]
    NoPepper {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The keys were created with a pepper that differs from the current one.
    #[error(
        "the keys of {location} were created with another pepper than that of RULEBOOK_PEPPER{}",
        with_file(" or, if it is not set, of the file ", pepper_file.as_deref(), "")
    )]
    WrongPepper {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The first key of a storage that several servers share needs a pepper that all of them have.
    #[error(
        "all servers that share the keys of {location} need the same pepper: set RULEBOOK_PEPPER to the same secret at \
         each server{}",
        with_file(", or copy the file ", pepper_file.as_deref(), " to each")
    )]
    PepperRequired {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The value of the environment variable begins with `hex:`, but is not a pepper in hexadecimal.
    #[error("RULEBOOK_PEPPER begins with `hex:`, but {digits} hexadecimal digits do not follow")]
    PepperDigits {
        /// The number of digits of a pepper.
        digits: usize,
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
    /// The storage contains no key with this id.
    #[error("{location} has no key {id:?}")]
    UnknownId {
        /// The place of the keys.
        location: String,
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
    /// A key cannot be copied, because another key with the same id exists at the destination.
    #[error("{location} has another key with the id {id}")]
    Conflict {
        /// The place of the keys.
        location: String,
        /// The id.
        id: String,
    },
    /// The operating system provides no random bytes, which a new key needs.
    #[error("the system provides no random bytes")]
    Random,
}

impl KeyError {
    /// Returns the error of a storage. `location` is the place of the keys, and `error` the reason; neither may contain
    /// a secret, because both are shown.
    pub fn storage(location: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Storage { location: location.into(), error: error.into() }
    }
}

/// Why the entry of a key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyEntryError {
    /// The entry is not that of a key.
    #[error("it is not a JSON object with the members of a key")]
    Format,
    /// The id is invalid.
    #[error("the id is not 8 hexadecimal digits")]
    Id,
    /// An earlier entry has the same id.
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

/// Returns a part of a message that contains a file, or nothing without a file.
fn with_file(before: &str, file: Option<&Path>, after: &str) -> String {
    file.map_or_else(String::new, |file| format!("{before}{}{after}", file.display()))
}
