//! Idempotency keys of requests.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;

use super::{RequestBuilder, validity_of_omission};

impl RequestBuilder<'_> {
    /// Returns a key that no other request has; `None` if the key is omitted.
    pub(super) fn idempotency_key(&mut self, parameter: &Json) -> Option<Vec<String>> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if self.choices.once_in(4) {
            self.add_validity(validity_of_omission(parameter["required"] == true));
            return None;
        }
        Some(vec![format!("\"key {}\"", COUNT.fetch_add(1, Ordering::Relaxed))])
    }
}
