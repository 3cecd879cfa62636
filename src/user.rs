//! The handlers of the API module `user`: registration, logins and profiles. Also the authentication by logins.

use jiff::{SignedDuration, Timestamp};
use rulebook::{ApiError, Authenticate, Authentication, Context, Head, Identity, Module};
use rulebook_login::Logins;
use sha2::{Digest, Sha256};

use crate::api::user::{
    Handlers, LoginArguments, LoginError, LoginOutputs, ReadArguments, ReadError, ReadOutputs, ReadUser,
    RegisterArguments, RegisterError, RegisterOutputs, UpdateArguments, UpdateError, UpdateOutputs,
};
use crate::database::{Database, DatabaseError};
use crate::{format_time, now};

pub(super) fn module() -> Module {
    let handlers = Handlers {
        register: register_user,
        login: log_in,
        logout: log_out,
        read: read_profile,
        update: update_profile,
    };
    handlers.into_module()
}

async fn register_user(user: RegisterArguments, context: Context) -> Result<RegisterOutputs, RegisterError> {
    let database = Database::from_context(&context)?;
    let hash = Logins::from_context(&context)?.hash_password(&context, user.password).await?;
    let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES (?, ?, ?, 'author', ?, ?)";
    let insert = sqlx::query(insert).bind(&user.login).bind(user.name).bind(user.about).bind(now()).bind(hash);
    let user_id = match insert.execute(database.writer().await?).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(RegisterError::LoginTaken.with_member("login", user.login));
        }
        inserted => inserted.map_err(DatabaseError)?.last_insert_rowid(),
    };
    Ok(RegisterOutputs { user_id })
}

/// The time after which the token of a login expires.
const LOGIN_VALIDITY: SignedDuration = SignedDuration::from_hours(12);

async fn log_in(arguments: LoginArguments, context: Context) -> Result<LoginOutputs, LoginError> {
    let LoginArguments { login, password } = arguments;
    let database = Database::from_context(&context)?;
    let user = Logins::from_context(&context)?.log_in(&context, &login, password, find_user(&database, &login)).await?;
    let Some(user_id) = user else { return Err(LoginError::WrongLogin) };
    let token = LoginToken::random()?;
    let now = Timestamp::now();
    let until = now.saturating_add(LOGIN_VALIDITY).map_err(ApiError::internal)?;
    store_login(&database, &token, user_id, now.as_second(), until.as_second()).await?;
    Ok(LoginOutputs { user_id, token: token.as_str().to_owned(), until: format_time(until) })
}

async fn find_user(database: &Database, login: &str) -> Result<Option<(i64, String)>, ApiError> {
    let select = sqlx::query_as("SELECT user_id, password FROM users WHERE login = ?").bind(login);
    Ok(select.fetch_optional(database.readers().await?).await.map_err(DatabaseError)?)
}

/// Stores the login of a user, and deletes all logins that have expired.
async fn store_login(
    database: &Database,
    token: &LoginToken,
    user_id: i64,
    now: i64,
    ends: i64,
) -> Result<(), DatabaseError> {
    let mut transaction = database.writer().await?.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("DELETE FROM logins WHERE ends <= ?").bind(now).execute(&mut *transaction).await?;
    let insert = sqlx::query("INSERT INTO logins (hash, user_id, ends) VALUES (?, ?, ?)");
    insert.bind(token.hash()).bind(user_id).bind(ends).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

async fn log_out(_: (), context: Context) -> Result<(), ApiError> {
    let database = Database::from_context(&context)?;
    // A caller with another credential, such as an API key, has no login to delete.
    let Some(token) = context.head().and_then(bearer_token) else { return Ok(()) };
    let delete = sqlx::query("DELETE FROM logins WHERE hash = ?").bind(token.hash());
    delete.execute(database.writer().await?).await.map_err(DatabaseError)?;
    Ok(())
}

type UserRow = (String, String, String, String, String, i64);

async fn read_profile(arguments: ReadArguments, context: Context) -> Result<ReadOutputs, ReadError> {
    let user_id = arguments.user_id;
    match select_user(&*Database::from_context(&context)?, user_id).await? {
        Some((login, name, about, role, since, articles)) => {
            let role = role.parse().map_err(ApiError::internal)?;
            let articles = articles.unsigned_abs();
            Ok(ReadOutputs { user: ReadUser { user_id, login, name, about, role, since, articles } })
        }
        None => Err(ReadError::NoSuchUser.with_member("user_id", user_id)),
    }
}

async fn select_user(database: &Database, user_id: i64) -> Result<Option<UserRow>, DatabaseError> {
    let select = "SELECT login, name, about, role, since,
        (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users WHERE user_id = ?";
    Ok(sqlx::query_as(select).bind(user_id).fetch_optional(database.readers().await?).await?)
}

async fn update_profile(changes: UpdateArguments, context: Context) -> Result<UpdateOutputs, UpdateError> {
    let user_id = changes.user_id;
    match update_user(&*Database::from_context(&context)?, changes).await? {
        Some((name, about)) => Ok(UpdateOutputs { name, about }),
        None => Err(UpdateError::NoSuchUser.with_member("user_id", user_id)),
    }
}

async fn update_user(database: &Database, changes: UpdateArguments) -> Result<Option<(String, String)>, DatabaseError> {
    let mut transaction = database.writer().await?.begin_with("BEGIN IMMEDIATE").await?;
    let update = "UPDATE users SET name = COALESCE(?, name), about = COALESCE(?, about) WHERE user_id = ?
        RETURNING name, about";
    let update = sqlx::query_as(update).bind(changes.name).bind(changes.about).bind(changes.user_id);
    let updated = update.fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(updated)
}

// A token consists of a prefix, which distinguishes it from the server's API keys, and 32 random bytes. The database
// stores the SHA-256 hash of each token. Because tokens are long and random, the hash needs neither a salt nor a slow
// hash function. A token is looked up by its hash, so that the time of the look-up reveals nothing about other tokens.

/// The text with which every token begins.
const TOKEN_PREFIX: &str = "login_";

/// The roles of users. A user with a role also has all roles before it in this list.
const ROLES: [&str; 4] = ["reader", "author", "editor", "admin"];

/// The secret that a user receives on logging in, and that authenticates the user's requests.
struct LoginToken(String);

impl LoginToken {
    /// Creates a random token.
    ///
    /// # Errors
    /// Returns an internal error if the system has no random bytes.
    fn random() -> Result<Self, ApiError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(ApiError::internal)?;
        Ok(Self(format!("{TOKEN_PREFIX}{}", hex::encode(secret))))
    }

    fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the hash of the token, which the database stores instead of the token.
    fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

/// Returns the login token of a request; `None` if the request has no login token, or has several credentials.
fn bearer_token(head: &Head) -> Option<LoginToken> {
    head.bearer().filter(|token| token.starts_with(TOKEN_PREFIX)).map(|token| LoginToken(token.to_owned()))
}

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
