//! The algorithms with which tokens are signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
//!
//! The algorithms with a shared secret (`HS256`) and `none` do not exist here, so that no setting can enable them.

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

/// An algorithm of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// A public key, in the form in which `ring` needs it.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// The modulus and the exponent of an RSA key.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The uncompressed point of a key on the curve P-256.
    P256(Vec<u8>),
    /// The uncompressed point of a key on the curve P-384.
    P384(Vec<u8>),
    /// A key on the curve Ed25519.
    Ed25519(Vec<u8>),
}

impl Algorithm {
    /// All algorithms with their names. `Ed25519` is the name that RFC 9864 gives to `EdDSA` with this curve.
    pub const NAMES: [(&str, Self); 10] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
        ("Ed25519", Self::EdDsa),
    ];

    /// Returns the algorithm with this name, which is case-sensitive.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, algorithm)| algorithm)
    }

    /// Returns `true` if keys of this type are for this algorithm.
    pub fn accepts(self, key: &PublicKey) -> bool {
        match key {
            PublicKey::Rsa { .. } => !matches!(self, Self::Es256 | Self::Es384 | Self::EdDsa),
            PublicKey::P256(_) => self == Self::Es256,
            PublicKey::P384(_) => self == Self::Es384,
            PublicKey::Ed25519(_) => self == Self::EdDsa,
        }
    }

    /// Returns `true` if the signature of the message is valid. A key of another type is never valid.
    pub fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let verify = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
        };
        match (self, key) {
            (Self::Es256, PublicKey::P256(point)) => verify(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Self::Es384, PublicKey::P384(point)) => verify(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Self::EdDsa, PublicKey::Ed25519(point)) => verify(&signature::ED25519, point),
            (_, PublicKey::Rsa { n, e }) => {
                let key = RsaPublicKeyComponents { n, e };
                let parameters = match self {
                    Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Self::Es256 | Self::Es384 | Self::EdDsa => return false,
                };
                key.verify(parameters, message, signature).is_ok()
            }
            _ => false,
        }
    }
}
