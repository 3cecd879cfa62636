//! The authenticator that accepts names and passwords.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rulebook::http::{HeaderValue, header};
use rulebook::{ApiError, AuthError, AuthScheme, Authenticate, Authentication, Head};
use rulebook_login::{FailedLogins, client_network};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::all_users::AllUsers;

/// The number of hashes that are computed at once.
const COMPUTATIONS: usize = 2;
/// The maximum number of requests that compute a hash or wait for it.
const MAX_WAITING: usize = 64;
/// Decodes base64 with or without padding: some clients omit it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The maximum length of a credential in bytes, before it is decoded.
const MAX_LEN: usize = 2048;

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
        let Some((name, password)) = decode(credential) else {
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
        if let Some(identity) = users.verified.recall(credential, Clone::clone) {
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
        users.verified.remember(credential, identity.clone(), identity.memory_size());
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

/// Returns the credential of the scheme Basic as it was sent; `None` if the request has none.
/// Fails if the header field is malformed or repeated. The error is a message for the log.
fn basic_credential(head: &Head) -> Result<Option<&str>, &'static str> {
    let mut fields = head.header_values("authorization");
    let Some(first) = fields.next() else { return Ok(None) };
    if let Some(second) = fields.next() {
        let is_any_basic = [first, second].into_iter().chain(fields).any(is_basic);
        return if is_any_basic { Err("the header field Authorization is repeated") } else { Ok(None) };
    }
    if !is_basic(first) {
        return Ok(None);
    }
    let credential = first.to_str().ok().and_then(|text| Some(text.trim().split_once(' ')?.1.trim_start()));
    credential
        .filter(|credential| credential.len() <= MAX_LEN)
        .map(Some)
        .ok_or("the header field Authorization is malformed")
}

/// Returns `true` if the value of `Authorization` has the scheme Basic. Names of schemes are case-insensitive.
fn is_basic(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().trim_ascii().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Basic"))
}

/// Decodes a credential: the name and the password, separated by a colon (RFC 7617 section 2).
fn decode(credential: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(credential).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    let is_valid = !name.is_empty() && !text.contains(char::is_control);
    is_valid.then(|| (name.to_owned(), password.to_owned()))
}
