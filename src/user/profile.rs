//! The handlers that return and update the profile of a user. Profiles are public.

use rulebook::{ApiError, Context};

use crate::api::user::{ReadArguments, ReadError, ReadOutputs, ReadUser, UpdateArguments, UpdateError, UpdateOutputs};
use crate::database::{Database, DatabaseError, query};

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
        (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users WHERE user_id = $1";
    Ok(query(select).bind(user_id).fetch_optional(&mut *database.read_connection().await?).await?)
}

pub(super) async fn update_profile(changes: UpdateArguments, context: Context) -> Result<UpdateOutputs, UpdateError> {
    let database = Database::from_context(&context)?;
    let mut transaction = database.begin_write().await?;
    let update = "UPDATE users SET name = COALESCE($2, name), about = COALESCE($3, about) WHERE user_id = $1";
    let update = query(update).bind(changes.user_id).bind(changes.name).bind(changes.about);
    update.execute(&mut transaction).await.map_err(DatabaseError::from)?;
    let select = query("SELECT name, about FROM users WHERE user_id = $1").bind(changes.user_id);
    let updated: Option<(String, String)> =
        select.fetch_optional(&mut transaction).await.map_err(DatabaseError::from)?;
    let Some((name, about)) = updated else {
        return Err(UpdateError::NoSuchUser.with_member("user_id", changes.user_id));
    };
    database.commit(transaction).await?;
    Ok(UpdateOutputs { name, about })
}
