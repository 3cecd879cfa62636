//! Writing, replacing and removing articles.

use rulebook::{Args, Context, Refusal};
use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};

use super::{Texts, Which, only_of};
use crate::demo::database::{Database, Trouble};
use crate::demo::now;

#[derive(Serialize)]
pub(super) struct Created {
    article_id: i64,
}

pub(super) async fn create(Args(texts): Args<Texts>, context: Context) -> Result<Created, Refusal> {
    let database = Database::of(&context)?;
    let login = context.identity().map(|identity| identity.name.to_string()).unwrap_or_default();
    let mut transaction = database.write().await?;
    let inserted = texts.insert(&mut transaction, &login, &now()).await.map_err(Trouble::from)?;
    let Some(article_id) = inserted else { return Err(Refusal::declared("no_such_author")) };
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
pub(super) struct Changed {
    changed: String,
}

pub(super) async fn replace(Args(new): Args<Replacement>, context: Context) -> Result<Changed, Refusal> {
    let database = Database::of(&context)?;
    let Replacement { article_id, title, text, language, tags } = new;
    let texts = Texts { title, text, language, tags };
    let changed = now();
    let mut transaction = database.write().await?;
    let only = only_of(context.identity());
    if !update(&mut transaction, article_id, &texts, &changed, only).await.map_err(Trouble::from)? {
        return Err(not_changed(&mut transaction, article_id).await?);
    }
    database.commit(transaction).await?;
    Ok(Changed { changed })
}

/// Whether there was an article of this number, and by this author where only theirs may be changed.
async fn update(
    transaction: &mut Transaction<'static, Any>,
    article_id: i64,
    texts: &Texts,
    now: &str,
    only: Option<String>,
) -> Result<bool, sqlx::Error> {
    let update = "UPDATE articles SET title = $2, text = $3, language = $4, tags = $5, words = $6, changed = $7
        WHERE article_id = $1 AND ($8 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $8))";
    let update = sqlx::query(update).bind(article_id).bind(&texts.title).bind(&texts.text).bind(&texts.language);
    let update = update.bind(texts.tags()).bind(texts.words()).bind(now).bind(only);
    Ok(update.execute(&mut **transaction).await?.rows_affected() > 0)
}

/// Why an article could not be changed: it is not there, or another's.
pub(super) async fn not_changed(
    transaction: &mut Transaction<'static, Any>,
    article_id: i64,
) -> Result<Refusal, Trouble> {
    let select = sqlx::query("SELECT article_id FROM articles WHERE article_id = $1").bind(article_id);
    let there = select.fetch_optional(&mut **transaction).await?.is_some();
    Ok(Refusal::declared(if there { "not_yours" } else { "no_such_article" }).with("article_id", article_id))
}

pub(super) async fn remove(Args(Which { article_id }): Args<Which>, context: Context) -> Result<(), Refusal> {
    let database = Database::of(&context)?;
    let mut transaction = database.write().await?;
    let delete = sqlx::query("DELETE FROM articles WHERE article_id = $1").bind(article_id);
    if delete.execute(&mut *transaction).await.map_err(Trouble::from)?.rows_affected() == 0 {
        return Err(Refusal::declared("no_such_article").with("article_id", article_id));
    }
    Ok(database.commit(transaction).await?)
}
