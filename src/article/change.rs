//! Creating, replacing and deleting articles.

use rulebook::{ApiError, Context};
use sqlx::AnyConnection;

use super::required_author;
use crate::api::article::{
    CreateArguments, CreateError, CreateOutputs, RemoveArguments, RemoveError, ReplaceArguments, ReplaceError,
    ReplaceOutputs,
};
use crate::database::{Database, DatabaseError, query};
use crate::now;

pub(super) async fn create_article(input: CreateArguments, context: Context) -> Result<CreateOutputs, CreateError> {
    let database = Database::from_context(&context)?;
    let login = context.identity().map(|identity| identity.name().to_owned()).unwrap_or_default();
    let mut transaction = database.begin_write().await?;
    let inserted = input.insert(&mut transaction, &login, &now()).await.map_err(DatabaseError::from)?;
    let Some(article_id) = inserted else { return Err(CreateError::NoSuchAuthor) };
    database.commit(transaction).await?;
    Ok(CreateOutputs { article_id })
}

pub(super) async fn replace_article(new: ReplaceArguments, context: Context) -> Result<ReplaceOutputs, ReplaceError> {
    let database = Database::from_context(&context)?;
    let ReplaceArguments { article_id, title, text, language, tags } = new;
    let input = CreateArguments { title, text, language, tags };
    let changed = now();
    let mut transaction = database.begin_write().await?;
    let author = required_author(context.identity());
    let updated = update_article(&mut transaction, article_id, &input, &changed, author).await;
    if !updated.map_err(DatabaseError::from)? {
        return Err(change_error(&mut transaction, article_id).await?.into());
    }
    database.commit(transaction).await?;
    Ok(ReplaceOutputs { changed })
}

/// Updates an article. If `required_author` is a login, only an article of this author is updated. Returns `false` if
/// no article was updated.
async fn update_article(
    connection: &mut AnyConnection,
    article_id: i64,
    input: &CreateArguments,
    now: &str,
    required_author: Option<String>,
) -> Result<bool, sqlx::Error> {
    let update = "UPDATE articles SET title = $2, text = $3, language = $4, tags = $5, words = $6, changed = $7
        WHERE article_id = $1 AND ($8 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $8))";
    let update = query(update).bind(article_id).bind(&input.title).bind(&input.text).bind(&input.language);
    let update = update.bind(input.stored_tags()).bind(input.search_text()).bind(now).bind(required_author);
    Ok(update.execute(connection).await? > 0)
}

/// Returns the error for a change that had no effect: either the article does not exist, or it has another author.
pub(super) async fn change_error(connection: &mut AnyConnection, article_id: i64) -> Result<ApiError, DatabaseError> {
    let select = query("SELECT article_id FROM articles WHERE article_id = $1").bind(article_id);
    let existing: Option<(i64,)> = select.fetch_optional(connection).await?;
    Ok(ApiError::declared(if existing.is_some() { "not_yours" } else { "no_such_article" })
        .with_member("article_id", article_id))
}

pub(super) async fn delete_article(arguments: RemoveArguments, context: Context) -> Result<(), RemoveError> {
    let article_id = arguments.article_id;
    let database = Database::from_context(&context)?;
    let mut transaction = database.begin_write().await?;
    let delete = query("DELETE FROM articles WHERE article_id = $1").bind(article_id);
    if delete.execute(&mut transaction).await.map_err(DatabaseError::from)? == 0 {
        return Err(RemoveError::NoSuchArticle.with_member("article_id", article_id));
    }
    Ok(database.commit(transaction).await?)
}
