//! Creating, replacing and deleting articles.

use rulebook::{ApiError, Context};

use super::required_author;
use crate::api::article::{
    CreateArguments, CreateError, CreateOutputs, RemoveArguments, RemoveError, ReplaceArguments, ReplaceError,
    ReplaceOutputs,
};
use crate::database::{Database, DatabaseError};
use crate::now;

pub(super) async fn create_article(input: CreateArguments, context: Context) -> Result<CreateOutputs, CreateError> {
    let database = Database::from_context(&context)?;
    let login = context.identity().map(|identity| identity.name().to_owned()).unwrap_or_default();
    let mut connection = database.writer().await?.acquire().await.map_err(DatabaseError)?;
    let inserted = input.insert(&mut connection, &login, &now()).await.map_err(DatabaseError)?;
    let Some(article_id) = inserted else { return Err(CreateError::NoSuchAuthor) };
    Ok(CreateOutputs { article_id })
}

pub(super) async fn replace_article(new: ReplaceArguments, context: Context) -> Result<ReplaceOutputs, ReplaceError> {
    let database = Database::from_context(&context)?;
    let ReplaceArguments { article_id, title, text, language, tags } = new;
    let input = CreateArguments { title, text, language, tags };
    let changed = now();
    let author = required_author(context.identity());
    if !update_article(&database, article_id, &input, &changed, author).await? {
        return Err(change_error(&database, article_id).await?.into());
    }
    Ok(ReplaceOutputs { changed })
}

/// Updates an article. If `required_author` is a login, only an article of this author is updated. Returns `false` if
/// no article was updated.
async fn update_article(
    database: &Database,
    article_id: i64,
    input: &CreateArguments,
    now: &str,
    required_author: Option<String>,
) -> Result<bool, DatabaseError> {
    let update = "UPDATE articles SET title = ?2, text = ?3, language = ?4, tags = ?5, words = ?6, changed = ?7
        WHERE article_id = ?1 AND (?8 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = ?8))";
    let update = sqlx::query(update).bind(article_id).bind(&input.title).bind(&input.text).bind(&input.language);
    let update = update.bind(input.stored_tags()).bind(input.search_text()).bind(now).bind(required_author);
    Ok(update.execute(database.writer().await?).await?.rows_affected() > 0)
}

/// Returns the error for a change that had no effect: either the article does not exist, or it has another author.
pub(super) async fn change_error(database: &Database, article_id: i64) -> Result<ApiError, DatabaseError> {
    let select = sqlx::query("SELECT 1 FROM articles WHERE article_id = ?").bind(article_id);
    let exists = select.fetch_optional(database.readers().await?).await?.is_some();
    Ok(ApiError::declared(if exists { "not_yours" } else { "no_such_article" }).with_member("article_id", article_id))
}

pub(super) async fn delete_article(arguments: RemoveArguments, context: Context) -> Result<(), RemoveError> {
    let article_id = arguments.article_id;
    let database = Database::from_context(&context)?;
    let delete = sqlx::query("DELETE FROM articles WHERE article_id = ?").bind(article_id);
    if delete.execute(database.writer().await?).await.map_err(DatabaseError)?.rows_affected() == 0 {
        return Err(RemoveError::NoSuchArticle.with_member("article_id", article_id));
    }
    Ok(())
}
