//! Whose requests a limit counts together.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use rulebook_model::model::RateLimitBy;
use sha2::{Digest, Sha256};

use crate::call::{Identity, QualifiedName};

/// The client whose requests a limit counts together.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    All,
    /// The clients with this address; of an IPv6 address, only the network of the size /64 counts. `None` is the
    /// address of all clients without an address.
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
            (RateLimitBy::Caller, None) | (RateLimitBy::Address, _) => Self::Address(client),
        }
    }

    /// Returns a number for the caller. Different addresses have different numbers. The numbers of names are hashes, of
    /// which two are equal with negligible probability.
    pub fn number(self, hashers: &[RandomState; 2]) -> u128 {
        // The highest bit distinguishes names from addresses.
        match self {
            Self::All => 0,
            Self::Address(None) => 1,
            Self::Address(Some(IpAddr::V4(address))) => 1 << 64 | u128::from(address.to_bits()),
            Self::Address(Some(IpAddr::V6(address))) => 2 << 64 | address.to_bits() >> 64,
            Self::Identity(name) => {
                let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(name)));
                1 << 127 | high << 64 | low
            }
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
