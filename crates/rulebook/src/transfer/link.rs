//! The format of download links. The server signs each link with a secret key, so that a client can neither create nor
//! change a link.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The prefix of every link's path.
pub const LINK_PREFIX: &str = "/-/downloads/";

/// The secret key with which servers sign download links. Its `Debug` form does not contain the key.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey([u8; 64]);

impl LinkKey {
    /// The length of a key in bytes: the block size of SHA-256, because HMAC would hash a longer key (RFC 2104 section
    /// 3).
    pub const LEN: usize = 64;

    /// Creates the key from random bytes.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the key, for a storage that stores them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// Identifies a download link: its random nonce, and the time at which it expires. The text form, which
/// [`LinkId::parse`] reads, is `EXPIRES-NONCE`, and can be the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkId {
    /// 128 random bits as 32 hexadecimal digits.
    nonce: String,
    expires: u64,
}

impl LinkId {
    /// Creates an id from random bytes and the time at which the link expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn new(nonce: [u8; 16], expires: u64) -> Self {
        Self { nonce: hex::encode(nonce), expires }
    }

    /// Parses the text form of an id; `None` if the text has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (expires, nonce) = text.split_once('-')?;
        Self::from_parts(nonce, expires)
    }

    /// Returns the nonce as 32 hexadecimal digits. No two links have the same nonce.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Returns the time at which the link expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// Returns the path and the query of the link, with its signature. The result is an absolute-path reference (RFC
    /// 3986 section 4.2).
    #[must_use]
    pub(crate) fn path_and_query(&self, key: &LinkKey) -> String {
        let signature = hex::encode(self.mac(key).finalize().into_bytes());
        format!("{LINK_PREFIX}{}?expires={}&signature={signature}", self.nonce, self.expires)
    }

    /// Parses the path and the query of a link, and verifies the signature in constant time. Returns `None` unless
    /// [`LinkId::path_and_query`] returned this path and this query for the same key.
    #[must_use]
    pub(crate) fn verify(path: &str, query: &str, key: &LinkKey) -> Option<Self> {
        let nonce = path.strip_prefix(LINK_PREFIX)?;
        let (expires, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
        let link = Self::from_parts(nonce, expires)?;
        // Each link has one form, so that caches and logs do not see several addresses of the same file.
        let signature = hex::decode(signature).ok().filter(|bytes| hex::encode(bytes) == signature)?;
        link.mac(key).verify_slice(&signature).is_ok().then_some(link)
    }

    /// Parses the nonce and the expiry time of a link; `None` unless both have the form in which links are written.
    fn from_parts(nonce: &str, expires: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let seconds: u64 = expires.parse().ok()?;
        let canonical = nonce.len() == 32 && nonce.bytes().all(is_digit) && seconds.to_string() == expires;
        canonical.then(|| Self { nonce: nonce.to_owned(), expires: seconds })
    }

    fn mac(&self, key: &LinkKey) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&key.0).into());
        // The prefix, the time and the nonce contain no line feeds, so that the signed text is unambiguous.
        mac.update(format!("{LINK_PREFIX}\n{}\n{}", self.expires, self.nonce).as_bytes());
        mac
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.expires, self.nonce)
    }
}
