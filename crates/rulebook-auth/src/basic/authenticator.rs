//! The authenticator that accepts names and passwords.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use rulebook::http::{HeaderValue, header};
use rulebook::{ApiError, AuthError, AuthScheme, Authenticate, Authentication, Head};
use rulebook_login::{FailedLogins, client_network};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::all_users::AllUsers;
use super::credentials::{Credentials, basic_credential};

/// The number of hashes that are computed at once.
const COMPUTATIONS: usize = 2;
/// The maximum number of requests that compute a hash or wait for it.
const MAX_WAITING: usize = 64;

/// The authenticator that accepts names and passwords. A definition has one of them for all files with users, because a
/// login fails only if no file accepts it: if each file counted the logins that it does not accept, it would lock out
/// the users of the other files.
pub struct BasicAuthenticator {
    pub users: Arc<ArcSwapOption<AllUsers>>,
    pub schemes: Vec<AuthScheme>,
    /// `true` if a user has only the permissions of the first file that accepts the password.
    pub only_first: bool,
    failed: Arc<FailedLogins>,
    computations: Arc<Semaphore>,
    places: Semaphore,
}

impl BasicAuthenticator {
    pub fn new(users: Arc<ArcSwapOption<AllUsers>>, schemes: Vec<AuthScheme>, only_first: bool) -> Self {
        Self {
            users,
            schemes,
            only_first,
            failed: Arc::default(),
            computations: Arc::new(Semaphore::new(COMPUTATIONS)),
            places: Semaphore::new(MAX_WAITING),
        }
    }

    /// Verifies the password of a credential that this worker has not verified.
    async fn verify(&self, head: &Head, credential: &str) -> Authentication {
        let Some(Credentials { name, password }) = Credentials::decode(credential) else {
            return Authentication::Invalid("the name and the password are malformed".to_owned());
        };
        let Some(users) = self.users.load_full() else {
            return Authentication::Unavailable("the users have not been read".to_owned());
        };
        let Ok(_place) = self.places.try_acquire() else {
            return Authentication::Unavailable("too many passwords are being verified".to_owned());
        };
        let Ok(permit) = Arc::clone(&self.computations).acquire_owned().await else {
            return Authentication::Unavailable("no passwords are verified".to_owned());
        };
        // Another request with the same credential may have been verified meanwhile, so that a client can send several
        // requests at once.
        let recalled = users.recall(credential).and_then(|accepting| users.identity(&name, &accepting));
        if let Some(identity) = recalled {
            users.verified.remember(credential, identity.clone());
            return Authentication::Identity(identity);
        }
        let attempt = match self.failed.begin(client_network(head), &name, Instant::now()) {
            Ok(attempt) => attempt,
            Err(wait) => {
                let seconds = HeaderValue::from(wait.as_secs() + 1);
                let error = ApiError::declared("too_many_failures");
                return Authentication::Error(error.with_headers(vec![(header::RETRY_AFTER, seconds)]));
            }
        };
        if users.is_empty() {
            return Authentication::Invalid("there are no users".to_owned());
        }
        let (verifying, verified_name, only_first) = (Arc::clone(&users), name.clone(), self.only_first);
        let verified = spawn_blocking(move || {
            // The computation cannot be stopped, so it keeps its permit even if the request is dropped.
            let _permit = permit;
            verifying.verify(&verified_name, &password, only_first)
        });
        let accepting = match verified.await {
            Ok(accepting) => accepting,
            Err(error) => {
                attempt.do_not_count();
                return Authentication::Unavailable(format!("the password cannot be verified: {error}"));
            }
        };
        let Some(identity) = users.identity(&name, &accepting) else {
            return Authentication::Invalid("the name or the password is wrong".to_owned());
        };
        attempt.succeed();
        users.remember(credential, accepting);
        users.verified.remember(credential, identity.clone());
        Authentication::Identity(identity)
    }
}

impl Authenticate for BasicAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match basic_credential(head) {
            Ok(None) => Authentication::Anonymous,
            Ok(Some(credential)) => self.verify(head, credential).await,
            Err(reason) => Authentication::Invalid(reason.to_owned()),
        }
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        match basic_credential(head) {
            Ok(None) => Some(Authentication::Anonymous),
            Ok(Some(credential)) => {
                let users = self.users.load();
                let identity = users.as_ref()?.verified.recall(credential, Clone::clone)?;
                Some(Authentication::Identity(identity))
            }
            Err(reason) => Some(Authentication::Invalid(reason.to_owned())),
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        self.schemes.clone()
    }

    fn errors(&self) -> Vec<AuthError> {
        vec![AuthError::new("too_many_failures", 429, "too many logins have failed; try again later")]
    }
}
