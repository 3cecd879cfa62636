//! The pepper: a secret of the server's that the hashes of keys are made with, so that the key file alone is no help in
//! finding a key.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

use super::KeyError;
use crate::secret;

/// The environment variable that holds it.
const VARIABLE: &str = "RULEBOOK_PEPPER";
/// Bytes of a pepper: a block of the hash (RFC 2104 section 3).
const BYTES: usize = 64;
/// The fewest characters of one that people think out.
const FEWEST: usize = 32;

/// The secret that hashes of keys are made with: `RULEBOOK_PEPPER`, else the file `pepper` beside the key file.
///
/// It is kept as a hash that has begun with it, so that no request begins one anew.
pub(super) struct Pepper(Hmac<Sha256>);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

impl Pepper {
    /// The one of this key file; none where there is none yet.
    pub(super) fn of(keys: &Path) -> Result<Option<Self>, KeyError> {
        if let Some(known) = Self::told()? {
            return Ok(Some(known));
        }
        match secret::read(&file(keys)) {
            Ok(secret) => Ok(Some(Self::new(&secret))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyError::Pepper(error)),
        }
    }

    /// The one of this key file, which is made where there is none.
    pub(super) fn of_or_made(keys: &Path) -> Result<Self, KeyError> {
        if let Some(known) = Self::told()? {
            return Ok(known);
        }
        secret::read_or_make(&file(keys)).map(|secret| Self::new(&secret)).map_err(KeyError::Pepper)
    }

    /// One that nobody knows, for where there are no keys.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
        Ok(Self::new(&secret))
    }

    /// The one of the environment.
    fn told() -> Result<Option<Self>, KeyError> {
        let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
        let text = text.as_encoded_bytes();
        if text.len() < FEWEST {
            return Err(KeyError::ShortPepper { fewest: FEWEST });
        }
        Ok(Some(Self::new(&Sha512::digest(text).into())))
    }

    fn new(secret: &[u8; BYTES]) -> Self {
        Self(Hmac::new(secret.into()))
    }

    /// The hash of a secret, not yet finished.
    pub(super) fn mac(&self, secret: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(secret.as_bytes());
        mac
    }

    /// By what the key file tells this pepper from another one.
    pub(super) fn mark(&self) -> String {
        // Secrets of keys are longer, so that this is the hash of none.
        hex::encode(&self.mac("pepper").finalize().into_bytes()[..8])
    }
}

fn file(keys: &Path) -> PathBuf {
    keys.with_file_name("pepper")
}
