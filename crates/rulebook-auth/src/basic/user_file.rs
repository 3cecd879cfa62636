//! The file with the users: the format of `htpasswd`, with permissions as third field.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use ring::hmac;
use ring::rand::SystemRandom;
use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;

use super::password::StoredHash;
use crate::template::{Template, name_claims};

/// The maximum size of the file in bytes.
const MAX_SIZE: u64 = 16 << 20;
/// The maximum number of credentials that all workers together remember.
const MAX_VERIFIED: usize = 10_000;

/// A user in the file.
pub struct User {
    pub hash: StoredHash,
    permissions: Vec<String>,
}

/// The users in the file, with the credentials that have been verified. If the file changes, a new value replaces this
/// one, so that all credentials are verified again.
pub struct Users {
    by_name: HashMap<String, User>,
    /// The hash that is verified for an unknown name, so that its response takes as long as for a wrong password.
    pub any_hash: Option<StoredHash>,
    /// The credentials that a worker has verified.
    pub verified: VerifiedCredentials<Identity>,
    /// The keyed hashes of the credentials that any worker has verified.
    verified_by_any: Mutex<HashSet<Vec<u8>>>,
    key: Option<hmac::Key>,
    pub stamp: Stamp,
}

/// What changes if a file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    pub fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len()))).ok())
    }
}

impl Users {
    /// Reads the file. Every user also gets the permissions of the templates.
    ///
    /// # Errors
    /// Fails if the file cannot be read or has an invalid line. The error is a message, which contains no hash.
    pub fn read(path: &Path, templates: &[Template]) -> Result<Self, String> {
        let error = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let stamp = Stamp::of(path);
        if stamp.0.is_some_and(|(_, size)| size > MAX_SIZE) {
            return Err(error(&format_args!("the file is larger than {MAX_SIZE} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|reason| error(&reason))?;
        let mut by_name = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let in_line = |reason: &str| error(&format_args!("line {}: {reason}", index + 1));
            let (name, user) = parse_line(line, templates).map_err(|reason| in_line(&reason))?;
            if by_name.insert(name, user).is_some() {
                return Err(in_line("a user of this name is in the file already"));
            }
        }
        Ok(Self {
            any_hash: by_name.values().next().map(|user| user.hash.clone()),
            by_name,
            verified: VerifiedCredentials::new(),
            verified_by_any: Mutex::default(),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            stamp,
        })
    }

    /// Returns the number of users.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn find(&self, name: &str) -> Option<&User> {
        self.by_name.get(name)
    }

    /// Returns `true` if any worker has verified this credential.
    pub fn is_verified(&self, credential: &str) -> bool {
        let Some(key) = &self.key else { return false };
        let tag = hmac::sign(key, credential.as_bytes());
        self.verified_by_any.lock().unwrap_or_else(PoisonError::into_inner).contains(tag.as_ref())
    }

    /// Remembers for all workers that a credential has been verified.
    pub fn remember(&self, credential: &str) {
        let Some(key) = &self.key else { return };
        let tag = hmac::sign(key, credential.as_bytes()).as_ref().to_vec();
        let mut verified = self.verified_by_any.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(tag);
    }
}

impl User {
    /// Returns a new identity, which shares no reference count with the identities of other workers.
    pub fn identity(&self, name: &str, namespace: &str) -> Identity {
        Identity::new(name, self.permissions.iter().map(String::as_str)).with_namespace(namespace)
    }
}

/// Parses a line: a name, a hash, and optionally permissions, separated by colons.
fn parse_line(line: &str, templates: &[Template]) -> Result<(String, User), String> {
    let (name, rest) = line.split_once(':').ok_or("a line has the form `name:hash` or `name:hash:permissions`")?;
    let (hash, permissions) = rest.split_once(':').unwrap_or((rest, ""));
    if name.is_empty() || name.contains(char::is_control) {
        return Err("the name is not valid".to_owned());
    }
    let hash = StoredHash::parse(hash)?;
    let claims = name_claims(name);
    let listed = permissions.split([',', ' ']).filter(|permission| !permission.is_empty()).map(str::to_owned);
    let permissions = listed.chain(templates.iter().flat_map(|template| template.permissions(&claims))).collect();
    Ok((name.to_owned(), User { hash, permissions }))
}
