//! Hashes and verifies passwords with argon2id. Verification takes the same time whether or not the user exists.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rulebook::ApiError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The permits to compute a hash. They limit the load, because each computation needs 19 MiB of memory and a processor.
static HASH_PERMITS: Semaphore = Semaphore::const_new(2);
/// The memory of earlier verifications, at most one for each permit. If each verification allocated its own, the
/// allocator would keep more and more of it.
static UNUSED_MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// Maximum time for which a request waits for a permit.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The hash that is verified if a user has no password. No known password has this hash.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ni6R4CAXFQSzaY9DRI1fhQ$M6SfXNHNuMWy2QxiaPdwTcrdMRhh7MnKgj6uYJRLDVs";

/// Computes the hash of a password.
///
/// # Errors
/// Fails if no permit is available in time, or hashing fails.
pub(super) async fn hash_password(password: String) -> Result<String, ApiError> {
    run_with_permit(move || {
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
/// Fails if no permit is available in time, or the verification fails.
pub(super) async fn verify_password(password: String, hash: Option<String>) -> Result<bool, ApiError> {
    run_with_permit(move || {
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

async fn run_with_permit<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let permit = timeout(PERMIT_TIMEOUT, HASH_PERMITS.acquire()).await;
    let _permit = permit
        .map_err(|_| ApiError::unavailable("too many concurrent password hashes"))?
        .map_err(ApiError::internal)?;
    spawn_blocking(work).await.map_err(ApiError::internal)?
}
