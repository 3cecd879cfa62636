//! The identities of callers in tests. An identity has a name and permissions; a test sets it for a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, RequestId};

/// The header field that contains the token of the caller's identity.
pub(super) const TOKEN_FIELD: &str = "x-rulebook-test";

/// The identities of the requests in progress. The map keys are random tokens, which only this process knows, so that
/// no other program can use them.
#[derive(Clone, Default)]
pub(super) struct Identities(Arc<Mutex<HashMap<String, Identity>>>);

impl Identities {
    /// Stores an identity and returns a new token for it. The token is valid until [`Identities::remove`] is called.
    pub(super) fn insert(&self, identity: Identity) -> String {
        let token = RequestId::random().to_string() + &RequestId::random().to_string();
        self.lock().insert(token.clone(), identity);
        token
    }

    /// Removes the identity that has this token.
    pub(super) fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    /// Locks the map. A panic in another thread cannot leave the map inconsistent, so that a poisoned lock can be used.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticate for Identities {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let token = head.header(TOKEN_FIELD);
        let identity = token.and_then(|token| self.lock().get(token).cloned());
        identity.map_or(Authentication::Anonymous, Authentication::Identity)
    }

    /// Returns no authentication scheme, so that `WWW-Authenticate` contains only the schemes of the program.
    fn schemes(&self) -> Vec<AuthScheme> {
        Vec::new()
    }
}
