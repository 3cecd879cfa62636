//! The users of all files of a definition, and the credentials that have been verified.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::hmac;
use ring::rand::SystemRandom;
use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;

use super::password::StoredHash;
use super::user_file::Users;

/// The maximum number of credentials that all workers together remember.
const MAX_VERIFIED: usize = 10_000;

/// The users of all files, with the credentials that have been verified. If one of the files changes, a new value
/// replaces this one, so that all credentials are verified again.
pub struct AllUsers {
    files: Vec<Arc<Users>>,
    /// The credentials that a worker has verified.
    pub verified: VerifiedCredentials<Identity>,
    /// The keyed hashes of the credentials that any worker has verified, with the files that accept the credential.
    verified_by_any: Mutex<HashMap<Vec<u8>, Accepting>>,
    key: Option<hmac::Key>,
}

/// The indexes of the files that accept a credential.
pub type Accepting = Vec<usize>;

impl AllUsers {
    pub fn new(files: Vec<Arc<Users>>) -> Self {
        Self {
            files,
            verified: VerifiedCredentials::new(),
            verified_by_any: Mutex::default(),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
        }
    }

    /// Returns the users of each file.
    pub fn files(&self) -> &[Arc<Users>] {
        &self.files
    }

    pub fn is_empty(&self) -> bool {
        self.any_hash().is_none()
    }

    fn any_hash(&self) -> Option<&StoredHash> {
        self.files.iter().find_map(|users| users.any_hash())
    }

    /// Verifies a password with the hash of each file that contains the user, and returns the files that accept it:
    /// all of them, or only the first one. The call takes a long time.
    pub fn verify(&self, name: &str, password: &str, only_first: bool) -> Accepting {
        let verified = self.hashes(name).into_iter().filter(|(_, hash)| hash.verify(password));
        verified.filter_map(|(file, _)| file).take(if only_first { 1 } else { usize::MAX }).collect()
    }

    /// Returns the hashes that are computed for a password of this name, with the indexes of their files. For an
    /// unknown name, it is the hash of any user, which belongs to no file, so that the response takes as long as for a
    /// wrong password.
    fn hashes(&self, name: &str) -> Vec<(Option<usize>, &StoredHash)> {
        let files = self.files.iter().enumerate();
        let mut hashes: Vec<_> =
            files.filter_map(|(index, users)| Some((Some(index), &users.find(name)?.hash))).collect();
        if hashes.is_empty() {
            hashes.extend(self.any_hash().map(|hash| (None, hash)));
        }
        hashes
    }

    /// Returns a new identity, which shares no reference count with the identities of other workers. It has the name
    /// that the first accepting file gives it, and the permissions of all of them. Returns `None` if no file accepts
    /// the credential.
    pub fn identity(&self, name: &str, accepting: &[usize]) -> Option<Identity> {
        let first = self.files.get(*accepting.first()?)?;
        let mut permissions: Vec<&str> = Vec::new();
        for user in accepting.iter().filter_map(|index| self.files.get(*index)?.find(name)) {
            for permission in &user.permissions {
                if !permissions.contains(&permission.as_str()) {
                    permissions.push(permission);
                }
            }
        }
        Some(Identity::new(name, permissions).with_namespace(&first.namespace))
    }

    /// Returns the files that accept a credential which any worker has verified.
    pub fn recall(&self, credential: &str) -> Option<Accepting> {
        let tag = hmac::sign(self.key.as_ref()?, credential.as_bytes());
        self.verified_by_any.lock().unwrap_or_else(PoisonError::into_inner).get(tag.as_ref()).cloned()
    }

    /// Remembers for all workers that a credential has been verified.
    pub fn remember(&self, credential: &str, accepting: Accepting) {
        let Some(key) = &self.key else { return };
        let tag = hmac::sign(key, credential.as_bytes()).as_ref().to_vec();
        let mut verified = self.verified_by_any.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(tag, accepting);
    }
}
