//! The handler that registers a new user.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};
use sqlx::error::DatabaseError as SqlError;

use super::password;
use crate::database::{Database, DatabaseError, query};
use crate::now;

#[derive(Deserialize)]
pub(super) struct RegisterParameters {
    login: String,
    name: String,
    password: String,
    about: String,
}

#[derive(Serialize)]
pub(super) struct RegisterOutputs {
    user_id: i64,
}

pub(super) async fn register_user(
    Args(user): Args<RegisterParameters>,
    context: Context,
) -> Result<RegisterOutputs, ApiError> {
    let database = Database::from_context(&context)?;
    let hash = password::hash_password(user.password, &context).await?;
    let mut transaction = database.begin_write().await?;
    let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, 'author', $4, $5)";
    let insert = query(insert).bind(&user.login).bind(user.name).bind(user.about).bind(now()).bind(hash);
    let user_id = match insert.insert("user_id", &mut transaction).await {
        Err(error) if error.as_database_error().is_some_and(SqlError::is_unique_violation) => {
            return Err(ApiError::declared("login_taken").with_member("login", user.login));
        }
        inserted => inserted.map_err(DatabaseError::from)?.ok_or_else(|| ApiError::internal("no user was inserted"))?,
    };
    database.commit(transaction).await?;
    Ok(RegisterOutputs { user_id })
}
