//! Reads the keys of an issuer from a JSON Web Key Set (RFC 7517).

use rulebook_model::unique_json;
use serde_json::{Map, Value as Json};

use super::algorithm::{Algorithm, PublicKey};
use super::token::decode;

/// The lengths of RSA moduli in bytes: from 2048 to 8192 bits, which `ring` supports.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A key that can verify signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// The id by which tokens name the key.
    pub id: Option<String>,
    /// The only algorithm for which the key may be used; `None` for all algorithms of its type.
    algorithm: Option<Algorithm>,
    pub key: PublicKey,
}

impl VerificationKey {
    /// Returns `true` if the key may be used for this algorithm.
    pub fn accepts(&self, algorithm: Algorithm) -> bool {
        algorithm.accepts(&self.key) && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

/// Reads a key set. Keys that cannot verify signatures of tokens are ignored (RFC 7517 section 5): keys for encryption,
/// shared secrets, keys of unknown types, and keys that are malformed or too short. So the result can be empty.
///
/// # Errors
/// Fails if the text is not a key set. The error is a message.
pub fn parse_key_set(text: &[u8]) -> Result<Vec<VerificationKey>, String> {
    let set = unique_json::parse(text).map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
    let Some(Json::Array(keys)) = set.get("keys") else {
        return Err("it is not a JSON Web Key Set: the array `keys` is missing".to_owned());
    };
    Ok(keys.iter().filter_map(|key| parse_key(key.as_object()?)).collect())
}

fn parse_key(jwk: &Map<String, Json>) -> Option<VerificationKey> {
    let text = |name: &str| jwk.get(name)?.as_str();
    let bytes = |name: &str| decode(text(name)?);
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    if let Some(operations) = jwk.get("key_ops")
        && !operations.as_array()?.iter().any(|operation| operation == "verify")
    {
        return None;
    }
    let key = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            // Some issuers write a zero in front of the modulus, although RFC 7518 section 6.3.1.1 forbids it.
            let n: Vec<u8> = bytes("n")?.into_iter().skip_while(|byte| *byte == 0).collect();
            let key = PublicKey::Rsa { e: bytes("e")?, n };
            matches!(&key, PublicKey::Rsa { n, .. } if RSA_BYTES.contains(&n.len())).then_some(key)?
        }
        ("EC", Some("P-256")) => PublicKey::P256(uncompressed_point(&bytes("x")?, &bytes("y")?, 32)?),
        ("EC", Some("P-384")) => PublicKey::P384(uncompressed_point(&bytes("x")?, &bytes("y")?, 48)?),
        ("OKP", Some("Ed25519")) => PublicKey::Ed25519(bytes("x").filter(|point| point.len() == 32)?),
        _ => return None,
    };
    let algorithm = match jwk.get("alg") {
        None => None,
        Some(name) => Some(Algorithm::named(name.as_str()?).filter(|algorithm| algorithm.accepts(&key))?),
    };
    Some(VerificationKey { id: text("kid").map(str::to_owned), algorithm, key })
}

/// Returns the uncompressed form of a point (SEC 1 section 2.3.3) with coordinates of this length.
fn uncompressed_point(x: &[u8], y: &[u8], len: usize) -> Option<Vec<u8>> {
    (x.len() == len && y.len() == len).then(|| [&[4], x, y].concat())
}
