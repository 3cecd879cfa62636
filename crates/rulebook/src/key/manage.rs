//! Creating, replacing and revoking keys.

use std::path::Path;

use hmac::Mac;
use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;

use super::file::{self, Entry, File, Limit};
use super::pepper::Pepper;
use super::usage::{self, Usage};
use super::{KeyError, token};

/// The settings of a new key.
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
    /// The name of the holder.
    pub name: String,
    /// The permissions.
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access. Without patterns, it may access all files that the
    /// definition allows.
    pub files: Vec<String>,
    /// The rate limit, if the key has one.
    pub limit: Option<Limit>,
    /// The time at which the key expires, if it does.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// The settings of a key without permissions and limits, for a holder with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Creates a key and stores its hash in the key file. Returns the key, which is not stored anywhere.
///
/// # Errors
/// Fails if the file cannot be read or replaced, or is not a key file; if its pepper is missing or different; or if a
/// pattern is invalid.
pub fn add(path: &Path, new: NewKey) -> Result<String, KeyError> {
    file::change(path, |file| create(path, file, new).map(|(_, key)| key))
}

/// Removes a key, which becomes invalid, and returns its entry.
///
/// # Errors
/// Fails like [`add`], or if the key does not exist.
pub fn revoke(path: &Path, id: &str) -> Result<Entry, KeyError> {
    file::change(path, |file| position(path, file, id).map(|index| file.keys.remove(index)))
}

/// Creates a key with the settings of an existing one, which then expires at `end` unless it expires earlier.
///
/// # Errors
/// Fails like [`add`], or if the key does not exist, has expired or has been replaced.
pub fn rotate(path: &Path, id: &str, end: Timestamp) -> Result<String, KeyError> {
    file::change(path, |file| {
        let index = position(path, file, id)?;
        let Entry { name, scope, files, limit, expires, replaced_by, .. } = file.keys[index].clone();
        if let Some(by) = replaced_by {
            return Err(KeyError::Replaced { id: id.to_owned(), by });
        }
        if expires.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(KeyError::Expired { id: id.to_owned() });
        }
        let (new, key) = create(path, file, NewKey { name, scope, files, limit, expires })?;
        let old = &mut file.keys[index];
        old.expires = Some(expires.map_or(to_second(end), |expires| expires.min(to_second(end))));
        old.replaced_by = Some(new);
        Ok(key)
    })
}

/// Returns the entries of all keys, the oldest first, with their usage.
///
/// # Errors
/// Fails if a file cannot be read or is invalid.
pub fn list(path: &Path) -> Result<Vec<(Entry, Usage)>, KeyError> {
    let (file, _) = file::read(path)?;
    let usages = usage::read(path)?;
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

/// Truncates a time to seconds, the precision in which times are shown and compared.
fn to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn position(path: &Path, file: &File, id: &str) -> Result<usize, KeyError> {
    if !token::is_id(id) {
        return Err(KeyError::InvalidId);
    }
    let unknown = || KeyError::UnknownId { file: path.to_owned(), id: id.to_owned() };
    file.keys.iter().position(|entry| entry.id == id).ok_or_else(unknown)
}

/// Creates a key and adds its hash to the file. Returns its id and the key.
fn create(path: &Path, file: &mut File, new: NewKey) -> Result<(String, String), KeyError> {
    // A missing pepper is created only if there are no keys that depend on the old one.
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
        let id = token::id(getrandom::u32().map_err(|_| KeyError::Random)?);
        if file.keys.iter().all(|entry| entry.id != id) {
            break id;
        }
    };
    let mut bytes = [0; token::SECRET];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    let secret = token::secret(&bytes);
    let key = token::format(&id, &secret);
    let NewKey { name, scope, files, limit, expires } = new;
    let hash = hex::encode(pepper.mac(&secret).finalize().into_bytes());
    let (created, expires) = (to_second(Timestamp::now()), expires.map(to_second));
    let patterns = if files.is_empty() { None } else { Some(FilePatterns::new(&files).map_err(KeyError::Pattern)?) };
    let entry =
        Entry { id: id.clone(), hash, name, scope, files, patterns, limit, created, expires, replaced_by: None };
    file.keys.push(entry);
    Ok((id, key))
}
