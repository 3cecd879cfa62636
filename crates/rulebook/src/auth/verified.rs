//! The credentials that a worker has verified, so that further requests with the same credential need no signature
//! check and no slow hash.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use blake3::Hash;
use thread_local::ThreadLocal;

/// The maximum number of credentials that a worker remembers, unless an authenticator sets another one.
const MAX_REMEMBERED: usize = 1 << 10;
/// The maximum memory in bytes of the credentials of one kind that a worker remembers.
const MAX_REMEMBERED_BYTES: usize = 16 << 20;

/// The secret of this process that the tags depend on; `None` if the system provides no random bytes.
static TAG_SECRET: LazyLock<Option<[u8; 32]>> = LazyLock::new(|| {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).is_ok().then_some(secret)
});

/// What an authenticator has found out about the credentials that it has verified. Each thread remembers a limited
/// number of credentials, with values of at most 16 MiB together, by a hash that only this process can compute. Threads
/// share nothing.
///
/// What makes a credential valid, such as a set of keys or a list of users, should contain this value: if a new set
/// replaces it, all credentials are verified again.
pub struct VerifiedCredentials<T: Send> {
    remembered: ThreadLocal<RefCell<Remembered<T>>>,
    max: usize,
}

/// The credentials that one thread remembers.
struct Remembered<T> {
    /// The values, with their sizes in bytes.
    values: HashMap<Hash, (T, usize)>,
    /// The sum of the sizes.
    bytes: usize,
}

impl<T: Send> VerifiedCredentials<T> {
    /// Creates an empty memory for at most 1024 credentials in each thread.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max(MAX_REMEMBERED)
    }

    /// Creates an empty memory for at most `max` credentials in each thread.
    #[must_use]
    pub fn with_max(max: usize) -> Self {
        Self { remembered: ThreadLocal::new(), max }
    }

    /// Calls `read` with the value that this thread remembers for a credential. Returns `None` if the thread does not
    /// remember the credential.
    pub fn recall<R>(&self, credential: &str, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.remembered.get()?.borrow().values.get(&tag(credential)?).map(|(value, _)| read(value))
    }

    /// Remembers a value for a credential that has been verified. `heap_size` is about how many bytes of memory the
    /// value occupies outside of `T`. If the memory of this thread is full, it forgets all other credentials. A value
    /// that is larger than the whole memory is not remembered.
    pub fn remember(&self, credential: &str, value: T, heap_size: usize) {
        let size = heap_size.saturating_add(size_of::<(Hash, (T, usize))>());
        let Some(tag) = tag(credential).filter(|_| size <= MAX_REMEMBERED_BYTES) else { return };
        let empty = || RefCell::new(Remembered { values: HashMap::new(), bytes: 0 });
        let Remembered { values, bytes } = &mut *self.remembered.get_or(empty).borrow_mut();
        if values.len() >= self.max || *bytes > MAX_REMEMBERED_BYTES - size {
            values.clear();
            *bytes = 0;
        }
        *bytes += size;
        if let Some((_, replaced)) = values.insert(tag, (value, size)) {
            *bytes -= replaced;
        }
    }
}

impl<T: Send> Default for VerifiedCredentials<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send> fmt::Debug for VerifiedCredentials<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCredentials").finish_non_exhaustive()
    }
}

/// Returns the tag of a credential, which cannot be found without the secret of this process; `None` if the process has
/// no secret.
fn tag(credential: &str) -> Option<Hash> {
    Some(blake3::keyed_hash(TAG_SECRET.as_ref()?, credential.as_bytes()))
}
