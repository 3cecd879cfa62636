//! Creates, lists, replaces and revokes keys in a key file.

use std::path::Path;

use hmac::Mac;
use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;

use super::key_file::{self, Entry, KeyFileContent, Limit};
use super::pepper::Pepper;
use super::usage::{self, Usage};
use super::{KeyError, token};

/// The settings with which [`add`] creates a key.
///
/// ```
/// use rulebook::key::NewKey;
///
/// let mut key = NewKey::new("reports");
/// key.scope = vec!["reader".to_owned()];
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NewKey {
    /// The name of the person or program that will use the key.
    pub name: String,
    /// The permissions that requests with the key have.
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access. Without patterns, the key may access all files that
    /// the definition allows.
    pub files: Vec<String>,
    /// The rate limit of the key; `None` if the key has no limit.
    pub limit: Option<Limit>,
    /// The time at which the key expires; `None` if the key does not expire.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// Returns the settings of a key without permissions and limits. `name` is the person or program that will use the
    /// key.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Creates a key and stores its hash in the key file. Returns the key itself, which is not stored anywhere.
///
/// # Errors
/// Fails if the key file cannot be read or replaced, or has an invalid content; if the pepper is missing or is not the
/// one that the other keys were created with; or if a pattern in `new.files` is invalid.
pub fn add(path: &Path, new: NewKey) -> Result<String, KeyError> {
    key_file::change_key_file(path, |file| create_key(path, file, new).map(|(_, key)| key))
}

/// Removes a key from the key file, so that it is no longer valid. Returns the entry of the removed key.
///
/// # Errors
/// Fails like [`add`], or if no key has this id.
pub fn revoke(path: &Path, id: &str) -> Result<Entry, KeyError> {
    key_file::change_key_file(path, |file| entry_index(path, file, id).map(|index| file.keys.remove(index)))
}

/// Creates a key with the same settings as an existing key. The existing key then expires at `end`, unless it expires
/// earlier.
///
/// # Errors
/// Fails like [`add`], or if no key has this id, or if the key has expired or has been replaced.
pub fn rotate(path: &Path, id: &str, end: Timestamp) -> Result<String, KeyError> {
    key_file::change_key_file(path, |file| {
        let index = entry_index(path, file, id)?;
        let Entry { name, scope, files, limit, expires, replaced_by, .. } = file.keys[index].clone();
        if let Some(by) = replaced_by {
            return Err(KeyError::Replaced { id: id.to_owned(), by });
        }
        if expires.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(KeyError::Expired { id: id.to_owned() });
        }
        let (new, key) = create_key(path, file, NewKey { name, scope, files, limit, expires })?;
        let old = &mut file.keys[index];
        old.expires = Some(expires.map_or(truncate_to_second(end), |expires| expires.min(truncate_to_second(end))));
        old.replaced_by = Some(new);
        Ok(key)
    })
}

/// Returns the entries of all keys with their usage, in the order of their creation.
///
/// # Errors
/// Fails if the key file or the usage file cannot be read or is invalid.
pub fn list(path: &Path) -> Result<Vec<(Entry, Usage)>, KeyError> {
    let (file, _) = key_file::read_key_file(path)?;
    let usages = usage::read_usages(path)?;
    let usage = |entry: &Entry| usages.get(&*entry.id).copied().unwrap_or_default();
    Ok(file
        .keys
        .into_iter()
        .map(|entry| {
            let usage = usage(&entry);
            (entry, usage)
        })
        .collect())
}

/// Truncates a time to whole seconds, because times are shown and compared in seconds.
fn truncate_to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn entry_index(path: &Path, file: &KeyFileContent, id: &str) -> Result<usize, KeyError> {
    if !token::is_id(id) {
        return Err(KeyError::InvalidId);
    }
    let unknown = || KeyError::UnknownId { file: path.to_owned(), id: id.to_owned() };
    file.keys.iter().position(|entry| entry.id == id).ok_or_else(unknown)
}

/// Creates a key and adds its entry to the file. Returns the id of the key and the key.
fn create_key(path: &Path, file: &mut KeyFileContent, new: NewKey) -> Result<(String, String), KeyError> {
    // Without keys, no hash depends on an old pepper, so that a missing pepper can be created.
    let pepper = if file.keys.is_empty() {
        Pepper::read_or_create(path)?
    } else {
        Pepper::read(path)?.ok_or_else(|| KeyError::NoPepper { file: path.to_owned() })?
    };
    let fingerprint = pepper.fingerprint();
    if file.keys.is_empty() {
        file.pepper = Some(fingerprint);
    } else if file.pepper.as_ref().is_some_and(|known| *known != fingerprint) {
        return Err(KeyError::WrongPepper { file: path.to_owned() });
    }
    let id = loop {
        let id = token::format_id(getrandom::u32().map_err(|_| KeyError::Random)?);
        if file.keys.iter().all(|entry| entry.id != id) {
            break id;
        }
    };
    let mut bytes = [0; token::SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    let secret = token::format_secret(&bytes);
    let key = token::format_key(&id, &secret);
    let NewKey { name, scope, files, limit, expires } = new;
    let hash = hex::encode(pepper.mac(&secret).finalize().into_bytes());
    let (created, expires) = (truncate_to_second(Timestamp::now()), expires.map(truncate_to_second));
    let patterns = if files.is_empty() { None } else { Some(FilePatterns::new(&files).map_err(KeyError::Pattern)?) };
    let entry =
        Entry { id: id.clone(), hash, name, scope, files, patterns, limit, created, expires, replaced_by: None };
    file.keys.push(entry);
    Ok((id, key))
}
