//! Making, replacing and revoking keys.

use std::path::Path;

use hmac::Mac;
use jiff::Timestamp;

use super::file::{self, Entry, File, Limit};
use super::pepper::Pepper;
use super::usage::{self, Usage};
use super::{KeyError, token};
use crate::filename::Patterns;

/// What a new key is to be.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Whose it is.
    pub name: String,
    /// The permissions that it gives.
    pub scope: Vec<String>,
    /// The patterns of the stored files that it may name; those that the definition lets everybody name where there are
    /// none.
    pub files: Vec<String>,
    /// How many requests it is good for; as many as come where it is not said.
    pub limit: Option<Limit>,
    /// From when on it is refused; never where it is not said.
    pub expires: Option<Timestamp>,
}

/// Makes a key, keeps its hash, and gives the key: it is kept nowhere else.
///
/// # Errors
/// The file cannot be read or replaced, is not a key file, or its pepper is missing or another one; or a pattern is
/// none.
pub fn add(path: &Path, wish: Wish) -> Result<String, KeyError> {
    file::change(path, |file| make(path, file, wish).map(|(_, key)| key))
}

/// Has a key refused from now on, and gives what was kept of it.
///
/// # Errors
/// As for [`add`], or there is no such key.
pub fn revoke(path: &Path, id: &str) -> Result<Entry, KeyError> {
    file::change(path, |file| position(path, file, id).map(|index| file.keys.remove(index)))
}

/// Makes a key that gives what another gives, and has that one refused from `end` on, if not before.
///
/// # Errors
/// As for [`add`], or there is no such key, or it has expired or been replaced.
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
        let (new, key) = make(path, file, Wish { name, scope, files, limit, expires })?;
        let old = &mut file.keys[index];
        old.expires = Some(expires.map_or(whole(end), |expires| expires.min(whole(end))));
        old.replaced_by = Some(new);
        Ok(key)
    })
}

/// What is kept of all keys, the oldest first, and what they have been used for.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
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

/// The second in which a time is: what people read, and all that is compared.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn position(path: &Path, file: &File, id: &str) -> Result<usize, KeyError> {
    if !token::is_id(id) {
        return Err(KeyError::NoId);
    }
    let unknown = || KeyError::Unknown { file: path.to_owned(), id: id.to_owned() };
    file.keys.iter().position(|entry| entry.id == id).ok_or_else(unknown)
}

/// A key's id and the key, whose hash is in the file now.
fn make(path: &Path, file: &mut File, wish: Wish) -> Result<(String, String), KeyError> {
    // Where there are keys, a pepper that has gone is no reason for another one.
    let pepper = if file.keys.is_empty() {
        Pepper::of_or_made(path)?
    } else {
        Pepper::of(path)?.ok_or_else(|| KeyError::NoPepper { file: path.to_owned() })?
    };
    let mark = pepper.mark();
    if file.keys.is_empty() {
        file.pepper = Some(mark);
    } else if file.pepper.as_ref().is_some_and(|known| *known != mark) {
        return Err(KeyError::OtherPepper { file: path.to_owned() });
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
    let key = token::write(&id, &secret);
    let Wish { name, scope, files, limit, expires } = wish;
    let hash = hex::encode(pepper.mac(&secret).finalize().into_bytes());
    let (created, expires) = (whole(Timestamp::now()), expires.map(whole));
    let patterns = if files.is_empty() { None } else { Some(Patterns::new(&files).map_err(KeyError::Pattern)?) };
    let entry =
        Entry { id: id.clone(), hash, name, scope, files, patterns, limit, created, expires, replaced_by: None };
    file.keys.push(entry);
    Ok((id, key))
}
