//! The keys of an issuer in a JSON Web Key Set (RFC 7517), and the algorithms with which they verify signatures.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use rulebook_model::unique_json;
use serde::Deserialize;
use serde_json::Value as Json;

/// The lengths of RSA moduli in bytes: from 2048 to 8192 bits, which `ring` supports.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// An algorithm of signatures (RFC 7518 section 3.1, RFC 8037 section 3.1). Those with a shared secret (`HS256`) and
/// `none` do not exist here, so that no setting can enable them.
pub struct Algorithm {
    pub name: &'static str,
    verification: Verification,
}

enum Verification {
    Rsa(&'static RsaParameters),
    Elliptic(Curve, &'static dyn VerificationAlgorithm),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    Ed25519,
}

/// All algorithms.
pub static ALGORITHMS: [Algorithm; 9] = [
    Algorithm::rsa("RS256", &signature::RSA_PKCS1_2048_8192_SHA256),
    Algorithm::rsa("RS384", &signature::RSA_PKCS1_2048_8192_SHA384),
    Algorithm::rsa("RS512", &signature::RSA_PKCS1_2048_8192_SHA512),
    Algorithm::rsa("PS256", &signature::RSA_PSS_2048_8192_SHA256),
    Algorithm::rsa("PS384", &signature::RSA_PSS_2048_8192_SHA384),
    Algorithm::rsa("PS512", &signature::RSA_PSS_2048_8192_SHA512),
    Algorithm::elliptic("ES256", Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
    Algorithm::elliptic("ES384", Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
    Algorithm::elliptic("EdDSA", Curve::Ed25519, &signature::ED25519),
];
/// The name that RFC 9864 gives to `EdDSA` with the curve Ed25519.
pub const ED25519: &str = "Ed25519";

/// A public key, in the form in which `ring` needs it.
#[derive(Clone, PartialEq, Eq)]
enum PublicKey {
    /// The modulus and the exponent of an RSA key.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on a curve, uncompressed (SEC 1 section 2.3.3) unless the curve is Ed25519.
    Elliptic(Curve, Vec<u8>),
}

/// A key that can verify signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// The id by which tokens name the key.
    pub id: Option<String>,
    /// The name of the only algorithm for which the key may be used; `None` for all algorithms of its type.
    algorithm: Option<&'static str>,
    key: PublicKey,
}

/// A member of a key set. A member of another form is ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Algorithm {
    const fn rsa(name: &'static str, parameters: &'static RsaParameters) -> Self {
        Self { name, verification: Verification::Rsa(parameters) }
    }

    const fn elliptic(name: &'static str, curve: Curve, algorithm: &'static dyn VerificationAlgorithm) -> Self {
        Self { name, verification: Verification::Elliptic(curve, algorithm) }
    }

    /// Returns the algorithm with this name, which is case-sensitive.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = if name == ED25519 { "EdDSA" } else { name };
        ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
    }

    /// Returns `true` if keys of this type are for this algorithm.
    fn accepts(&self, key: &PublicKey) -> bool {
        match (&self.verification, key) {
            (Verification::Rsa(_), PublicKey::Rsa { .. }) => true,
            (Verification::Elliptic(curve, _), PublicKey::Elliptic(other, _)) => curve == other,
            _ => false,
        }
    }
}

impl VerificationKey {
    /// Returns `true` if the key may be used for this algorithm.
    pub fn accepts(&self, algorithm: &Algorithm) -> bool {
        algorithm.accepts(&self.key) && self.algorithm.is_none_or(|only| only == algorithm.name)
    }

    /// Returns `true` if the signature of the message is valid. A key that is not for the algorithm is never valid.
    pub fn verify(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.accepts(algorithm)
            && match (&algorithm.verification, &self.key) {
                (Verification::Rsa(parameters), PublicKey::Rsa { n, e }) => {
                    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
                }
                (Verification::Elliptic(_, algorithm), PublicKey::Elliptic(_, point)) => {
                    UnparsedPublicKey::new(*algorithm, point).verify(message, signature).is_ok()
                }
                _ => false,
            }
    }
}

/// Reads a key set. Keys that cannot verify signatures of tokens are ignored (RFC 7517 section 5): keys for encryption,
/// shared secrets, keys of unknown types, and keys that are malformed or too short. So the result can be empty.
/// Fails if the text is not a key set. The error is a message.
pub fn parse_key_set(text: &[u8]) -> Result<Vec<VerificationKey>, String> {
    let mut set = unique_json::parse(text).map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
    let Some(Json::Array(keys)) = set.get_mut("keys").map(Json::take) else {
        return Err("it is not a JSON Web Key Set: the array `keys` is missing".to_owned());
    };
    Ok(keys.into_iter().filter_map(|key| parse_key(serde_json::from_value(key).ok()?)).collect())
}

fn parse_key(jwk: Jwk) -> Option<VerificationKey> {
    let is_for_signatures = jwk.r#use.is_none_or(|usage| usage == "sig")
        && jwk.key_ops.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    if !is_for_signatures {
        return None;
    }
    let bytes = |text: &Option<String>| decode(text.as_deref()?);
    let coordinate = |text: &Option<String>, len: usize| bytes(text).filter(|bytes| bytes.len() == len);
    let point = |len| Some([vec![4], coordinate(&jwk.x, len)?, coordinate(&jwk.y, len)?].concat());
    let key = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", _) => {
            // Some issuers write a zero in front of the modulus, although RFC 7518 section 6.3.1.1 forbids it.
            let n: Vec<u8> = bytes(&jwk.n)?.into_iter().skip_while(|byte| *byte == 0).collect();
            RSA_BYTES.contains(&n.len()).then_some(PublicKey::Rsa { n, e: bytes(&jwk.e)? })?
        }
        ("EC", Some("P-256")) => PublicKey::Elliptic(Curve::P256, point(32)?),
        ("EC", Some("P-384")) => PublicKey::Elliptic(Curve::P384, point(48)?),
        ("OKP", Some("Ed25519")) => PublicKey::Elliptic(Curve::Ed25519, coordinate(&jwk.x, 32)?),
        _ => return None,
    };
    let algorithm = match jwk.alg {
        None => None,
        Some(name) => Some(Algorithm::named(&name).filter(|algorithm| algorithm.accepts(&key))?.name),
    };
    Some(VerificationKey { id: jwk.kid, algorithm, key })
}

/// Encodes bytes as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding (RFC 7515 section 2).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
