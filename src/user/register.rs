//! The handler that registers a new user.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};

use super::password;
use crate::database::{Database, DatabaseError};
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
    let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, 'author', $4, $5)
        ON CONFLICT (login) DO NOTHING RETURNING user_id";
    let insert = sqlx::query_as(insert).bind(&user.login).bind(user.name).bind(user.about).bind(now()).bind(hash);
    let inserted: Option<(i64,)> = insert.fetch_optional(&mut *transaction).await.map_err(DatabaseError::from)?;
    let Some((user_id,)) = inserted else {
        return Err(ApiError::declared("login_taken").with_member("login", user.login));
    };
    database.commit(transaction).await?;
    Ok(RegisterOutputs { user_id })
}
