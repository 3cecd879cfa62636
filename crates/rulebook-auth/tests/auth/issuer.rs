//! An issuer of tokens: its keys, its key set, and the tokens that it signs.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{self, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value as Json, json};

/// The issuer in the tokens.
pub const ISSUER: &str = "https://id.example";

/// The key pairs of an issuer. Each key has the name of its type as id.
pub struct Issuer {
    pub rsa: rsa::KeyPair,
    pub p256: EcdsaKeyPair,
    pub p384: EcdsaKeyPair,
    pub ed25519: Ed25519KeyPair,
    random: SystemRandom,
    /// Added to the ids of the keys.
    suffix: &'static str,
}

impl Issuer {
    pub fn new() -> Self {
        Self::with(include_bytes!("data/rsa.pk8"), "")
    }

    /// Returns an issuer with other keys of other ids.
    pub fn other() -> Self {
        Self::with(include_bytes!("data/other_rsa.pk8"), "-2")
    }

    fn with(rsa: &[u8], suffix: &'static str) -> Self {
        let random = SystemRandom::new();
        let ecdsa = |algorithm| {
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
        };
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: rsa::KeyPair::from_pkcs8(rsa).unwrap(),
            p256: ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            p384: ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
            random,
            suffix,
        }
    }

    /// Returns the key set with all public keys.
    pub fn jwks(&self) -> Json {
        json!({ "keys": [self.rsa_jwk(), self.ec_jwk("P-256"), self.ec_jwk("P-384"), self.ed25519_jwk()] })
    }

    pub fn rsa_jwk(&self) -> Json {
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({ "kty": "RSA", "kid": self.key_id("rsa"), "use": "sig", "n": encode(n), "e": encode(e) })
    }

    fn ec_jwk(&self, curve: &str) -> Json {
        let (pair, id) = if curve == "P-256" { (&self.p256, "p256") } else { (&self.p384, "p384") };
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        json!({ "kty": "EC", "crv": curve, "kid": self.key_id(id), "use": "sig", "x": encode(x), "y": encode(y) })
    }

    fn ed25519_jwk(&self) -> Json {
        let x = encode(self.ed25519.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.key_id("ed25519"), "use": "sig", "x": x })
    }

    pub fn key_id(&self, key: &str) -> String {
        format!("{key}{}", self.suffix)
    }

    /// Returns a token with these claims.
    pub fn token(&self, algorithm: &str, claims: &Json) -> String {
        let id = match algorithm {
            "ES256" => "p256",
            "ES384" => "p384",
            "EdDSA" | "Ed25519" => "ed25519",
            _ => "rsa",
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": self.key_id(id) });
        self.sign(algorithm, &header.to_string(), &claims.to_string())
    }

    /// Returns a token with this header and these claims, signed with an algorithm, whatever the header contains.
    pub fn sign(&self, algorithm: &str, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(algorithm, message.as_bytes());
        format!("{message}.{}", encode(signature))
    }

    pub fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let rsa = |padding: &'static dyn signature::RsaEncoding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(padding, &self.random, message, &mut signature).unwrap();
            signature
        };
        let ecdsa = |pair: &EcdsaKeyPair| pair.sign(&self.random, message).unwrap().as_ref().to_vec();
        match algorithm {
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "PS384" => rsa(&signature::RSA_PSS_SHA384),
            "PS512" => rsa(&signature::RSA_PSS_SHA512),
            "ES256" => ecdsa(&self.p256),
            "ES384" => ecdsa(&self.p384),
            _ => self.ed25519.sign(message).as_ref().to_vec(),
        }
    }
}

/// Encodes bytes as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
