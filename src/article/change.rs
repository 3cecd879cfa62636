//! Creating, replacing and deleting articles.

use rulebook::{ApiError, Args, Context};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::{ArticleId, ArticleInput, changeable_by};
use crate::database::{Database, DatabaseError};
use crate::now;

#[derive(Serialize)]
pub(super) struct Created {
    article_id: i64,
}

pub(super) async fn create(Args(input): Args<ArticleInput>, context: Context) -> Result<Created, ApiError> {
    let database = Database::of(&context)?;
    let login = context.identity().map(|identity| identity.name().to_owned()).unwrap_or_default();
    let mut transaction = database.write().await?;
    let inserted = input.insert(&mut transaction, &login, &now()).await.map_err(DatabaseError::from)?;
    let Some(article_id) = inserted else { return Err(ApiError::declared("no_such_author")) };
    database.commit(transaction).await?;
    Ok(Created { article_id })
}

#[derive(Deserialize)]
pub(super) struct Replacement {
    article_id: i64,
    title: String,
    text: String,
    language: String,
    tags: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Replaced {
    changed: String,
}

pub(super) async fn replace(Args(new): Args<Replacement>, context: Context) -> Result<Replaced, ApiError> {
    let database = Database::of(&context)?;
    let Replacement { article_id, title, text, language, tags } = new;
    let input = ArticleInput { title, text, language, tags };
    let changed = now();
    let mut transaction = database.write().await?;
    let only = changeable_by(context.identity());
    if !update(&mut transaction, article_id, &input, &changed, only).await.map_err(DatabaseError::from)? {
        return Err(change_error(&mut transaction, article_id).await?);
    }
    database.commit(transaction).await?;
    Ok(Replaced { changed })
}

/// Updates an article. If `only` is a login, the article must be by that author. Returns `false` if there is no such
/// article.
async fn update(
    connection: &mut AnyConnection,
    article_id: i64,
    input: &ArticleInput,
    now: &str,
    only: Option<String>,
) -> Result<bool, sqlx::Error> {
    let update = "UPDATE articles SET title = $2, text = $3, language = $4, tags = $5, words = $6, changed = $7
        WHERE article_id = $1 AND ($8 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $8))";
    let update = sqlx::query(update).bind(article_id).bind(&input.title).bind(&input.text).bind(&input.language);
    let update = update.bind(input.stored_tags()).bind(input.search_text()).bind(now).bind(only);
    Ok(update.execute(&mut *connection).await?.rows_affected() > 0)
}

/// Returns the error of a change without effect: the article does not exist, or has another author.
pub(super) async fn change_error(connection: &mut AnyConnection, article_id: i64) -> Result<ApiError, DatabaseError> {
    let select = sqlx::query("SELECT article_id FROM articles WHERE article_id = $1").bind(article_id);
    let exists = select.fetch_optional(&mut *connection).await?.is_some();
    Ok(ApiError::declared(if exists { "not_yours" } else { "no_such_article" }).with_member("article_id", article_id))
}

pub(super) async fn remove(Args(ArticleId { article_id }): Args<ArticleId>, context: Context) -> Result<(), ApiError> {
    let database = Database::of(&context)?;
    let mut transaction = database.write().await?;
    let delete = sqlx::query("DELETE FROM articles WHERE article_id = $1").bind(article_id);
    if delete.execute(&mut *transaction).await.map_err(DatabaseError::from)?.rows_affected() == 0 {
        return Err(ApiError::declared("no_such_article").with_member("article_id", article_id));
    }
    Ok(database.commit(transaction).await?)
}
