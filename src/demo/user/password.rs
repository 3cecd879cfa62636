//! Passwords: kept as argon2id hashes, compared in the same time whether or not there is one.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use rulebook::Refusal;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// A hash takes 19 MiB and a processor: so many are made at once, the others wait for so long.
static AT_ONCE: Semaphore = Semaphore::const_new(4);
const PATIENCE: Duration = Duration::from_secs(5);

/// What a password is compared with where nobody can log in: the hash of nobody's password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ni6R4CAXFQSzaY9DRI1fhQ$M6SfXNHNuMWy2QxiaPdwTcrdMRhh7MnKgj6uYJRLDVs";

/// The hash that is kept of a password.
///
/// # Errors
/// Too many are made at once, or hashing failed.
pub(super) async fn hash(password: String) -> Result<String, Refusal> {
    blocking(move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(Refusal::internal)?;
        let salt = SaltString::encode_b64(&salt).map_err(Refusal::internal)?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(Refusal::internal)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether the hash is of this password; without a hash never, after the same work.
///
/// # Errors
/// Too many are compared at once, or the comparison did not run.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<bool, Refusal> {
    blocking(move || {
        let (hash, somebody) = match hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok()) {
            Some(hash) => (hash, true),
            None => (PasswordHash::new(NOBODY).map_err(Refusal::internal)?, false),
        };
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && somebody)
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    let turn = timeout(PATIENCE, AT_ONCE.acquire()).await;
    let _turn = turn.map_err(|_| Refusal::unavailable("too many passwords at once"))?.map_err(Refusal::internal)?;
    spawn_blocking(work).await.map_err(Refusal::internal)?
}
