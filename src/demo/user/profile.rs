//! Profiles: anybody reads them, their owners change them.

use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};

use crate::demo::database::{Database, Trouble};

#[derive(Deserialize)]
pub(super) struct Which {
    user_id: i64,
}

#[derive(Serialize)]
pub(super) struct Found {
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

type Row = (String, String, String, String, String, i64);

pub(super) async fn read(Args(Which { user_id }): Args<Which>, context: Context) -> Result<Found, Refusal> {
    match row(&*Database::of(&context)?, user_id).await? {
        Some((login, name, about, role, since, articles)) => {
            Ok(Found { user: User { user_id, login, name, about, role, since, articles } })
        }
        None => Err(Refusal::declared("no_such_user").with("user_id", user_id)),
    }
}

async fn row(database: &Database, user_id: i64) -> Result<Option<Row>, Trouble> {
    let select = "SELECT login, name, about, role, since,
        (SELECT COUNT(*) FROM articles WHERE author_id = user_id) FROM users WHERE user_id = $1";
    Ok(sqlx::query_as(select).bind(user_id).fetch_optional(&mut *database.read().await?).await?)
}

#[derive(Deserialize)]
pub(super) struct Changes {
    user_id: i64,
    name: Option<String>,
    about: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Changed {
    name: String,
    about: String,
}

pub(super) async fn update(Args(changes): Args<Changes>, context: Context) -> Result<Changed, Refusal> {
    let database = Database::of(&context)?;
    let mut transaction = database.write().await?;
    let update = "UPDATE users SET name = COALESCE($2, name), about = COALESCE($3, about)
        WHERE user_id = $1 RETURNING name, about";
    let update = sqlx::query_as(update).bind(changes.user_id).bind(changes.name).bind(changes.about);
    let updated: Option<(String, String)> = update.fetch_optional(&mut *transaction).await.map_err(Trouble::from)?;
    let Some((name, about)) = updated else {
        return Err(Refusal::declared("no_such_user").with("user_id", changes.user_id));
    };
    database.commit(transaction).await?;
    Ok(Changed { name, about })
}
