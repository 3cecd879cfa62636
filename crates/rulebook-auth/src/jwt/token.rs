//! The parts of a signed token in its compact form (RFC 7515 section 7.1): `header.claims.signature`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rulebook_model::unique_json;
use serde_json::{Map, Value as Json};

use super::algorithm::Algorithm;

/// The maximum length of a token in bytes. Tokens with hundreds of roles are shorter.
const MAX_TOKEN_LEN: usize = 16 << 10;

/// A token whose signature has not been verified.
pub struct Token<'t> {
    pub algorithm: Algorithm,
    /// The id of the key with which the token claims to be signed. It is only compared with the ids of known keys.
    pub key_id: Option<String>,
    /// The type of the token in the header, `typ`.
    pub token_type: Option<String>,
    pub claims: Map<String, Json>,
    /// The part of the token that is signed.
    pub message: &'t [u8],
    pub signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Reads a token. All members of the header except `alg`, `kid`, `typ` and `crit` are ignored, above all those that
    /// contain a key or refer to one (`jwk`, `jku`, `x5u`, `x5c`).
    ///
    /// # Errors
    /// Returns the reason, for the log.
    pub fn parse(token: &'t str) -> Result<Self, &'static str> {
        if token.len() > MAX_TOKEN_LEN {
            return Err("the token is too long");
        }
        let (message, signature) = token.rsplit_once('.').ok_or("the token is not a JSON Web Token")?;
        let (header, claims) = message.split_once('.').ok_or("the token is not a JSON Web Token")?;
        let header = parse_part(header, "the header of the token is not valid")?;
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err("a member of the token's header is not a string"),
        };
        // Extensions that must be understood (RFC 7515 section 4.1.11). No extension is supported.
        if header.contains_key("crit") {
            return Err("the token needs extensions that are not supported");
        }
        let algorithm = text("alg")?.and_then(|name| Algorithm::named(&name));
        Ok(Self {
            algorithm: algorithm.ok_or("the algorithm of the token is not supported")?,
            key_id: text("kid")?,
            token_type: text("typ")?,
            claims: parse_part(claims, "the claims of the token are not valid")?,
            message: message.as_bytes(),
            signature: decode(signature).ok_or("the signature of the token is not in base64url")?,
        })
    }
}

fn parse_part(part: &str, error: &'static str) -> Result<Map<String, Json>, &'static str> {
    // Parsers that accept repeated members disagree about which of them counts (RFC 7515, section 4).
    match unique_json::parse(&decode(part).ok_or(error)?) {
        Ok(Json::Object(members)) => Ok(members),
        _ => Err(error),
    }
}

/// Decodes base64url without padding (RFC 7515 section 2).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
