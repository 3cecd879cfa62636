//! The handlers that log a user in and out.

use jiff::{SignedDuration, Timestamp};
use rulebook::{ApiError, Context};
use rulebook_login::Logins;

use super::authenticate::{self, LoginToken};
use crate::api::user::{LoginArguments, LoginError, LoginOutputs};
use crate::database::{Database, DatabaseError};
use crate::format_time;

/// The time after which the token of a login expires.
const LOGIN_VALIDITY: SignedDuration = SignedDuration::from_hours(12);

pub(super) async fn log_in(arguments: LoginArguments, context: Context) -> Result<LoginOutputs, LoginError> {
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

pub(super) async fn log_out(_: (), context: Context) -> Result<(), ApiError> {
    let database = Database::from_context(&context)?;
    // A caller with another credential, such as an API key, has no login to delete.
    let Some(token) = context.head().and_then(authenticate::bearer_token) else { return Ok(()) };
    let delete = sqlx::query("DELETE FROM logins WHERE hash = ?").bind(token.hash());
    delete.execute(database.writer().await?).await.map_err(DatabaseError)?;
    Ok(())
}
