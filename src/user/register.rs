//! The handler that registers a new user.

use rulebook::Context;
use rulebook_login::Logins;

use crate::api::user::{RegisterArguments, RegisterError, RegisterOutputs};
use crate::database::{Database, DatabaseError};
use crate::now;

pub(super) async fn register_user(user: RegisterArguments, context: Context) -> Result<RegisterOutputs, RegisterError> {
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
