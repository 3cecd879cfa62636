//! Logins with passwords, for handlers of rulebook.
//!
//! [`Logins`] computes the hashes of passwords with argon2id and verifies them, and limits what one client may cost:
//! the computations that are in progress, the registrations and logins of each client address, and the logins that
//! fail. A program adds it to its [shared state](rulebook::Rulebook::state), and stores its users itself:
//!
//! ```
//! use rulebook::{ApiError, Args, Context};
//! use rulebook_login::Logins;
//!
//! async fn log_in(Args((login, password)): Args<(String, String)>, context: Context) -> Result<(), ApiError> {
//!     // The id and the hash of the password of the user with this login.
//!     let find = async { Ok(if login == "ada" { Some((7, hash_of_ada())) } else { None }) };
//!     let user = Logins::from_context(&context)?.log_in(&context, &login, password, find).await?;
//!     let Some(user_id) = user else { return Err(ApiError::declared("wrong_login")) };
//!     Ok(context.set_header("X-User", user_id)?)
//! }
//! # fn hash_of_ada() -> String { String::new() }
//! ```
//!
//! The method that logs users in must declare the errors `too_busy`, `too_many_failures` and `too_many_logins`, and the
//! method that registers users the errors `too_busy` and `too_many_registrations`. Responses with these errors have the
//! field `Retry-After`, so that 429 is a suitable status.

mod limits;
mod password;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rulebook::{ApiError, Context};
use tokio::sync::Semaphore;

use limits::whole_seconds;
pub use limits::{Attempt, ClientRate, FailedLogins, client_network};
use password::Hasher;

/// The number of logins that may be in progress: those that compute a hash and those that wait for it. It exceeds the
/// number of failed logins that one address may have, so that one address cannot occupy all places.
const LOGIN_PLACES: usize = limits::MAX_PER_ADDRESS + 10;
/// The number of registrations that may be in progress. Registrations are rare, and only delay logins by a short time.
const MAX_REGISTRATIONS: usize = 8;
/// The number of registrations of one address that may be in progress, so that one address cannot prevent others.
const MAX_REGISTRATIONS_PER_ADDRESS: usize = 4;

/// Hashes and verifies passwords, and limits how often. See the documentation of the crate.
///
/// One client address may register ten users at once and then one every six seconds, and log in twenty times at once
/// and then once every three seconds. Ten of its logins may fail within a minute, five of them with the same login
/// name. Logins are not limited for a login name alone, because then anyone who knows a login name could lock its user
/// out.
///
/// Calls from code have no client address, so that only the number of computations at once is limited for them.
#[derive(Debug)]
pub struct Logins {
    registration_rate: ClientRate,
    /// Limits the successful logins, because each stores data.
    login_rate: ClientRate,
    failed: Arc<FailedLogins>,
    registrations: Registrations,
    places: Arc<Semaphore>,
    hasher: Hasher,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            registration_rate: ClientRate::new(10, Duration::from_secs(6)),
            login_rate: ClientRate::new(20, Duration::from_secs(3)),
            failed: Arc::new(FailedLogins::new()),
            registrations: Registrations::default(),
            places: Arc::new(Semaphore::new(LOGIN_PLACES)),
            hasher: Hasher::new(),
        }
    }
}

impl Logins {
    /// Returns the value in the shared state of the program that handles the request.
    ///
    /// # Errors
    /// Returns an internal error if the program has not added it.
    pub fn from_context(context: &Context) -> Result<Arc<Self>, ApiError> {
        context.state().ok_or_else(|| ApiError::internal("the program has no `Logins` in its state"))
    }

    /// Computes the hash of the password of a new user.
    ///
    /// # Errors
    /// Returns the declared error `too_busy` if too many registrations wait, or too many of this client, and
    /// `too_many_registrations` if this client has registered too often; fails if hashing fails.
    pub async fn hash_password(&self, context: &Context, password: String) -> Result<String, ApiError> {
        let place = self.registrations.take_place(context.head().map(client_network));
        if place.is_some() {
            self.registration_rate.count(context, "too_many_registrations")?;
        }
        self.hasher.hash(password, place, context).await
    }

    /// Returns the user if the password is correct, and `None` if there is no such user or the password is wrong, after
    /// the same time. `user` returns the user with the login name `login`, with the hash of the password.
    ///
    /// # Errors
    /// Returns the declared error `too_many_failures` or `too_many_logins` if too many logins of this client have
    /// failed or succeeded, and `too_busy` if too many logins wait; fails if `user` or the verification fails.
    pub async fn log_in<T>(
        &self,
        context: &Context,
        login: &str,
        password: String,
        user: impl Future<Output = Result<Option<(T, String)>, ApiError>>,
    ) -> Result<Option<T>, ApiError> {
        let attempt = self.begin_attempt(context, login)?;
        let checked = match self.login_rate.count(context, "too_many_logins") {
            Ok(()) => {
                let checked = self.check_password(context, password, user).await;
                // Failed logins have another limit.
                if !matches!(checked, Ok(Some(_))) {
                    self.login_rate.forget(context);
                }
                checked
            }
            Err(error) => Err(error),
        };
        match (attempt, &checked) {
            (Some(attempt), Ok(Some(_))) => attempt.succeed(),
            (Some(attempt), Err(_)) => attempt.do_not_count(),
            _ => {}
        }
        checked
    }

    /// Begins a login, which counts as failed until it succeeds; `None` for a call from code, which has no address.
    fn begin_attempt(&self, context: &Context, login: &str) -> Result<Option<Attempt>, ApiError> {
        let Some(head) = context.head() else { return Ok(None) };
        match self.failed.begin(client_network(head), login, Instant::now()) {
            Ok(attempt) => Ok(Some(attempt)),
            Err(wait) => {
                context.set_header("Retry-After", whole_seconds(wait))?;
                Err(ApiError::declared("too_many_failures"))
            }
        }
    }

    async fn check_password<T>(
        &self,
        context: &Context,
        password: String,
        user: impl Future<Output = Result<Option<(T, String)>, ApiError>>,
    ) -> Result<Option<T>, ApiError> {
        let (user, hash) = user.await?.unzip();
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let is_correct = self.hasher.verify(password, hash, place, context).await?;
        Ok(user.filter(|_| is_correct))
    }
}

/// The addresses of the clients whose registrations are in progress.
#[derive(Debug, Clone, Default)]
struct Registrations(Arc<Mutex<Vec<Option<IpAddr>>>>);

/// A registration that is in progress, until this value is dropped.
#[derive(Debug)]
struct RegistrationPlace {
    client: Option<IpAddr>,
    registrations: Registrations,
}

impl Registrations {
    /// Takes a place for a client; `None` if no place is free for it.
    fn take_place(&self, client: Option<IpAddr>) -> Option<RegistrationPlace> {
        let mut registrations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = registrations.iter().filter(|other| **other == client).count();
        let is_free = registrations.len() < MAX_REGISTRATIONS && of_client < MAX_REGISTRATIONS_PER_ADDRESS;
        is_free.then(|| {
            registrations.push(client);
            RegistrationPlace { client, registrations: self.clone() }
        })
    }
}

impl Drop for RegistrationPlace {
    fn drop(&mut self) {
        let mut registrations = self.registrations.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = registrations.iter().position(|client| *client == self.client) {
            registrations.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_REGISTRATIONS, MAX_REGISTRATIONS_PER_ADDRESS, Registrations};

    #[test]
    fn a_client_can_take_a_part_of_the_places_for_registrations() {
        let registrations = Registrations::default();
        let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|client| client.parse().ok());
        let take = |client| (0..MAX_REGISTRATIONS).map_while(|_| registrations.take_place(client)).collect::<Vec<_>>();
        let (of_first, of_second) = (take(first), take(second));
        assert_eq!((of_first.len(), of_second.len()), (MAX_REGISTRATIONS_PER_ADDRESS, MAX_REGISTRATIONS_PER_ADDRESS));
        assert_eq!(take(third).len(), MAX_REGISTRATIONS - 2 * MAX_REGISTRATIONS_PER_ADDRESS);
        drop(of_first);
        assert_eq!(take(third).len(), MAX_REGISTRATIONS_PER_ADDRESS);
    }
}
