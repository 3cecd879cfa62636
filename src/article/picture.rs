//! The handlers that return and replace the picture of an article.

use rulebook::{ApiError, Context, Download};
use sqlx::AnyConnection;

use super::change::change_error;
use super::required_author;
use crate::api::article::{IllustrateArguments, IllustrateError, IllustrateOutputs, PictureArguments, PictureError};
use crate::database::{Database, DatabaseError, query};

/// A row of the query for a picture: its media type and its content. Both are `None` if the article has no picture.
type PictureRow = (Option<String>, Option<Vec<u8>>);

pub(super) async fn read_picture(arguments: PictureArguments, context: Context) -> Result<Download, PictureError> {
    let article_id = arguments.article_id;
    let not_found = |error: PictureError| error.with_member("article_id", article_id);
    let select = "SELECT media_type, content FROM articles
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = $1";
    let database = Database::from_context(&context)?;
    let row: Option<PictureRow> = query(select)
        .bind(article_id)
        .fetch_optional(&mut *database.read_connection().await?)
        .await
        .map_err(DatabaseError::from)?;
    let (Some(media_type), Some(content)) = row.ok_or_else(|| not_found(PictureError::NoSuchArticle))? else {
        return Err(not_found(PictureError::NoSuchPicture));
    };
    let kind = media_type.rsplit('/').next().unwrap_or_default();
    let name = format!("article-{article_id}.{kind}");
    // The server adds an entity tag, so that a browser with a copy of the picture need not download it again.
    Ok(Download::bytes(content).name(name).media_type(media_type).header("Cache-Control", "no-cache").inline())
}

pub(super) async fn replace_picture(
    new: IllustrateArguments,
    context: Context,
) -> Result<IllustrateOutputs, IllustrateError> {
    let database = Database::from_context(&context)?;
    let content = tokio::fs::read(new.picture.path()).await.map_err(ApiError::internal)?;
    let stored = IllustrateOutputs { media_type: new.picture.media_type().to_owned(), size: new.picture.size() };
    let size = i64::try_from(content.len()).map_err(ApiError::internal)?;
    let mut transaction = database.begin_write().await?;
    let author = required_author(context.identity());
    if !lock_article(&mut transaction, new.article_id, author).await.map_err(DatabaseError::from)? {
        return Err(change_error(&mut transaction, new.article_id).await?.into());
    }
    let delete = query("DELETE FROM pictures WHERE article_id = $1").bind(new.article_id);
    delete.execute(&mut transaction).await.map_err(DatabaseError::from)?;
    let insert = "INSERT INTO pictures (article_id, alt, media_type, size, content) VALUES ($1, $2, $3, $4, $5)";
    let insert = query(insert).bind(new.article_id).bind(new.alt).bind(&stored.media_type).bind(size).bind(&*content);
    insert.execute(&mut transaction).await.map_err(DatabaseError::from)?;
    database.commit(transaction).await?;
    Ok(stored)
}

/// Locks the row of an article until the transaction ends, so that other requests wait that replace its picture. If
/// `required_author` is a login, only an article of this author is locked. Returns `false` if no row was locked.
async fn lock_article(
    connection: &mut AnyConnection,
    article_id: i64,
    required_author: Option<String>,
) -> Result<bool, sqlx::Error> {
    // All databases lock a row that is updated, even if nothing changes. SQLite has no `FOR UPDATE`.
    let update = "UPDATE articles SET title = title
        WHERE article_id = $1 AND ($2 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $2))";
    Ok(query(update).bind(article_id).bind(required_author).execute(connection).await? > 0)
}
