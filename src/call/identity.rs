//! Who makes a call, and how that is found out.

use std::pin::Pin;
use std::sync::Arc;

use super::Head;

/// Somebody whom an [`Inspect`] recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// A name for logs and handlers.
    pub name: Arc<str>,
    /// The permissions held, as they are written in definitions; contextual ones with their value: `user[12]`.
    pub scope: Arc<[Box<str>]>,
}

impl Identity {
    /// An identity of this name with these permissions.
    pub fn new<S: Into<Box<str>>>(name: &str, scope: impl IntoIterator<Item = S>) -> Self {
        Self { name: name.into(), scope: scope.into_iter().map(Into::into).collect() }
    }

    /// Whether the permission is held, letter for letter.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        self.scope.iter().any(|held| &**held == permission)
    }
}

/// What an [`Inspect`] says of a request.
#[derive(Debug, Clone)]
pub enum Inspection {
    /// The request carries nothing that this inspector looks at.
    Nobody,
    /// It is this one.
    Identity(Identity),
    /// It carries a credential that is not valid: refused with 401, on public methods too.
    /// The text is for the log only.
    Invalid(String),
}

/// Finds out from the head of a request who makes it.
///
/// The inspectors of an API are asked in turn; the first that does not say
/// [`Inspection::Nobody`] decides.
pub trait Inspect: Send + Sync {
    /// Looks at the head of a request.
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>>;

    /// The authentication scheme for `WWW-Authenticate` (RFC 9110 section 11.6.1), e.g. `Bearer`.
    fn challenge(&self) -> &str {
        "Bearer"
    }
}
