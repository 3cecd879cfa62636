//! Heads of requests whose memory a worker uses again for its next requests.

use std::cell::RefCell;
use std::sync::Arc;

use http::{Method, Uri};

use crate::call::Head;

/// The maximum number of heads that a worker keeps.
const MAX_KEPT_HEADS: usize = 32;
/// The maximum capacity for header fields of a head that is kept.
const MAX_KEPT_FIELDS: usize = 32;

/// Heads that are not in use.
#[derive(Debug, Default)]
pub(super) struct HeadPool(RefCell<Vec<Arc<Head>>>);

impl HeadPool {
    /// Returns a head without header fields, which has no other owner.
    pub(super) fn take(&self) -> Arc<Head> {
        let head = self.0.borrow_mut().pop();
        head.unwrap_or_else(|| Arc::new(Head::new(Method::GET, Uri::default())))
    }

    /// Takes back a head, unless the program still uses it.
    pub(super) fn put_back(&self, mut shared: Arc<Head>) {
        let Some(head) = Arc::get_mut(&mut shared) else { return };
        // The fields and the target keep the memory of the connection from being used again.
        head.headers.clear();
        head.uri = Uri::default();
        (head.tls, head.trace) = (None, None);
        let mut kept = self.0.borrow_mut();
        if kept.len() < MAX_KEPT_HEADS && head.headers.capacity() <= MAX_KEPT_FIELDS {
            kept.push(shared);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    #[test]
    fn a_head_is_used_again_when_it_has_no_other_owner() {
        let pool = HeadPool::default();
        let (mut one, other) = (pool.take(), pool.take());
        Arc::get_mut(&mut one).unwrap().headers.push((HOST, HeaderValue::from_static("x")));
        let (address, owner) = (Arc::as_ptr(&one), Arc::clone(&other));
        pool.put_back(one);
        pool.put_back(other);
        let again = pool.take();
        assert!(Arc::as_ptr(&again) == address && again.headers.is_empty());
        assert_ne!(Arc::as_ptr(&pool.take()), Arc::as_ptr(&owner));
    }
}
