//! The format of keys: `rb_<id>_<secret><checksum>`. It has only letters and digits apart from the two `_`, so that a double
//! click selects a key, and URLs and shells need not quote it.
//!
//! The id has 8 hexadecimal digits. The secret is 40 random bytes as 54 digits in base 62. The checksum is the CRC-32 of the
//! text before it as 6 such digits, as in GitHub's tokens: it detects mistyped keys without a lookup.

use flate2::Crc;

/// The prefix of keys, by which secret scanners find leaked keys.
const PREFIX: &str = "rb_";
/// The number of digits of an id.
const ID: usize = 8;
/// The number of random bytes of a secret.
pub(super) const SECRET: usize = 40;
/// The number of digits of a secret: the minimum for 40 bytes.
const SECRET_DIGITS: usize = 54;
/// The number of digits of a checksum.
const CHECKSUM_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The parts of a key.
pub(super) struct Token<'k> {
    /// The id, by which the key is looked up.
    pub(super) id: &'k str,
    /// The secret, which only the holder of the key knows.
    pub(super) secret: &'k str,
}

/// Why a token is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// The token does not have the format of a key.
    Format,
    /// The token has the format of an earlier version, in which keys had no ids.
    OldFormat,
    /// The checksum is wrong.
    Checksum,
}

/// Parses a key.
pub(super) fn parse(key: &str) -> Result<Token<'_>, TokenError> {
    let rest = key.strip_prefix(PREFIX).ok_or(TokenError::Format)?;
    if rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(TokenError::OldFormat);
    }
    let (id, secret) = rest.split_once('_').ok_or(TokenError::Format)?;
    let is_alphanumeric = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id(id) || !is_alphanumeric || secret.len() != SECRET_DIGITS + CHECKSUM_DIGITS {
        return Err(TokenError::Format);
    }
    let (secret, sum) = secret.split_at(SECRET_DIGITS);
    let summed = &key[..key.len() - CHECKSUM_DIGITS];
    if checksum(summed) == sum { Ok(Token { id, secret }) } else { Err(TokenError::Checksum) }
}

/// Returns `true` if the text has the format of an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Formats an id.
pub(super) fn id(number: u32) -> String {
    format!("{number:08x}")
}

/// Formats a secret.
pub(super) fn secret(bytes: &[u8; SECRET]) -> String {
    base62(bytes, SECRET_DIGITS)
}

/// Formats a key with this id and this formatted secret.
pub(super) fn format(id: &str, secret: &str) -> String {
    let key = format!("{PREFIX}{id}_{secret}");
    let sum = checksum(&key);
    key + &sum
}

fn checksum(text: &str) -> String {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    base62(&crc.sum().to_be_bytes(), CHECKSUM_DIGITS)
}

/// Formats a number in base 62, with its most significant byte first and this number of digits.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut text: Vec<char> = (0..digits)
        .map(|_| {
            let digit = number.iter_mut().fold(0, |remainder, byte| {
                let dividend = remainder * 256 + usize::from(*byte);
                // The remainder is less than 62, so the quotient is less than 256.
                *byte = (dividend / 62) as u8;
                dividend % 62
            });
            char::from(DIGITS[digit])
        })
        .collect();
    text.reverse();
    text.into_iter().collect()
}
