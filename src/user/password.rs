//! Hashes and verifies passwords with argon2id. Verification takes the same time whether or not the user exists.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use rulebook::ApiError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The permits to compute a hash. They limit the load, because each computation needs 19 MiB of memory and a processor.
static HASH_PERMITS: Semaphore = Semaphore::const_new(4);
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
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && has_password)
    })
    .await
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
