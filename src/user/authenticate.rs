//! Authenticates requests by the token that a client received when its user logged in.
//!
//! A token consists of a prefix, which distinguishes it from the server's API keys, and 32 random bytes. The database
//! stores the SHA-256 hash of each token. Because tokens are long and random, the hash needs neither a salt nor a slow
//! hash function. A token is looked up by its hash, so that the time of the look-up reveals nothing about other tokens.

use jiff::Timestamp;
use rulebook::{ApiError, Authenticate, Authentication, Head, Identity};
use sha2::{Digest, Sha256};

use crate::database::{Database, DatabaseError};

/// The text with which every token begins.
const TOKEN_PREFIX: &str = "login_";

/// The roles of users. A user with a role also has all roles before it in this list.
const ROLES: [&str; 4] = ["reader", "author", "editor", "admin"];

/// The secret that a user receives on logging in, and that authenticates the user's requests.
pub(super) struct LoginToken(String);

impl LoginToken {
    /// Creates a random token.
    ///
    /// # Errors
    /// Returns an internal error if the system has no random bytes.
    pub(super) fn random() -> Result<Self, ApiError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(ApiError::internal)?;
        Ok(Self(format!("{TOKEN_PREFIX}{}", hex::encode(secret))))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the hash of the token, which the database stores instead of the token.
    pub(super) fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

/// Returns the login token of a request; `None` if the request has no login token, or has several credentials.
pub(super) fn bearer_token(head: &Head) -> Option<LoginToken> {
    head.bearer().filter(|token| token.starts_with(TOKEN_PREFIX)).map(|token| LoginToken(token.to_owned()))
}

/// Authenticates requests by login tokens.
pub(crate) struct LoginAuthenticator(Database);

impl LoginAuthenticator {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    async fn find_user(&self, token: &LoginToken) -> Result<Option<(i64, String, String)>, DatabaseError> {
        let select = "SELECT users.user_id, login, role FROM logins JOIN users ON users.user_id = logins.user_id
            WHERE hash = ? AND ends > ?";
        let select = sqlx::query_as(select).bind(token.hash()).bind(Timestamp::now().as_second());
        Ok(select.fetch_optional(self.0.readers().await?).await?)
    }
}

/// Returns the permissions of a user: the user's roles, and `user[ID]` for the account of this user.
fn user_permissions(user_id: i64, role: &str) -> impl Iterator<Item = String> {
    let count = ROLES.iter().position(|other| *other == role).map_or(0, |last| last + 1);
    ROLES[..count].iter().map(|role| (*role).to_owned()).chain([format!("user[{user_id}]")])
}

impl Authenticate for LoginAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let Some(token) = bearer_token(head) else { return Authentication::Anonymous };
        match self.find_user(&token).await {
            Ok(Some((user_id, login, role))) => {
                Authentication::Identity(Identity::new(&login, user_permissions(user_id, &role)))
            }
            Ok(None) => Authentication::Invalid("an unknown or expired login".to_owned()),
            Err(error) => Authentication::Unavailable(error.to_string()),
        }
    }
}
