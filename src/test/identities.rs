//! Who the tests say calls.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderName;

use crate::call::{Head, Identity, Inspect, Inspection, RequestId};

/// The header field that carries the token of a caller.
pub(super) const FIELD: &str = "x-rulebook-test";

/// The identities of requests under way, by a random token each. They exist in this process only, so no other
/// client can be anybody by this.
#[derive(Clone, Default)]
pub(super) struct Identities(Arc<Mutex<HashMap<String, Identity>>>);

impl Identities {
    /// Keeps an identity until [`Identities::take`], and gives the token that stands for it.
    pub(super) fn put(&self, identity: Identity) -> String {
        let token = RequestId::random().to_string() + &RequestId::random().to_string();
        self.lock().insert(token.clone(), identity);
        token
    }

    /// Forgets an identity.
    pub(super) fn take(&self, token: &str) {
        self.lock().remove(token);
    }

    /// The table is whole between any two of its operations, also after a panic.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inspect for Identities {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        let token = head.header(&HeaderName::from_static(FIELD));
        let identity = token.and_then(|token| self.lock().get(token).cloned());
        Box::pin(std::future::ready(identity.map_or(Inspection::Nobody, Inspection::Identity)))
    }

    /// Clients are told what the program itself asks for.
    fn challenge(&self) -> &str {
        ""
    }
}
