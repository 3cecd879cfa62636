//! The handlers that return and update the profile of a user. Profiles are public.

use rulebook::{ApiError, Context};

use crate::api::user::{ReadArguments, ReadError, ReadOutputs, ReadUser, UpdateArguments, UpdateError, UpdateOutputs};
use crate::database::{Database, DatabaseError};

type UserRow = (String, String, String, String, String, i64);

pub(super) async fn read_profile(arguments: ReadArguments, context: Context) -> Result<ReadOutputs, ReadError> {
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

pub(super) async fn update_profile(changes: UpdateArguments, context: Context) -> Result<UpdateOutputs, UpdateError> {
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
