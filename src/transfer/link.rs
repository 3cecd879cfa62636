//! Links to files: signed with a key of the server's, so that nobody else can make or change one.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What is in front of the path of every link.
pub const LINKS: &str = "/-/downloads/";

/// Bytes of a key: a block of the hash, so that none of it is made smaller (RFC 2104 section 3).
pub const KEY: usize = 64;

/// The key that links are signed with.
pub struct Key(pub [u8; KEY]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Which file a link leads to, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// 32 hexadecimal digits that nobody can guess.
    nonce: String,
    /// From when on it leads nowhere, in seconds since the beginning of 1970.
    pub expires: u64,
}

impl Link {
    /// A new one.
    #[must_use]
    pub fn new(nonce: [u8; 16], expires: u64) -> Self {
        Self { nonce: hex::encode(nonce), expires }
    }

    /// Path and query: an absolute-path reference (RFC 3986 section 4.2).
    #[must_use]
    pub fn target(&self, key: &Key) -> String {
        let signature = hex::encode(self.mac(key).finalize().into_bytes());
        format!("{LINKS}{}?expires={}&signature={signature}", self.nonce, self.expires)
    }

    /// The link of a path and a query; none where they are not what [`Link::target`] gave with this key. How long that
    /// takes tells nothing about the signature.
    #[must_use]
    pub fn read(path: &str, query: &str, key: &Key) -> Option<Self> {
        let nonce = path.strip_prefix(LINKS)?;
        let (expires, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
        let link = Self::of(nonce, expires)?;
        let signature = hex::decode(signature).ok()?;
        link.mac(key).verify_slice(&signature).is_ok().then_some(link)
    }

    /// The name that its file is kept under.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.expires, self.nonce)
    }

    /// The link of a file that is kept under this name; none where no link's is.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (expires, nonce) = name.split_once('-')?;
        Self::of(nonce, expires)
    }

    /// A tag of the file: there is never another one of the same link.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.nonce
    }

    /// The link of these, each in the one form in which we write it.
    fn of(nonce: &str, expires: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let seconds: u64 = expires.parse().ok()?;
        let known = nonce.len() == 32 && nonce.bytes().all(is_digit) && seconds.to_string() == expires;
        known.then(|| Self { nonce: nonce.to_owned(), expires: seconds })
    }

    fn mac(&self, key: &Key) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&key.0).into());
        // None of the three can hold what is between them.
        mac.update(format!("{LINKS}\n{}\n{}", self.expires, self.nonce).as_bytes());
        mac
    }
}
