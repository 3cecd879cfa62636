//! Authentication by the token of a login.
//!
//! A token consists of a prefix, which distinguishes it from the server's keys, and 32 random bytes. The database
//! stores its SHA-256; a secret of this length needs neither salt nor work factor. Tokens are looked up by their hash,
//! so that the time of a look-up reveals nothing about other tokens.

use jiff::Timestamp;
use rulebook::{ApiError, Authenticate, Authentication, Head, Identity};
use sha2::{Digest, Sha256};

use crate::database::{Database, DatabaseError};

/// The prefix of tokens.
const PREFIX: &str = "login_";

/// The roles of users. Each role includes those before it.
const ROLES: [&str; 4] = ["reader", "author", "editor", "admin"];

/// The secret of a login.
pub(super) struct Token(String);

impl Token {
    /// Creates a random token.
    ///
    /// # Errors
    /// Returns an internal error if the system has no random bytes.
    pub(super) fn random() -> Result<Self, ApiError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(ApiError::internal)?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(secret))))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the hash that the database stores.
    pub(super) fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

/// Returns the token of a request; `None` unless the request has exactly one credential, and that is a token.
pub(super) fn token(head: &Head) -> Option<Token> {
    head.bearer().filter(|token| token.starts_with(PREFIX)).map(|token| Token(token.to_owned()))
}

/// Authenticates requests by the tokens of logins.
pub(crate) struct LoginAuthenticator(Database);

impl LoginAuthenticator {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    async fn user(&self, token: &Token) -> Result<Option<(i64, String, String)>, DatabaseError> {
        let select = "SELECT users.user_id, login, role FROM logins JOIN users ON users.user_id = logins.user_id
            WHERE hash = $1 AND ends > $2";
        let select = sqlx::query_as(select).bind(token.hash()).bind(Timestamp::now().as_second());
        Ok(select.fetch_optional(&mut *self.0.read().await?).await?)
    }
}

/// Returns the permissions of a user: the roles, and `user[ID]` for the user's own account.
fn scope(user_id: i64, role: &str) -> impl Iterator<Item = String> {
    let count = ROLES.iter().position(|other| *other == role).map_or(0, |last| last + 1);
    ROLES[..count].iter().map(|role| (*role).to_owned()).chain([format!("user[{user_id}]")])
}

impl Authenticate for LoginAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let Some(token) = token(head) else { return Authentication::Anonymous };
        match self.user(&token).await {
            Ok(Some((user_id, login, role))) => Authentication::Identity(Identity::new(&login, scope(user_id, &role))),
            Ok(None) => Authentication::Invalid("an unknown or expired login".to_owned()),
            Err(error) => Authentication::Unavailable(error.to_string()),
        }
    }
}
