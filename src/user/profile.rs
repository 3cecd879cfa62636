//! The handlers that return and update the profile of a user. Profiles are public.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};

use crate::database::{Database, DatabaseError, query};

#[derive(Deserialize)]
pub(super) struct UserId {
    user_id: i64,
}

#[derive(Serialize)]
pub(super) struct ReadOutputs {
    user: User,
}

#[derive(Serialize)]
struct User {
    user_id: i64,
    login: String,
    name: String,
    about: String,
    role: String,
    since: String,
    articles: i64,
}

type UserRow = (String, String, String, String, String, i64);

pub(super) async fn read_profile(
    Args(UserId { user_id }): Args<UserId>,
    context: Context,
) -> Result<ReadOutputs, ApiError> {
    match select_user(&*Database::from_context(&context)?, user_id).await? {
        Some((login, name, about, role, since, articles)) => {
            Ok(ReadOutputs { user: User { user_id, login, name, about, role, since, articles } })
        }
        None => Err(ApiError::declared("no_such_user").with_member("user_id", user_id)),
    }
}

async fn select_user(database: &Database, user_id: i64) -> Result<Option<UserRow>, DatabaseError> {
    let select = "SELECT login, name, about, role, since,
        (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users WHERE user_id = $1";
    Ok(query(select).bind(user_id).fetch_optional(&mut *database.read_connection().await?).await?)
}

#[derive(Deserialize)]
pub(super) struct UpdateParameters {
    user_id: i64,
    name: Option<String>,
    about: Option<String>,
}

#[derive(Serialize)]
pub(super) struct UpdateOutputs {
    name: String,
    about: String,
}

pub(super) async fn update_profile(
    Args(changes): Args<UpdateParameters>,
    context: Context,
) -> Result<UpdateOutputs, ApiError> {
    let database = Database::from_context(&context)?;
    let mut transaction = database.begin_write().await?;
    let update = "UPDATE users SET name = COALESCE($2, name), about = COALESCE($3, about) WHERE user_id = $1";
    let update = query(update).bind(changes.user_id).bind(changes.name).bind(changes.about);
    update.execute(&mut transaction).await.map_err(DatabaseError::from)?;
    let select = query("SELECT name, about FROM users WHERE user_id = $1").bind(changes.user_id);
    let updated: Option<(String, String)> =
        select.fetch_optional(&mut transaction).await.map_err(DatabaseError::from)?;
    let Some((name, about)) = updated else {
        return Err(ApiError::declared("no_such_user").with_member("user_id", changes.user_id));
    };
    database.commit(transaction).await?;
    Ok(UpdateOutputs { name, about })
}
