//! How a key is written: `rb_<id>_<secret><checksum>`, all of it letters and digits but for the two `_`, so that a
//! double click selects it and no URL or shell has to quote it.
//!
//! The id is 8 hexadecimal digits, the secret 40 random bytes as 54 digits to the base 62, and the checksum CRC-32 of
//! all before it as 6 such digits, as in GitHub's tokens: a mistyped key, or what only looks like one, is told
//! without asking anybody.

/// What keys begin with, so that leaked ones can be found.
const PREFIX: &str = "rb_";
/// Digits of an id.
const ID: usize = 8;
/// Random bytes of a secret.
pub(super) const SECRET: usize = 40;
/// Digits of a secret: the least that 40 bytes fit in.
const SECRET_DIGITS: usize = 54;
/// Digits of a checksum.
const CHECKSUM_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The parts of a key.
pub(super) struct Token<'k> {
    /// Under which it is kept.
    pub(super) id: &'k str,
    /// What only its holder knows.
    pub(super) secret: &'k str,
}

/// What is wrong with what should be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It does not look like one.
    Shape,
    /// It looks like those that were made before keys had ids.
    Old,
    /// Its checksum is not that of the rest.
    Checksum,
}

/// Takes a key apart.
pub(super) fn parse(key: &str) -> Result<Token<'_>, Flaw> {
    let rest = key.strip_prefix(PREFIX).ok_or(Flaw::Shape)?;
    if rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Flaw::Old);
    }
    let (id, secret) = rest.split_once('_').ok_or(Flaw::Shape)?;
    let digits = secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id(id) || !digits || secret.len() != SECRET_DIGITS + CHECKSUM_DIGITS {
        return Err(Flaw::Shape);
    }
    let (secret, sum) = secret.split_at(SECRET_DIGITS);
    let summed = &key[..key.len() - CHECKSUM_DIGITS];
    if checksum(summed) == sum { Ok(Token { id, secret }) } else { Err(Flaw::Checksum) }
}

/// Whether this could be the id of a key.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id of this number.
pub(super) fn id(number: u32) -> String {
    format!("{number:08x}")
}

/// The text of a secret.
pub(super) fn secret(bytes: &[u8; SECRET]) -> String {
    base62(bytes, SECRET_DIGITS)
}

/// The key of this id and the text of this secret.
pub(super) fn write(id: &str, secret: &str) -> String {
    let key = format!("{PREFIX}{id}_{secret}");
    let sum = checksum(&key);
    key + &sum
}

fn checksum(text: &str) -> String {
    base62(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS)
}

/// A number, its greatest byte first, in so many digits.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut text: Vec<char> = (0..digits)
        .map(|_| {
            let digit = number.iter_mut().fold(0, |rest, byte| {
                let part = rest * 256 + usize::from(*byte);
                // The rest is less than 62, so this is less than 256.
                *byte = (part / 62) as u8;
                part % 62
            });
            char::from(DIGITS[digit])
        })
        .collect();
    text.reverse();
    text.into_iter().collect()
}
