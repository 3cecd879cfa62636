//! The keys of an issuer, with the tokens that they have verified.

use std::sync::Once;

use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;

use super::jwk::{Algorithm, VerificationKey};

/// The maximum number of keys that are used of a set.
pub const MAX_KEYS: usize = 100;
/// The maximum number of keys with which the signature of a token without a key id is compared.
const MAX_TRIED_KEYS: usize = 4;

/// The keys of an issuer.
pub struct KeySet {
    pub keys: Vec<VerificationKey>,
    /// The tokens that these keys have verified. Another key set does not know them.
    pub verified: VerifiedCredentials<VerifiedToken>,
    warning: Once,
}

/// A token whose signature and claims have been verified.
pub struct VerifiedToken {
    pub identity: Identity,
    /// The Unix time in seconds from which the token has to be verified again.
    pub expires: u64,
}

/// The keys that may have signed a token.
pub enum Candidates<'k> {
    /// These keys, at least one.
    Keys(Vec<&'k VerificationKey>),
    /// A key with this id exists, but is not for the algorithm of the token.
    WrongAlgorithm,
    /// No known key can have signed the token.
    Unknown,
}

impl KeySet {
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self { keys, verified: VerifiedCredentials::new(), warning: Once::new() }
    }

    /// Returns the keys that may have signed a token with this algorithm and key id.
    pub fn candidates(&self, algorithm: &Algorithm, id: Option<&str>) -> Candidates<'_> {
        let with_id = || self.keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id);
        let fitting: Vec<_> = with_id().filter(|key| key.accepts(algorithm)).take(MAX_TRIED_KEYS).collect();
        match (fitting.is_empty(), id) {
            (false, _) => Candidates::Keys(fitting),
            (true, Some(_)) if with_id().next().is_some() => Candidates::WrongAlgorithm,
            (true, _) => Candidates::Unknown,
        }
    }

    /// Logs that a token without a key id has not been compared with all keys for its algorithm, if that is so. Clients
    /// can send any number of such tokens, so that only the first one is logged.
    pub fn warn_of_untried_keys(&self, algorithm: &Algorithm, issuer: &str) {
        let count = self.keys.iter().filter(|key| key.accepts(algorithm)).count();
        if count > MAX_TRIED_KEYS {
            self.warning.call_once(|| {
                log::warn!(
                    "{issuer}: a token without `kid` is refused, because only the first {MAX_TRIED_KEYS} of {count} keys \
                     for its algorithm are tried"
                );
            });
        }
    }
}
