//! The format of keys, `rb_<id>_<secret><checksum>`, and the pepper with which their secrets are hashed. A key contains
//! only letters, digits and `_`, so that a double click selects all of it, and so that it needs no quoting in URLs and
//! shells.
//!
//! The id has 8 hexadecimal digits. The secret is 40 random bytes, written as 54 digits in base 62. The checksum is the
//! CRC-32 of all text before it, written as 6 digits in base 62. As in GitHub's tokens, the checksum shows without a
//! lookup that a key is mistyped.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use flate2::Crc;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

use super::KeyError;
use crate::secret;

/// The prefix of every key, by which secret scanners recognise leaked keys.
const KEY_PREFIX: &str = "rb_";
const ID_DIGITS: usize = 8;
pub(super) const SECRET_BYTES: usize = 40;
/// The number of base 62 digits of a secret: 40 bytes need at least 54.
const SECRET_DIGITS: usize = 54;
const CHECKSUM_DIGITS: usize = 6;
const BASE62_DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The parts of a key, without its checksum.
pub(super) struct Token<'k> {
    /// The id, by which the key is looked up in the table.
    pub(super) id: &'k str,
    /// The secret, which only the user of the key knows.
    pub(super) secret: &'k str,
}

/// The error is a reason for the log, which quotes nothing from the key.
pub(super) fn parse(key: &str) -> Result<Token<'_>, &'static str> {
    const NO_KEY: &str = "the token is not a key";
    let rest = key.strip_prefix(KEY_PREFIX).ok_or(NO_KEY)?;
    if rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("the key has the format of an earlier version and has to be replaced");
    }
    let (id, secret) = rest.split_once('_').ok_or(NO_KEY)?;
    let is_alphanumeric = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id(id) || !is_alphanumeric || secret.len() != SECRET_DIGITS + CHECKSUM_DIGITS {
        return Err(NO_KEY);
    }
    let (secret, sum) = secret.split_at(SECRET_DIGITS);
    if checksum(&key[..key.len() - CHECKSUM_DIGITS]) != *sum.as_bytes() {
        return Err("the key is mistyped or truncated: its checksum is wrong");
    }
    Ok(Token { id, secret })
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn format_id(number: u32) -> String {
    format!("{number:08x}")
}

pub(super) fn format_secret(bytes: &[u8; SECRET_BYTES]) -> String {
    // The number with these bytes, the most significant byte first, is divided by 62 until it has no more digits.
    let mut number = bytes.to_vec();
    let mut text: Vec<char> = (0..SECRET_DIGITS)
        .map(|_| {
            let digit = number.iter_mut().fold(0, |remainder, byte| {
                let dividend = remainder * 256 + usize::from(*byte);
                // `remainder` is less than 62, so that the quotient is less than 256.
                *byte = (dividend / 62) as u8;
                dividend % 62
            });
            char::from(BASE62_DIGITS[digit])
        })
        .collect();
    text.reverse();
    text.into_iter().collect()
}

/// Formats a key from its id and its secret, and adds the checksum.
pub(super) fn format_key(id: &str, secret: &str) -> String {
    let mut key = format!("{KEY_PREFIX}{id}_{secret}");
    let sum = checksum(&key);
    key.extend(sum.map(char::from));
    key
}

/// Returns the checksum of a text. Every request with a key computes it, so that it must not allocate memory.
fn checksum(text: &str) -> [u8; CHECKSUM_DIGITS] {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    let mut number = crc.sum() as usize;
    let mut digits = [0; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62_DIGITS[number % 62];
        number /= 62;
    }
    digits
}

// The pepper: a secret of the server that is part of the hash of every key. An attacker who has the key file but not
// the pepper cannot check guesses of keys.

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
