//! The handlers that return and replace the picture of an article.

use rulebook::{ApiError, Context, Download};

use super::change::change_error;
use super::required_author;
use crate::api::article::{IllustrateArguments, IllustrateError, IllustrateOutputs, PictureArguments, PictureError};
use crate::database::{Database, DatabaseError};

/// A row of the query for a picture: its media type and its content. Both are `None` if the article has no picture.
type PictureRow = (Option<String>, Option<Vec<u8>>);

pub(super) async fn read_picture(arguments: PictureArguments, context: Context) -> Result<Download, PictureError> {
    let article_id = arguments.article_id;
    let not_found = |error: PictureError| error.with_member("article_id", article_id);
    let select = "SELECT media_type, content FROM articles
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = ?";
    let database = Database::from_context(&context)?;
    let select = sqlx::query_as(select).bind(article_id).fetch_optional(database.readers().await?);
    let row: Option<PictureRow> = select.await.map_err(DatabaseError)?;
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
    let content = match new.picture.bytes() {
        Some(bytes) => bytes.to_vec(),
        None => tokio::fs::read(new.picture.path().map_err(ApiError::internal)?).await.map_err(ApiError::internal)?,
    };
    let stored = IllustrateOutputs { media_type: new.picture.media_type().to_owned(), size: new.picture.size() };
    let size = i64::try_from(content.len()).map_err(ApiError::internal)?;
    let author = required_author(context.identity());
    let insert = "INSERT OR REPLACE INTO pictures (article_id, alt, media_type, size, content)
        SELECT article_id, ?2, ?3, ?4, ?5 FROM articles
        WHERE article_id = ?1 AND (?6 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = ?6))";
    let insert = sqlx::query(insert).bind(new.article_id).bind(new.alt).bind(&stored.media_type).bind(size);
    let insert = insert.bind(content).bind(author).execute(database.writer().await?);
    if insert.await.map_err(DatabaseError)?.rows_affected() == 0 {
        return Err(change_error(&database, new.article_id).await?.into());
    }
    Ok(stored)
}
