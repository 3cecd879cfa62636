//! The keys that a worker has verified, so that further requests with the same key need neither a checksum nor an HMAC.
//!
//! A key is remembered by its tag, a hash that only this process can compute. A remembered key is used only with the
//! table in which it was found: as soon as a new table replaces this table, each key is verified again. So a revoked
//! key is refused as early as without this memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip128::{Hasher128, SipHasher24};

use super::table::StoredKey;

/// The maximum number of keys that a worker remembers.
const MAX_REMEMBERED_KEYS: usize = 1 << 10;

/// The secret of this process that the tags depend on; `None` if the system provides no random bytes.
static TAG_SECRET: LazyLock<Option<[u8; 16]>> = LazyLock::new(|| {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).is_ok().then_some(secret)
});

thread_local! {
    /// The keys that this thread has verified.
    static VERIFIED_KEYS: RefCell<HashMap<KeyTag, StoredKey>> = RefCell::default();
}

/// The number of a table, which no other table of this process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TableNumber(u64);

impl TableNumber {
    /// Returns the number for a new table.
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The tag of a key for one table. SipHash is a pseudorandom function: without the secret of this process, a client
/// cannot find another text with the same tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyTag(TableNumber, u128);

impl KeyTag {
    /// Returns the tag of a key for this table; `None` if no tags can be computed.
    pub(super) fn new(table: TableNumber, key: &str) -> Option<Self> {
        let mut hasher = SipHasher24::new_with_key(TAG_SECRET.as_ref()?);
        hasher.write(key.as_bytes());
        Some(Self(table, hasher.finish128().as_u128()))
    }
}

/// Calls `use_key` with the key that has this tag; `None` if this thread has not verified the key.
pub(super) fn recall<T>(tag: KeyTag, use_key: impl FnOnce(&StoredKey) -> T) -> Option<T> {
    VERIFIED_KEYS.with_borrow(|keys| keys.get(&tag).map(use_key))
}

/// Remembers a key that has been verified. If the memory is full, all other keys are forgotten.
pub(super) fn remember(tag: KeyTag, key: StoredKey) {
    VERIFIED_KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MAX_REMEMBERED_KEYS {
            keys.clear();
        }
        keys.insert(tag, key);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_depend_on_the_table_and_on_the_whole_key() {
        let (one, other) = (TableNumber::next(), TableNumber::next());
        let tag = KeyTag::new(one, "rb_1").unwrap();
        assert_eq!(tag, KeyTag::new(one, "rb_1").unwrap());
        assert_ne!(tag, KeyTag::new(one, "rb_2").unwrap());
        assert_ne!(tag, KeyTag::new(other, "rb_1").unwrap());
    }
}
