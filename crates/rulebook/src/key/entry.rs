//! The entries of keys, as storages store them.

use std::collections::HashSet;

use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;
use serde::{Deserialize, Serialize};

use super::error::KeyEntryError;
use super::token;

/// The entry of one key in a storage. Its JSON representation is that of the key file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// The id of the key: 8 hexadecimal digits.
    pub id: String,
    /// The HMAC-SHA-256 of the key's secret with the server's pepper, in hexadecimal.
    pub hash: String,
    /// The name of the person or program that uses the key.
    pub name: String,
    /// The permissions that requests with the key have.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access; empty if it does not restrict files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The compiled `files`; `None` if the entry has no patterns.
    #[serde(skip)]
    pub(super) patterns: Option<FilePatterns>,
    /// The rate limit of the key; `None` if the key has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The time at which the key was created.
    pub created: Timestamp,
    /// The time at which the key expires; `None` if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The id of the key that has replaced this key; `None` if this key has not been replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// The rate limit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The maximum number of requests in one period, at least 1.
    pub requests: u32,
    /// The length of the period.
    pub per: Per,
}

/// The period of a rate limit. A period begins with a minute, an hour or a day of the clock in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// The time until the key is revoked or expires.
    Ever,
}

impl Per {
    /// Returns the length of the period in seconds; 0 for [`Per::Ever`].
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
            Self::Ever => 0,
        }
    }
}

/// Checks entries, and compiles their file patterns. The error contains the index of the invalid entry.
pub(super) fn check_entries(entries: &mut [Entry]) -> Result<(), (usize, KeyEntryError)> {
    let mut ids = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let error = match entry {
            _ if !token::is_id(&entry.id) => KeyEntryError::Id,
            _ if decode_hash(&entry.hash).is_none() => KeyEntryError::Hash,
            Entry { limit: Some(Limit { requests: 0, .. }), .. } => KeyEntryError::Limit,
            _ if !ids.insert(entry.id.as_str()) => KeyEntryError::DuplicateId,
            _ => continue,
        };
        return Err((index, error));
    }
    for (index, entry) in entries.iter_mut().enumerate() {
        if !entry.files.is_empty() && entry.patterns.is_none() {
            entry.patterns = Some(FilePatterns::new(&entry.files).map_err(|_| (index, KeyEntryError::Files))?);
        }
    }
    Ok(())
}

/// Decodes a hash of 64 hexadecimal digits; `None` if the text has another format.
pub(super) fn decode_hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}
