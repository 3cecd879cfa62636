//! Registration.

use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};

use super::password;
use crate::demo::database::{Database, Trouble};
use crate::demo::now;

#[derive(Deserialize)]
pub(super) struct New {
    login: String,
    name: String,
    password: String,
    about: String,
}

#[derive(Serialize)]
pub(super) struct Registered {
    user_id: i64,
}

pub(super) async fn register(Args(new): Args<New>, context: Context) -> Result<Registered, Refusal> {
    let database = Database::of(&context)?;
    let hash = password::hash(new.password).await?;
    let mut transaction = database.write().await?;
    let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, 'author', $4, $5)
        ON CONFLICT (login) DO NOTHING RETURNING user_id";
    let insert = sqlx::query_as(insert).bind(&new.login).bind(new.name).bind(new.about).bind(now()).bind(hash);
    let inserted: Option<(i64,)> = insert.fetch_optional(&mut *transaction).await.map_err(Trouble::from)?;
    let Some((user_id,)) = inserted else {
        return Err(Refusal::declared("login_taken").with("login", new.login));
    };
    database.commit(transaction).await?;
    Ok(Registered { user_id })
}
