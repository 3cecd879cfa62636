//! Computes and verifies hashes of passwords with argon2id, as many at once as the processors can bear. A verification
//! takes the same time whether or not the user exists.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rulebook::{ApiError, Context};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The number of hashes that are computed at once. Each computation needs 19 MiB of memory and a processor.
const COMPUTATIONS: usize = 2;

/// The number of seconds after which a client can retry if no place is free. By then, the server has finished the
/// computations that were in progress.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The hash that is verified if a user has no password. No known password has this hash.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ni6R4CAXFQSzaY9DRI1fhQ$M6SfXNHNuMWy2QxiaPdwTcrdMRhh7MnKgj6uYJRLDVs";

#[derive(Debug)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
    /// The memory of earlier verifications, at most one for each permit. If each verification allocated its own, the
    /// allocator would keep more and more of it.
    unused_memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(COMPUTATIONS)), unused_memory: Arc::default() }
    }

    pub(crate) async fn hash(
        &self,
        password: String,
        place: Option<impl Send + 'static>,
        context: &Context,
    ) -> Result<String, ApiError> {
        self.run_in_place(place, context, move || {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt).map_err(ApiError::internal)?;
            let salt = SaltString::encode_b64(&salt).map_err(ApiError::internal)?;
            let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(ApiError::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Returns `true` if `hash` is the hash of this password. If `hash` is `None`, returns `false` after the same time.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
        place: Option<impl Send + 'static>,
        context: &Context,
    ) -> Result<bool, ApiError> {
        let unused_memory = Arc::clone(&self.unused_memory);
        self.run_in_place(place, context, move || {
            let (hash, has_password) = match hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok()) {
                Some(hash) => (hash, true),
                None => (PasswordHash::new(DUMMY_HASH).map_err(ApiError::internal)?, false),
            };
            Ok(has_hash(password.as_bytes(), &hash, &unused_memory)? && has_password)
        })
        .await
    }

    /// Waits for a permit, and runs `work` with it. Without a `place` in the queue, this is an error at once: if
    /// requests waited without a limit, those of users would wait behind those of attackers.
    async fn run_in_place<T: Send + 'static>(
        &self,
        place: Option<impl Send + 'static>,
        context: &Context,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Some(place) = place else {
            context.set_header("Retry-After", RETRY_AFTER_SECONDS)?;
            return Err(ApiError::declared("too_busy"));
        };
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(ApiError::internal)?;
        let work = move || {
            // The computation cannot be stopped, so it keeps its permit even if the request is dropped.
            let _permits = (place, permit);
            work()
        };
        spawn_blocking(work).await.map_err(ApiError::internal)?
    }
}

/// Returns `true` if a password has this hash. The hashes are compared in constant time.
fn has_hash(
    password: &[u8],
    hash: &PasswordHash<'_>,
    unused_memory: &Mutex<Vec<Vec<Block>>>,
) -> Result<bool, ApiError> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Ok(false) };
    let mut salt_bytes = [0; 64];
    let salt = salt.decode_b64(&mut salt_bytes).map_err(ApiError::internal)?;
    let params = Params::try_from(hash).map_err(ApiError::internal)?;
    let mut memory = unused_memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let computed = Output::init_with(expected.len(), |output| {
        Ok(argon2.hash_password_into_with_memory(password, salt, output, &mut memory)?)
    });
    unused_memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    Ok(computed.map_err(ApiError::internal)? == expected)
}
