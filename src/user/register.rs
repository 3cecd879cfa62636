//! The handler that registers a new user.

use rulebook::{ApiError, Context};
use rulebook_login::Logins;
use sqlx::error::DatabaseError as SqlError;

use crate::api::user::{RegisterArguments, RegisterError, RegisterOutputs};
use crate::database::{Database, DatabaseError, query};
use crate::now;

pub(super) async fn register_user(user: RegisterArguments, context: Context) -> Result<RegisterOutputs, RegisterError> {
    let database = Database::from_context(&context)?;
    let hash = Logins::from_context(&context)?.hash_password(&context, user.password).await?;
    let mut transaction = database.begin_write().await?;
    let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, 'author', $4, $5)";
    let insert = query(insert).bind(&user.login).bind(user.name).bind(user.about).bind(now()).bind(hash);
    let user_id = match insert.insert("user_id", &mut transaction).await {
        Err(error) if error.as_database_error().is_some_and(SqlError::is_unique_violation) => {
            return Err(RegisterError::LoginTaken.with_member("login", user.login));
        }
        inserted => inserted.map_err(DatabaseError::from)?.ok_or_else(|| ApiError::internal("no user was inserted"))?,
    };
    database.commit(transaction).await?;
    Ok(RegisterOutputs { user_id })
}
