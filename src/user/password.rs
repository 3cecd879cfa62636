//! Hashes and verifies passwords with argon2id. Verification takes the same time whether or not the user exists.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rulebook::{ApiError, Context};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::client_address::client_network;
use super::client_rates::ClientRates;
use super::failed_logins;

/// The permits to compute a hash. They limit the load, because each computation needs 19 MiB of memory and a processor.
static HASH_PERMITS: Semaphore = Semaphore::const_new(2);
/// The memory of earlier verifications, at most one for each permit. If each verification allocated its own, the
/// allocator would keep more and more of it.
static UNUSED_MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// The number of logins that may be in progress: those that compute a hash and those that wait for it. It exceeds the
/// number of failed logins that one address may have, so that one address cannot occupy all places.
static LOGIN_PLACES: Semaphore = Semaphore::const_new(failed_logins::MAX_PER_ADDRESS + 10);
/// The addresses of the clients whose registrations are in progress.
static REGISTRATIONS: Mutex<Vec<Option<IpAddr>>> = Mutex::new(Vec::new());
/// The number of registrations that may be in progress. Registrations are rare, and only delay logins by a short time.
const MAX_REGISTRATIONS: usize = 8;
/// The number of registrations of one address that may be in progress, so that one address cannot prevent others.
const MAX_REGISTRATIONS_PER_ADDRESS: usize = 4;

/// The number of seconds after which a client can retry if no place is free. By then, the server has finished the
/// computations that were in progress.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The hash that is verified if a user has no password. No known password has this hash.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ni6R4CAXFQSzaY9DRI1fhQ$M6SfXNHNuMWy2QxiaPdwTcrdMRhh7MnKgj6uYJRLDVs";

/// Computes the hash of a password.
///
/// # Errors
/// Returns the declared error `too_busy` if too many registrations wait, or too many of this client, and
/// `too_many_registrations` if this client has registered too often; fails if hashing fails.
pub(super) async fn hash_password(password: String, context: &Context) -> Result<String, ApiError> {
    let place = RegistrationPlace::take(context.head().map(client_network));
    if place.is_some() {
        ClientRates::from_context(context)?.registrations.count(context, "too_many_registrations")?;
    }
    run_in_place(place, context, move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(ApiError::internal)?;
        let salt = SaltString::encode_b64(&salt).map_err(ApiError::internal)?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(ApiError::internal)?;
        Ok(hash.to_string())
    })
    .await
}

/// Returns `true` if `hash` is the hash of this password. If `hash` is `None`, returns `false` after the same time.
///
/// # Errors
/// Returns the declared error `too_busy` if too many logins wait; fails if the verification fails.
pub(super) async fn verify_password(
    password: String,
    hash: Option<String>,
    context: &Context,
) -> Result<bool, ApiError> {
    run_in_place(LOGIN_PLACES.try_acquire().ok(), context, move || {
        let (hash, has_password) = match hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok()) {
            Some(hash) => (hash, true),
            None => (PasswordHash::new(DUMMY_HASH).map_err(ApiError::internal)?, false),
        };
        Ok(has_hash(password.as_bytes(), &hash)? && has_password)
    })
    .await
}

/// Returns `true` if a password has this hash. The hashes are compared in constant time.
fn has_hash(password: &[u8], hash: &PasswordHash<'_>) -> Result<bool, ApiError> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Ok(false) };
    let mut salt_bytes = [0; 64];
    let salt = salt.decode_b64(&mut salt_bytes).map_err(ApiError::internal)?;
    let params = Params::try_from(hash).map_err(ApiError::internal)?;
    let mut memory = UNUSED_MEMORY.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let computed = Output::init_with(expected.len(), |output| {
        Ok(argon2.hash_password_into_with_memory(password, salt, output, &mut memory)?)
    });
    UNUSED_MEMORY.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    Ok(computed.map_err(ApiError::internal)? == expected)
}

/// A registration that is in progress, until this value is dropped.
struct RegistrationPlace(Option<IpAddr>);

impl RegistrationPlace {
    /// Takes a place for a client; `None` if no place is free for it.
    fn take(client: Option<IpAddr>) -> Option<Self> {
        let mut registrations = REGISTRATIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = registrations.iter().filter(|other| **other == client).count();
        let is_free = registrations.len() < MAX_REGISTRATIONS && of_client < MAX_REGISTRATIONS_PER_ADDRESS;
        is_free.then(|| {
            registrations.push(client);
            Self(client)
        })
    }
}

impl Drop for RegistrationPlace {
    fn drop(&mut self) {
        let mut registrations = REGISTRATIONS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = registrations.iter().position(|client| *client == self.0) {
            registrations.swap_remove(index);
        }
    }
}

/// Waits for a permit, and runs `work` with it. Without a `place` in the queue, this is an error at once: if requests
/// waited without a limit, those of users would wait behind those of attackers.
async fn run_in_place<T: Send + 'static>(
    place: Option<impl Send + 'static>,
    context: &Context,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let Some(place) = place else {
        context.set_header("Retry-After", RETRY_AFTER_SECONDS)?;
        return Err(ApiError::declared("too_busy"));
    };
    let permit = HASH_PERMITS.acquire().await.map_err(ApiError::internal)?;
    let work = move || {
        // The computation cannot be stopped, so it keeps its permit even if the request is dropped.
        let _permits = (place, permit);
        work()
    };
    spawn_blocking(work).await.map_err(ApiError::internal)?
}

#[cfg(test)]
mod tests {
    use super::{MAX_REGISTRATIONS, MAX_REGISTRATIONS_PER_ADDRESS, RegistrationPlace};

    #[test]
    fn a_client_can_take_a_part_of_the_places_for_registrations() {
        let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|client| client.parse().ok());
        let take = |client| (0..MAX_REGISTRATIONS).map_while(|_| RegistrationPlace::take(client)).collect::<Vec<_>>();
        let (of_first, of_second) = (take(first), take(second));
        assert_eq!((of_first.len(), of_second.len()), (MAX_REGISTRATIONS_PER_ADDRESS, MAX_REGISTRATIONS_PER_ADDRESS));
        assert_eq!(take(third).len(), MAX_REGISTRATIONS - 2 * MAX_REGISTRATIONS_PER_ADDRESS);
        drop(of_first);
        assert_eq!(take(third).len(), MAX_REGISTRATIONS_PER_ADDRESS);
    }
}
