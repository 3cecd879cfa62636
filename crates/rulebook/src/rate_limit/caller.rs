//! Whose requests a limit counts together.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use rulebook_model::model::RateLimitBy;
use sha2::{Digest, Sha256};

use crate::call::{Identity, QualifiedName};
use crate::client_shares::client_network;

/// The client whose requests a limit counts together.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Caller<'a> {
    All,
    /// The clients in this network: an IPv4 address, or an IPv6 network of the size /64. `None` stands for all clients
    /// without an address.
    Address(Option<IpAddr>),
    /// The caller with this name.
    Identity(&'a QualifiedName),
}

impl<'a> Caller<'a> {
    /// Returns the client whose requests a limit counts together, for a request from this address.
    pub fn new(by: RateLimitBy, identity: Option<&'a Identity>, client: Option<IpAddr>) -> Self {
        match (by, identity) {
            (RateLimitBy::All, _) => Self::All,
            (RateLimitBy::Caller, Some(identity)) => Self::Identity(identity.qualified_name()),
            (RateLimitBy::Caller, None) | (RateLimitBy::Address, _) => Self::Address(client.map(client_network)),
        }
    }

    /// Returns the caller as the end of the name of a shared counter. It contains only a hash of a name, because names
    /// can be long, and can be data of persons.
    pub fn shared_name(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Address(None) => ":address:unknown".to_owned(),
            Self::Address(Some(IpAddr::V4(address))) => format!(":address:{address}"),
            Self::Address(Some(IpAddr::V6(address))) => format!(":address:{:x}", address.to_bits() >> 64),
            Self::Identity(QualifiedName { namespace, name }) => {
                let mut hash = Sha256::new();
                // The length separates the namespace from the name.
                hash.update((namespace.len() as u64).to_le_bytes());
                hash.update(&**namespace);
                hash.update(&**name);
                format!(":caller:{}", hex::encode(&hash.finalize()[..16]))
            }
        }
    }
}

/// Returns a hash of a limit or a caller. Two hashes are equal with negligible probability.
pub fn wide_hash(hashers: &[RandomState; 2], of: impl Hash + Copy) -> u128 {
    let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(of)));
    high << 64 | low
}
