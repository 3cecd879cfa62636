//! Whose login a request carries.
//!
//! A token is 32 random bytes behind a prefix of its own, so that the server's
//! keys are left to who knows them. The database keeps its SHA-256, which for a
//! secret of that length needs neither salt nor work factor; a token is found
//! by that hash, so the time of a look-up tells nothing about others.

use std::pin::Pin;

use http::header::AUTHORIZATION;
use jiff::Timestamp;
use rulebook::{Head, Identity, Inspect, Inspection, Refusal};
use sha2::{Digest, Sha256};

use crate::demo::database::{Database, Trouble};

/// What tokens begin with.
const PREFIX: &str = "login_";

/// The roles that a user can have. Each may do what those before it may.
const ROLES: [&str; 4] = ["reader", "author", "editor", "admin"];

/// The secret of a login.
pub(super) struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// An internal refusal: the system gives no random bytes.
    pub(super) fn random() -> Result<Self, Refusal> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(Refusal::internal)?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(secret))))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

/// The token that a request carries as its one bearer credential.
pub(super) fn token(head: &Head) -> Option<Token> {
    let mut fields = head.header_values(&AUTHORIZATION);
    let field = fields.next().filter(|_| fields.next().is_none())?;
    let (scheme, credential) = field.to_str().ok()?.split_once(' ')?;
    let token = credential.trim_ascii();
    (scheme.eq_ignore_ascii_case("Bearer") && token.starts_with(PREFIX)).then(|| Token(token.to_owned()))
}

/// Finds out whose login a request carries.
pub(crate) struct Logins(Database);

impl Logins {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    async fn look_up(&self, head: &Head) -> Inspection {
        let Some(token) = token(head) else { return Inspection::Nobody };
        match self.user(&token).await {
            Ok(Some((user_id, login, role))) => Inspection::Identity(Identity::new(&login, scope(user_id, &role))),
            Ok(None) => Inspection::Invalid("an unknown login, or one that has ended".to_owned()),
            Err(trouble) => Inspection::Unavailable(trouble.to_string()),
        }
    }

    async fn user(&self, token: &Token) -> Result<Option<(i64, String, String)>, Trouble> {
        let select = "SELECT users.user_id, login, role FROM logins JOIN users ON users.user_id = logins.user_id
            WHERE hash = $1 AND ends > $2";
        let select = sqlx::query_as(select).bind(token.hash()).bind(Timestamp::now().as_second());
        Ok(select.fetch_optional(&mut *self.0.read().await?).await?)
    }
}

/// The permissions of a user: those of the role, and those on the own account.
fn scope(user_id: i64, role: &str) -> impl Iterator<Item = String> {
    let held = ROLES.iter().position(|one| *one == role).map_or(0, |last| last + 1);
    ROLES[..held].iter().map(|role| (*role).to_owned()).chain([format!("user[{user_id}]")])
}

impl Inspect for Logins {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        Box::pin(self.look_up(head))
    }
}
