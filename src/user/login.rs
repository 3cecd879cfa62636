//! The handlers that log a user in and out.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use rulebook::{ApiError, Context};

use super::authenticate::{self, LoginToken};
use super::client_address::client_network;
use super::client_rates::{ClientRates, whole_seconds};
use super::failed_logins::{Attempt, FailedLogins};
use super::password;
use crate::api::user::{LoginArguments, LoginError, LoginOutputs};
use crate::database::{Database, DatabaseError, query};
use crate::format_time;

/// The time after which the token of a login expires.
const LOGIN_VALIDITY: SignedDuration = SignedDuration::from_hours(12);

pub(super) async fn log_in(credentials: LoginArguments, context: Context) -> Result<LoginOutputs, LoginError> {
    let attempt = begin_attempt(&credentials.login, &context)?;
    let rate = &ClientRates::from_context(&context)?.logins;
    let checked = match rate.count(&context, "too_many_logins") {
        Ok(()) => {
            let checked = check_credentials(credentials, &context).await;
            // Failed logins have another limit.
            if !matches!(checked, Ok(Some(_))) {
                rate.forget(&context);
            }
            checked
        }
        Err(error) => Err(error),
    };
    if let Some(attempt) = attempt {
        match checked {
            Ok(Some(_)) => attempt.succeed(),
            Ok(None) => {}
            Err(_) => attempt.do_not_count(),
        }
    }
    let Some(user_id) = checked? else { return Err(LoginError::WrongLogin) };
    let token = LoginToken::random()?;
    let now = Timestamp::now();
    let until = now.saturating_add(LOGIN_VALIDITY).map_err(ApiError::internal)?;
    let database = Database::from_context(&context)?;
    store_login(&database, &token, user_id, now.as_second(), until.as_second()).await?;
    Ok(LoginOutputs { user_id, token: token.as_str().to_owned(), until: format_time(until) })
}

/// Begins a login, which counts as failed until it succeeds; `None` for a call from code, which has no address.
///
/// # Errors
/// Returns the declared error `too_many_failures` if too many logins from the address of the client have failed.
fn begin_attempt(login: &str, context: &Context) -> Result<Option<Attempt>, ApiError> {
    let Some(head) = context.head() else { return Ok(None) };
    let failed_logins = context.state::<FailedLogins>().ok_or_else(|| ApiError::internal("no failed logins"))?;
    match failed_logins.begin(client_network(head), login, Instant::now()) {
        Ok(attempt) => Ok(Some(attempt)),
        Err(wait) => {
            context.set_header("Retry-After", whole_seconds(wait))?;
            Err(ApiError::declared("too_many_failures"))
        }
    }
}

/// Returns the id of the user with this login and password; `None` if there is no such user.
async fn check_credentials(credentials: LoginArguments, context: &Context) -> Result<Option<i64>, ApiError> {
    let user = find_user(&*Database::from_context(context)?, &credentials.login).await?;
    let (user_id, hash) = user.unzip();
    let is_correct = password::verify_password(credentials.password, hash, context).await?;
    Ok(user_id.filter(|_| is_correct))
}

async fn find_user(database: &Database, login: &str) -> Result<Option<(i64, String)>, DatabaseError> {
    let select = query("SELECT user_id, password FROM users WHERE login = $1").bind(login);
    Ok(select.fetch_optional(&mut *database.read_connection().await?).await?)
}

/// Stores the login of a user, and deletes all logins that have expired.
async fn store_login(
    database: &Database,
    token: &LoginToken,
    user_id: i64,
    now: i64,
    ends: i64,
) -> Result<(), DatabaseError> {
    let mut transaction = database.begin_write().await?;
    query("DELETE FROM logins WHERE ends <= $1").bind(now).execute(&mut transaction).await?;
    let insert = query("INSERT INTO logins (hash, user_id, ends) VALUES ($1, $2, $3)");
    insert.bind(token.hash()).bind(user_id).bind(ends).execute(&mut transaction).await?;
    database.commit(transaction).await
}

pub(super) async fn log_out(_: (), context: Context) -> Result<(), ApiError> {
    let database = Database::from_context(&context)?;
    // A caller with another credential, such as an API key, has no login to delete.
    let Some(token) = context.head().and_then(authenticate::bearer_token) else { return Ok(()) };
    let mut transaction = database.begin_write().await?;
    let delete = query("DELETE FROM logins WHERE hash = $1").bind(token.hash());
    delete.execute(&mut transaction).await.map_err(DatabaseError::from)?;
    Ok(database.commit(transaction).await?)
}
