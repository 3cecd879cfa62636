//! The identities of the callers in tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, RequestId};

/// The header field with the token of an identity.
pub(super) const FIELD: &str = "x-rulebook-test";

/// The identities of the requests in progress, by random tokens. The tokens are known only in this process, so that no
/// other client can use them.
#[derive(Clone, Default)]
pub(super) struct Identities(Arc<Mutex<HashMap<String, Identity>>>);

impl Identities {
    /// Stores an identity and returns its token. [`Identities::remove`] makes the token invalid.
    pub(super) fn insert(&self, identity: Identity) -> String {
        let token = RequestId::random().to_string() + &RequestId::random().to_string();
        self.lock().insert(token.clone(), identity);
        token
    }

    /// Removes an identity.
    pub(super) fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    /// Locks the table. A panic in another thread cannot leave the table inconsistent, so that a poisoned lock is
    /// usable.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticate for Identities {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let token = head.header(FIELD);
        let identity = token.and_then(|token| self.lock().get(token).cloned());
        identity.map_or(Authentication::Anonymous, Authentication::Identity)
    }

    /// Returns no scheme, so that `WWW-Authenticate` contains only the challenges of the program.
    fn schemes(&self) -> Vec<AuthScheme> {
        Vec::new()
    }
}
