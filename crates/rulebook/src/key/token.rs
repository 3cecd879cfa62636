//! The format of keys: `rb_<id>_<secret><checksum>`. A key contains only letters, digits and `_`, so that a double
//! click selects all of it, and so that it needs no quoting in URLs and shells.
//!
//! The id has 8 hexadecimal digits. The secret is 40 random bytes, written as 54 digits in base 62. The checksum is the
//! CRC-32 of all text before it, written as 6 digits in base 62. As in GitHub's tokens, the checksum shows without a
//! lookup that a key is mistyped.

use flate2::Crc;

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

/// Why a bearer token is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyTokenError {
    Format,
    /// The token is a key of an earlier version of rulebook, in which keys had no ids.
    OldFormat,
    Checksum,
}

/// Splits a key into its parts, and checks its format and its checksum.
pub(super) fn parse(key: &str) -> Result<Token<'_>, KeyTokenError> {
    let rest = key.strip_prefix(KEY_PREFIX).ok_or(KeyTokenError::Format)?;
    if rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(KeyTokenError::OldFormat);
    }
    let (id, secret) = rest.split_once('_').ok_or(KeyTokenError::Format)?;
    let is_alphanumeric = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id(id) || !is_alphanumeric || secret.len() != SECRET_DIGITS + CHECKSUM_DIGITS {
        return Err(KeyTokenError::Format);
    }
    let (secret, sum) = secret.split_at(SECRET_DIGITS);
    let summed = &key[..key.len() - CHECKSUM_DIGITS];
    if checksum(summed) == *sum.as_bytes() { Ok(Token { id, secret }) } else { Err(KeyTokenError::Checksum) }
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Formats a random number as an id.
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
