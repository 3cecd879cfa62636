//! Creates, lists, replaces, revokes and copies keys.

use hmac::Mac;
use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;

use super::entry::{Entry, Limit};
use super::storage::{KeySet, KeyStorage, Usage, check_keys, first_pepper, now, pepper_of};
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

/// Creates a key and stores its hash. Returns the key itself, which is not stored anywhere.
///
/// # Errors
/// Fails if the keys cannot be read or changed, or are invalid; if the pepper is missing or is not the one that the
/// other keys were created with; or if a pattern in `new.files` is invalid.
#[expect(clippy::needless_pass_by_value, reason = "the settings of a key are used once")]
pub fn add(storage: &dyn KeyStorage, new: NewKey) -> Result<String, KeyError> {
    let now = now(storage)?;
    change(storage, |keys| create_key(storage, keys, new.clone(), now).map(|(_, key)| key))
}

/// Removes a key, so that it is no longer valid. Returns the entry of the removed key.
///
/// # Errors
/// Fails like [`add`], or if no key has this id.
pub fn revoke(storage: &dyn KeyStorage, id: &str) -> Result<Entry, KeyError> {
    change(storage, |keys| entry_index(storage, keys, id).map(|index| keys.keys.remove(index)))
}

/// Creates a key with the same settings as an existing key. The existing key then expires at `end`, unless it expires
/// earlier. Keys expire by the clock of the storage, which [`now`] returns.
///
/// # Errors
/// Fails like [`add`], or if no key has this id, or if the key has expired or has been replaced.
pub fn rotate(storage: &dyn KeyStorage, id: &str, end: Timestamp) -> Result<String, KeyError> {
    let now = now(storage)?;
    change(storage, |set| {
        let index = entry_index(storage, set, id)?;
        let Entry { name, scope, files, limit, expires, replaced_by, .. } = set.keys[index].clone();
        if let Some(by) = replaced_by {
            return Err(KeyError::Replaced { id: id.to_owned(), by });
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Err(KeyError::Expired { id: id.to_owned() });
        }
        let (new, key) = create_key(storage, set, NewKey { name, scope, files, limit, expires }, now)?;
        let old = &mut set.keys[index];
        old.expires = Some(expires.map_or(truncate_to_second(end), |expires| expires.min(truncate_to_second(end))));
        old.replaced_by = Some(new);
        Ok(key)
    })
}

/// Returns the entries of all keys with their usage, in the order of their creation.
///
/// # Errors
/// Fails if the keys or their usage cannot be read or are invalid.
pub fn list(storage: &dyn KeyStorage) -> Result<Vec<(Entry, Usage)>, KeyError> {
    let (mut set, _) = storage.load()?;
    check_keys(storage, &mut set)?;
    let usages = storage.load_usages()?;
    let with_usage = |entry: Entry| {
        let usage = usages.get(&*entry.id).copied().unwrap_or_default();
        (entry, usage)
    };
    Ok(set.keys.into_iter().map(with_usage).collect())
}

/// Copies the keys of a storage with their usage to another storage, so that clients need no new keys. Keys that the
/// other storage has already stay there as they are. Returns the number of copied keys. Both storages need the same
/// pepper.
///
/// # Errors
/// Fails if one of the storages cannot be read, the pepper of one of them is missing or differs, another key with the
/// same id exists, or the keys cannot be stored. If only the usage cannot be stored, the keys have been copied.
pub fn copy(from: &dyn KeyStorage, to: &dyn KeyStorage) -> Result<usize, KeyError> {
    let (mut source, _) = from.load()?;
    check_keys(from, &mut source)?;
    if source.keys.is_empty() {
        return Ok(0);
    }
    let fingerprint = pepper_of(from, &source)?.fingerprint();
    let copied = change(to, |set| {
        if set.keys.is_empty() {
            set.pepper = Some(fingerprint.clone());
        }
        let mut copied = Vec::new();
        for entry in &source.keys {
            match set.keys.iter().find(|other| other.id == entry.id) {
                None => copied.push(entry.clone()),
                Some(other) if other.hash == entry.hash => {}
                Some(_) => return Err(KeyError::Conflict { location: to.location(), id: entry.id.clone() }),
            }
        }
        set.keys.extend(copied.iter().cloned());
        if pepper_of(to, set)?.fingerprint() != fingerprint {
            return Err(KeyError::WrongPepper { location: from.location(), pepper_file: to.pepper_file() });
        }
        Ok(copied)
    })?;
    let used = from.load_usages()?;
    let mut now = to.load_usages()?;
    let before = now.clone();
    now.extend(
        copied.iter().filter_map(|entry| used.get_key_value(&*entry.id)).map(|(id, usage)| (id.clone(), *usage)),
    );
    if now != before {
        to.record_usages(&before, &now)?;
        to.close();
    }
    Ok(copied.len())
}

/// Changes the keys of a storage, and returns the result of the last call of `change`.
fn change<T>(
    storage: &dyn KeyStorage,
    mut change: impl FnMut(&mut KeySet) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    let mut result = None;
    storage.change(&mut |set| {
        check_keys(storage, set)?;
        result = Some(change(set)?);
        Ok(())
    })?;
    result.ok_or_else(|| KeyError::storage(storage.location(), "the storage has changed nothing"))
}

/// Truncates a time to whole seconds, because times are shown and compared in seconds.
fn truncate_to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn entry_index(storage: &dyn KeyStorage, set: &KeySet, id: &str) -> Result<usize, KeyError> {
    if !token::is_id(id) {
        return Err(KeyError::InvalidId);
    }
    let unknown = || KeyError::UnknownId { location: storage.location(), id: id.to_owned() };
    set.keys.iter().position(|entry| entry.id == id).ok_or_else(unknown)
}

/// Creates a key and adds its entry. Returns the id of the key and the key.
fn create_key(
    storage: &dyn KeyStorage,
    set: &mut KeySet,
    new: NewKey,
    now: Timestamp,
) -> Result<(String, String), KeyError> {
    // Without keys, no hash depends on an old pepper, so that a missing pepper can be created.
    let pepper = if set.keys.is_empty() {
        let pepper = first_pepper(storage)?;
        set.pepper = Some(pepper.fingerprint());
        pepper
    } else {
        pepper_of(storage, set)?
    };
    let id = loop {
        let id = token::format_id(getrandom::u32().map_err(|_| KeyError::Random)?);
        if set.keys.iter().all(|entry| entry.id != id) {
            break id;
        }
    };
    let mut bytes = [0; token::SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    let secret = token::format_secret(&bytes);
    let key = token::format_key(&id, &secret);
    let NewKey { name, scope, files, limit, expires } = new;
    let hash = hex::encode(pepper.mac(&secret).finalize().into_bytes());
    let (created, expires) = (truncate_to_second(now), expires.map(truncate_to_second));
    let patterns = if files.is_empty() { None } else { Some(FilePatterns::new(&files).map_err(KeyError::Pattern)?) };
    let entry =
        Entry { id: id.clone(), hash, name, scope, files, patterns, limit, created, expires, replaced_by: None };
    set.keys.push(entry);
    Ok((id, key))
}
