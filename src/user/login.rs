//! Logging in and out.

use jiff::{SignedDuration, Timestamp};
use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};

use super::authenticate::{self, Token};
use super::password;
use crate::database::{Database, DatabaseError};
use crate::format_time;

/// The validity of a login.
const VALIDITY: SignedDuration = SignedDuration::from_hours(12);

#[derive(Deserialize)]
pub(super) struct Credentials {
    login: String,
    password: String,
}

#[derive(Serialize)]
pub(super) struct LoginOutputs {
    user_id: i64,
    token: String,
    until: String,
}

pub(super) async fn login(Args(credentials): Args<Credentials>, context: Context) -> Result<LoginOutputs, ApiError> {
    let database = Database::of(&context)?;
    let user = find(&database, &credentials.login).await?;
    let (user_id, hash) = user.unzip();
    let is_correct = password::verify(credentials.password, hash).await?;
    let Some(user_id) = user_id.filter(|_| is_correct) else { return Err(ApiError::declared("wrong_login")) };
    let token = Token::random()?;
    let now = Timestamp::now();
    let until = now.saturating_add(VALIDITY).map_err(ApiError::internal)?;
    store(&database, &token, user_id, now.as_second(), until.as_second()).await?;
    Ok(LoginOutputs { user_id, token: token.text().to_owned(), until: format_time(until) })
}

async fn find(database: &Database, login: &str) -> Result<Option<(i64, String)>, DatabaseError> {
    let select = sqlx::query_as("SELECT user_id, password FROM users WHERE login = $1").bind(login);
    Ok(select.fetch_optional(&mut *database.read().await?).await?)
}

/// Stores a login and deletes those that have expired.
async fn store(database: &Database, token: &Token, user_id: i64, now: i64, ends: i64) -> Result<(), DatabaseError> {
    let mut transaction = database.write().await?;
    sqlx::query("DELETE FROM logins WHERE ends <= $1").bind(now).execute(&mut *transaction).await?;
    let insert = sqlx::query("INSERT INTO logins (hash, user_id, ends) VALUES ($1, $2, $3)");
    insert.bind(token.hash()).bind(user_id).bind(ends).execute(&mut *transaction).await?;
    database.commit(transaction).await
}

pub(super) async fn logout(_: Args<()>, context: Context) -> Result<(), ApiError> {
    let database = Database::of(&context)?;
    // A caller with another credential, such as a key, has no login to delete.
    let Some(token) = context.head().and_then(authenticate::token) else { return Ok(()) };
    let mut transaction = database.write().await?;
    let delete = sqlx::query("DELETE FROM logins WHERE hash = $1").bind(token.hash());
    delete.execute(&mut *transaction).await.map_err(DatabaseError::from)?;
    Ok(database.commit(transaction).await?)
}
