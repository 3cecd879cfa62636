//! The authenticators of the program, with what the plan knows about them.

use crate::call::DynAuthenticate;

/// An authenticator of the program.
pub struct PlannedAuthenticator {
    /// The authenticator.
    pub authenticator: Box<dyn DynAuthenticate>,
    /// The authentication schemes whose credentials the authenticator accepts.
    pub schemes: SchemeSet,
    /// `true` if no further authenticator is called after this one has returned an identity.
    pub ends_authentication: bool,
}

/// A set of the authentication schemes of an API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchemeSet(u64);

impl SchemeSet {
    /// Creates a set of schemes, each of which is given by its index in the list of all schemes of the API. All schemes
    /// from the index 63 count as one scheme.
    pub fn new(indices: impl IntoIterator<Item = usize>) -> Self {
        Self(indices.into_iter().fold(0, |bits, index| bits | 1 << index.min(63)))
    }

    /// Returns the schemes of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns `true` if the sets have a scheme in common.
    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
