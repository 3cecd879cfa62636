//! The key file, which is the storage of keys of a single server. A change is made under a lock, and replaces the whole
//! file. Administrators change the key file; only the server changes the file with the usage of keys beside it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::KeyError;
use super::entry::check_entries;
use super::storage::{KeySet, KeyState, KeyStorage, KeyVersion, Usages};
use crate::regular_file::FileStamp;
use crate::secret::{create_private_folder, folder_of, write_private_file};

/// The storage of keys in a file. The usage of keys is stored in a file beside it, and so is the pepper.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    /// The lock of the usage file; `None` unless this value writes the file.
    usage_lock: Mutex<Option<File>>,
}

impl KeyFile {
    /// Returns the storage in the file at `path`, by convention `keys.json` in the data folder. The first key creates
    /// the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), usage_lock: Mutex::new(None) }
    }

    fn usage_file(&self) -> PathBuf {
        self.path.with_file_name("keys.used.json")
    }

    /// Locks the usage file, so that only one of several servers with the same key file writes it. Returns `None` if
    /// another server holds the lock.
    fn lock_usages(&self) -> io::Result<Option<File>> {
        let path = self.path.with_file_name("keys.used.lock");
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl KeyStorage for KeyFile {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    /// Never fails: a file whose metadata cannot be read is reported when it is loaded.
    fn state(&self) -> Result<KeyState, KeyError> {
        Ok(state(FileStamp::of(&self.path)))
    }

    /// Reads the file. A file that does not exist counts as a file without keys.
    fn load(&self) -> Result<(KeySet, KeyState), KeyError> {
        let (keys, stamp) = read_key_file(&self.path)?;
        Ok((keys, state(stamp)))
    }

    fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let io = |error| KeyError::Io(self.path.clone(), error);
        let folder = folder_of(&self.path);
        let lock = create_private_folder(folder).and_then(|()| File::open(folder)).map_err(io)?;
        lock.lock().map_err(io)?;
        let (mut keys, _) = read_key_file(&self.path)?;
        change(&mut keys)?;
        replace_file(&self.path, &keys).and_then(|()| lock.sync_all()).map_err(io)
    }

    /// Reads the usage file. A file that does not exist counts as a file without usage.
    fn load_usages(&self) -> Result<Usages, KeyError> {
        let file = self.usage_file();
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                KeyError::InvalidUsage { file, line, column }
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Usages::new()),
            Err(error) => Err(KeyError::Io(file, error)),
        }
    }

    /// Replaces the usage file, unless another server with the same key file writes it.
    fn record_usages(&self, _before: &Usages, now: &Usages) -> Result<bool, KeyError> {
        let mut lock = self.usage_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            match self.lock_usages() {
                Ok(Some(file)) => *lock = Some(file),
                Ok(None) => return Ok(false),
                // Writing the usage reports the error of the folder.
                Err(_) => {}
            }
        }
        let file = self.usage_file();
        replace_file(&file, now).map(|()| true).map_err(|error| KeyError::Io(file, error))
    }

    fn close(&self) {
        self.usage_lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn pepper_file(&self) -> Option<PathBuf> {
        Some(self.path.with_file_name("pepper"))
    }

    fn creates_pepper(&self) -> bool {
        true
    }
}

/// Returns the state of a key file with this metadata; `None` if the file does not exist.
fn state(stamp: Option<FileStamp>) -> KeyState {
    KeyState::new(KeyVersion::new(format!("{stamp:?}")), None)
}

/// Reads a key file and its metadata. A file that does not exist counts as a file without keys.
fn read_key_file(path: &Path) -> Result<(KeySet, Option<FileStamp>), KeyError> {
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let stamp = FileStamp::from(&file.metadata()?);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok((text, stamp))
    };
    match read() {
        Ok((text, stamp)) => Ok((parse_key_file(path, &text)?, Some(stamp))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((KeySet::default(), None)),
        Err(error) => Err(KeyError::Io(path.to_owned(), error)),
    }
}

fn parse_key_file(path: &Path, text: &[u8]) -> Result<KeySet, KeyError> {
    let mut file: KeySet = serde_json::from_slice(text).map_err(|error| match names_in_old_format(text) {
        Some(names) => KeyError::OldFormat { file: path.to_owned(), names },
        // The message of serde_json is not shown, because it may quote a secret from the file.
        None => KeyError::InvalidFile { file: path.to_owned(), line: error.line(), column: error.column() },
    })?;
    check_entries(&mut file.keys).map_err(|(index, error)| KeyError::InvalidEntry {
        file: path.to_owned(),
        number: index + 1,
        error,
    })?;
    Ok(file)
}

/// Returns the names of the keys in a file of an earlier version of rulebook, in which keys had no ids. Returns `None`
/// if the file does not have the format of that version.
fn names_in_old_format(text: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeysWithoutIds {
        keys: Vec<KeyWithoutId>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeyWithoutId {
        #[serde(rename = "hash")]
        _hash: String,
        name: String,
        #[serde(default, rename = "scope")]
        _scope: Vec<String>,
    }
    let file: KeysWithoutIds = serde_json::from_slice(text).ok()?;
    Some(file.keys.into_iter().map(|entry| entry.name).collect())
}

/// Replaces a file atomically: after a crash, the file has either the old content or the complete new content.
fn replace_file(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    write_private_file(path, &text)?.persist(path)?;
    Ok(())
}
