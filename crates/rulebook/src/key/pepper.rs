//! The pepper: a secret of the server that is part of the hashes of keys. Without it, the key file is useless to an
//! attacker.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

use super::KeyError;
use crate::secret;

/// The environment variable for the pepper.
const VARIABLE: &str = "RULEBOOK_PEPPER";
/// The length of a pepper in bytes: a block of the hash function (RFC 2104 section 3).
const BYTES: usize = 64;
/// The minimum length of a pepper in the environment variable, in bytes.
const MIN_LEN: usize = 32;

/// The secret in the hashes of keys: `RULEBOOK_PEPPER`, or the file `pepper` beside the key file if it is not set.
///
/// Stored as an HMAC that is initialized with the secret, so that requests need not initialize one.
pub(super) struct Pepper(Hmac<Sha256>);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

impl Pepper {
    /// Reads the pepper of a key file. Returns `None` if it does not exist yet.
    pub(super) fn read(keys: &Path) -> Result<Option<Self>, KeyError> {
        if let Some(pepper) = Self::from_environment()? {
            return Ok(Some(pepper));
        }
        match secret::read(&file(keys)) {
            Ok(secret) => Ok(Some(Self::new(&secret))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyError::Pepper(error)),
        }
    }

    /// Reads the pepper of a key file, and creates the pepper if it does not exist.
    pub(super) fn read_or_create(keys: &Path) -> Result<Self, KeyError> {
        if let Some(pepper) = Self::from_environment()? {
            return Ok(pepper);
        }
        secret::read_or_create(&file(keys)).map(|secret| Self::new(&secret)).map_err(KeyError::Pepper)
    }

    /// A random pepper, for a key file without keys.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
        Ok(Self::new(&secret))
    }

    /// Reads the environment variable.
    fn from_environment() -> Result<Option<Self>, KeyError> {
        let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
        let text = text.as_encoded_bytes();
        if text.len() < MIN_LEN {
            return Err(KeyError::ShortPepper { min: MIN_LEN });
        }
        Ok(Some(Self::new(&Sha512::digest(text).into())))
    }

    fn new(secret: &[u8; BYTES]) -> Self {
        Self(Hmac::new(secret.into()))
    }

    /// The HMAC of a secret, before its finalization.
    pub(super) fn mac(&self, secret: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(secret.as_bytes());
        mac
    }

    /// The fingerprint in the key file, which distinguishes this pepper from others.
    pub(super) fn fingerprint(&self) -> String {
        // This is not the hash of a key, because secrets of keys are longer.
        hex::encode(&self.mac("pepper").finalize().into_bytes()[..8])
    }
}

fn file(keys: &Path) -> PathBuf {
    keys.with_file_name("pepper")
}
