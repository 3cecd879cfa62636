//! Logging in and out.

use jiff::{SignedDuration, Timestamp};
use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};

use super::logins::{self, Token};
use super::password;
use crate::demo::database::{Database, Trouble};
use crate::demo::written;

/// How long a login lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

#[derive(Deserialize)]
pub(super) struct Credentials {
    login: String,
    password: String,
}

#[derive(Serialize)]
pub(super) struct LoggedIn {
    user_id: i64,
    token: String,
    until: String,
}

pub(super) async fn login(Args(given): Args<Credentials>, context: Context) -> Result<LoggedIn, Refusal> {
    let database = Database::of(&context)?;
    let user = find(&database, &given.login).await?;
    let (user_id, hash) = user.unzip();
    let right = password::verify(given.password, hash).await?;
    let Some(user_id) = user_id.filter(|_| right) else { return Err(Refusal::declared("wrong_login")) };
    let token = Token::random()?;
    let now = Timestamp::now();
    let until = now.saturating_add(LASTS).map_err(Refusal::internal)?;
    keep(&database, &token, user_id, now.as_second(), until.as_second()).await?;
    Ok(LoggedIn { user_id, token: token.text().to_owned(), until: written(until) })
}

async fn find(database: &Database, login: &str) -> Result<Option<(i64, String)>, Trouble> {
    let select = sqlx::query_as("SELECT user_id, password FROM users WHERE login = $1").bind(login);
    Ok(select.fetch_optional(&mut *database.read().await?).await?)
}

/// Keeps a login, and lets go of those that have ended.
async fn keep(database: &Database, token: &Token, user_id: i64, now: i64, ends: i64) -> Result<(), Trouble> {
    let mut transaction = database.write().await?;
    sqlx::query("DELETE FROM logins WHERE ends <= $1").bind(now).execute(&mut *transaction).await?;
    let insert = sqlx::query("INSERT INTO logins (hash, user_id, ends) VALUES ($1, $2, $3)");
    insert.bind(token.hash()).bind(user_id).bind(ends).execute(&mut *transaction).await?;
    database.commit(transaction).await
}

pub(super) async fn logout(_: Args<()>, context: Context) -> Result<(), Refusal> {
    let database = Database::of(&context)?;
    // Whoever holds another credential, such as a key, has no login to end.
    let Some(token) = context.head().and_then(logins::token) else { return Ok(()) };
    let mut transaction = database.write().await?;
    let delete = sqlx::query("DELETE FROM logins WHERE hash = $1").bind(token.hash());
    delete.execute(&mut *transaction).await.map_err(Trouble::from)?;
    Ok(database.commit(transaction).await?)
}
