//! The keys of an issuer, which are fetched again in the background, with the tokens that they have verified.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::fetch::Origin;
use super::jwk::{Algorithm, VerificationKey};
use super::verify::TokenError;

/// The maximum number of requests that wait for the keys at the same time.
const MAX_WAITING: usize = 1024;
/// The maximum number of keys that are used of a set.
const MAX_KEYS: usize = 100;
/// The maximum number of keys with which the signature of a token without a key id is compared.
const MAX_TRIED_KEYS: usize = 4;

/// When the keys of an issuer are fetched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FetchTimes {
    /// The time between two fetches if no token needs a new key.
    pub refresh: Duration,
    /// The minimum time between two fetches.
    pub cooldown: Duration,
    /// The time for which keys are used while the issuer does not respond.
    pub keep: Duration,
    /// The maximum time of a fetch.
    pub timeout: Duration,
}

/// The keys of an issuer. All requests share them; a task fetches them.
pub struct KeySource {
    origin: Origin,
    times: FetchTimes,
    current: ArcSwapOption<KeySet>,
    /// The last fetch that has ended.
    last: watch::Sender<LastFetch>,
    /// Wakes the task that fetches the keys.
    requested: Notify,
    /// The number of requests that wait for the keys.
    waiting: AtomicUsize,
}

#[derive(Debug, Clone, Copy, Default)]
struct LastFetch {
    /// The number of fetches that have ended.
    count: u64,
    /// The time at which the last fetch ended; `None` before the first one.
    ended: Option<Instant>,
    succeeded: bool,
}

impl KeySource {
    pub fn new(origin: Origin, times: FetchTimes) -> Self {
        Self {
            origin,
            times,
            current: ArcSwapOption::empty(),
            last: watch::Sender::default(),
            requested: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Returns the keys; `None` if they have never been fetched, or the issuer has not responded for too long.
    pub fn keys(&self) -> Guard<Option<Arc<KeySet>>> {
        self.current.load()
    }

    /// Fetches the keys unless the last fetch has ended just now, and waits until they are there. However many requests
    /// call this function, the keys are fetched once. Returns `true` if the keys are those that the issuer has
    /// published, or were so a short time ago, and `false` if the issuer does not respond, or too many requests wait.
    pub async fn renew(&self) -> bool {
        let mut fetches = self.last.subscribe();
        let last = *fetches.borrow_and_update();
        if last.ended.is_some_and(|ended| ended.elapsed() < self.times.cooldown) {
            return last.succeeded;
        }
        let others = self.waiting.fetch_add(1, Ordering::Relaxed);
        // Decreases the number, even if the request ends before the fetch.
        let _waiting = Waiting(&self.waiting);
        if others >= MAX_WAITING {
            return false;
        }
        self.requested.notify_one();
        // The task may have to wait for a moment before and after the fetch.
        let max_wait = self.times.timeout + Duration::from_secs(1);
        let next = timeout(max_wait, fetches.wait_for(|fetch| fetch.count > last.count)).await;
        matches!(next, Ok(Ok(fetch)) if fetch.succeeded)
    }

    /// Fetches the keys again whenever they are old or requests need them, until the future is dropped.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut last_success = self.last.borrow().succeeded.then(Instant::now);
        let mut is_error_logged = last_success.is_none();
        loop {
            sleep(self.times.cooldown).await;
            // After an error, the next fetch begins at once.
            if self.last.borrow().succeeded {
                let wait = self.times.refresh.saturating_sub(self.times.cooldown);
                // A timeout means that the keys are old.
                let _ = timeout(wait, self.requested.notified()).await;
            }
            match self.fetch().await {
                Ok(()) => {
                    if is_error_logged {
                        log::info!("{}: the keys of the issuer have been fetched again", self.origin);
                    }
                    is_error_logged = false;
                    last_success = Some(Instant::now());
                }
                Err(error) => {
                    if !is_error_logged {
                        log::error!("the keys of the issuer stay as they were: {error}");
                    }
                    is_error_logged = true;
                    let is_kept = last_success.is_some_and(|at| at.elapsed() < self.times.keep);
                    if !is_kept && self.current.swap(None).is_some() {
                        log::error!("{}: the keys of the issuer are too old and no longer used", self.origin);
                    }
                }
            }
        }
    }

    /// Fetches the keys. If they are the same as before, the key set stays, and with it the tokens that it has
    /// verified.
    /// Fails if the keys cannot be fetched. The error is a message.
    pub async fn fetch(&self) -> Result<(), String> {
        let fetched = self.origin.fetch(self.times.timeout).await;
        let result = fetched.map(|keys| self.replace(keys));
        self.last.send_modify(|last| {
            *last = LastFetch { count: last.count + 1, ended: Some(Instant::now()), succeeded: result.is_ok() };
        });
        result
    }

    /// Replaces the keys by those that have been fetched, if they differ. An issuer that has removed all of its keys
    /// accepts no token any more.
    fn replace(&self, mut keys: Vec<VerificationKey>) {
        let count = keys.len();
        keys.truncate(MAX_KEYS);
        if self.current.load().as_ref().is_some_and(|current| current.keys == keys) {
            return;
        }
        let origin = &self.origin;
        match count {
            0 => log::warn!("{origin}: the issuer has no public key for signatures, so that no token is valid"),
            1..=MAX_KEYS => log::info!("{origin}: keys of the issuer: {count}"),
            _ => log::warn!("{origin}: the issuer has {count} keys, of which only the first {MAX_KEYS} are used"),
        }
        self.current.store(Some(Arc::new(KeySet::new(keys))));
    }
}

/// A request that waits for the keys.
struct Waiting<'w>(&'w AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The keys of an issuer.
pub struct KeySet {
    pub keys: Vec<VerificationKey>,
    /// The tokens that these keys have verified. Another key set does not know them.
    pub verified: VerifiedCredentials<VerifiedToken>,
    warning: Once,
}

/// A token whose signature and claims have been verified.
pub struct VerifiedToken {
    pub identity: Identity,
    /// The Unix time in seconds from which the token has to be verified again.
    pub expires: u64,
    /// About how many bytes of memory the identity occupies.
    pub heap_size: usize,
}

impl KeySet {
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self { keys, verified: VerifiedCredentials::new(), warning: Once::new() }
    }

    /// Returns the keys that may have signed a token with this algorithm and key id, at least one.
    pub fn candidates(&self, algorithm: &Algorithm, id: Option<&str>) -> Result<Vec<&VerificationKey>, TokenError> {
        let with_id = || self.keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id);
        let fitting: Vec<_> = with_id().filter(|key| key.accepts(algorithm)).take(MAX_TRIED_KEYS).collect();
        if !fitting.is_empty() {
            Ok(fitting)
        } else if id.is_some() && with_id().next().is_some() {
            Err("the key is not for the algorithm of the token".into())
        } else {
            Err(TokenError::UnknownKey)
        }
    }

    /// Logs that a token without a key id has not been compared with all keys for its algorithm, if that is so. Clients
    /// can send any number of such tokens, so that only the first one is logged.
    pub fn warn_of_untried_keys(&self, algorithm: &Algorithm, issuer: &str) {
        let count = self.keys.iter().filter(|key| key.accepts(algorithm)).count();
        if count > MAX_TRIED_KEYS {
            self.warning.call_once(|| {
                log::warn!(
                    "{issuer}: a token without `kid` is refused, because only the first {MAX_TRIED_KEYS} of {count} keys \
                     for its algorithm are tried"
                );
            });
        }
    }
}
