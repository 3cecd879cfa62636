//! The format of download links. The server signs each link with a secret key, so that a client can neither create nor
//! change a link.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The prefix of every link's path.
pub const LINK_PREFIX: &str = "/-/downloads/";

/// The length of the signing key in bytes: the block size of SHA-256, because HMAC would hash a longer key (RFC 2104
/// section 3).
pub const LINK_KEY_LEN: usize = 64;

/// The secret key with which the server signs links.
pub struct LinkKey(pub [u8; LINK_KEY_LEN]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// A link with which a client can download one file until a fixed time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLink {
    /// 128 random bits as 32 hexadecimal digits, by which the server finds the file.
    nonce: String,
    /// The time at which the link expires, in seconds since the Unix epoch.
    pub expires: u64,
}

impl SignedLink {
    /// Creates a link from random bytes. `expires` is the time at which it expires, in seconds since the Unix epoch.
    #[must_use]
    pub fn new(nonce: [u8; 16], expires: u64) -> Self {
        Self { nonce: hex::encode(nonce), expires }
    }

    /// Returns the path and the query of the link, with its signature. The result is an absolute-path reference (RFC
    /// 3986 section 4.2).
    #[must_use]
    pub fn path_and_query(&self, key: &LinkKey) -> String {
        let signature = hex::encode(self.mac(key).finalize().into_bytes());
        format!("{LINK_PREFIX}{}?expires={}&signature={signature}", self.nonce, self.expires)
    }

    /// Parses the path and the query of a link, and verifies the signature in constant time. Returns `None` unless
    /// [`SignedLink::path_and_query`] returned this path and this query for the same key.
    #[must_use]
    pub fn verify(path: &str, query: &str, key: &LinkKey) -> Option<Self> {
        let nonce = path.strip_prefix(LINK_PREFIX)?;
        let (expires, signature) = query.strip_prefix("expires=")?.split_once("&signature=")?;
        let link = Self::from_parts(nonce, expires)?;
        // Each link has one form, so that caches and logs do not see several addresses of the same file.
        let signature = hex::decode(signature).ok().filter(|bytes| hex::encode(bytes) == signature)?;
        link.mac(key).verify_slice(&signature).is_ok().then_some(link)
    }

    /// Returns the name under which the server stores the file of the link.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.expires, self.nonce)
    }

    /// Parses the name of a file in the folder of links; `None` if the file does not belong to a link.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let (expires, nonce) = name.split_once('-')?;
        Self::from_parts(nonce, expires)
    }

    /// Returns the text for the entity tag of the link's file. The nonce suffices, because the file of a link never
    /// changes.
    #[must_use]
    pub fn entity_tag_text(&self) -> &str {
        &self.nonce
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
