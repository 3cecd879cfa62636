//! The pepper: a secret of the server that is part of the hash of every key. An attacker who has the key file but not
//! the pepper cannot check guesses of keys.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

use super::KeyError;
use crate::secret;

const PEPPER_VARIABLE: &str = "RULEBOOK_PEPPER";
/// The length of a pepper in bytes: the block size of SHA-256, because HMAC would hash a longer secret (RFC 2104
/// section 3).
const PEPPER_LEN: usize = 64;
/// The minimum length of the environment variable's value, in bytes.
const MIN_VARIABLE_LEN: usize = 32;

/// The number of hexadecimal digits after `hex:` in the environment variable.
const PEPPER_DIGITS: usize = 2 * PEPPER_LEN;

/// The pepper: the value of `RULEBOOK_PEPPER` or, if the variable is not set, of the file `pepper` in the data folder.
///
/// It is stored as an HMAC that has been initialized with the pepper, so that a request only needs to clone the HMAC.
#[derive(Clone)]
pub(super) struct Pepper(Hmac<Sha256>);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

impl Pepper {
    /// Reads the pepper, which may be in this file. Returns `None` if there is no pepper yet.
    pub(super) fn read(file: Option<&Path>) -> Result<Option<Self>, KeyError> {
        if let Some(pepper) = Self::from_environment()? {
            return Ok(Some(pepper));
        }
        let Some(file) = file else { return Ok(None) };
        match secret::read(file) {
            Ok(secret) => Ok(Some(Self::new(&secret))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyError::Pepper(error)),
        }
    }

    /// Reads the pepper, which may be in this file. If there is no pepper yet, creates the file.
    pub(super) fn read_or_create(file: &Path) -> Result<Self, KeyError> {
        if let Some(pepper) = Self::from_environment()? {
            return Ok(pepper);
        }
        secret::read_or_create(file).map(|secret| Self::new(&secret)).map_err(KeyError::Pepper)
    }

    /// Returns a random pepper that is not stored, for a storage without keys.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut secret = [0; PEPPER_LEN];
        getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
        Ok(Self::new(&secret))
    }

    /// Reads the pepper from the environment variable; `None` if the variable is empty or not set. After `hex:`, the
    /// value is the content of a file in hexadecimal, for servers that continue to use its pepper.
    fn from_environment() -> Result<Option<Self>, KeyError> {
        let Some(text) = std::env::var_os(PEPPER_VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
        let text = text.as_encoded_bytes();
        if text.len() < MIN_VARIABLE_LEN {
            return Err(KeyError::ShortPepper { min: MIN_VARIABLE_LEN });
        }
        if let Some(digits) = text.strip_prefix(b"hex:") {
            let mut secret = [0; PEPPER_LEN];
            let decoded = hex::decode_to_slice(digits, &mut secret);
            return decoded
                .map(|()| Some(Self::new(&secret)))
                .map_err(|_| KeyError::PepperDigits { digits: PEPPER_DIGITS });
        }
        Ok(Some(Self::new(&Sha512::digest(text).into())))
    }

    fn new(secret: &[u8; PEPPER_LEN]) -> Self {
        Self(Hmac::new(secret.into()))
    }

    /// Returns the HMAC of a key's secret, before it is finalized.
    pub(super) fn mac(&self, secret: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(secret.as_bytes());
        mac
    }

    /// Returns the fingerprint that is stored with the keys, by which this pepper is distinguished from other peppers.
    pub(super) fn fingerprint(&self) -> String {
        // This HMAC cannot be the hash of a key, because the secret of a key is longer than this text.
        hex::encode(&self.mac("pepper").finalize().into_bytes()[..8])
    }
}
