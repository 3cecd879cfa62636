//! Pictures of articles.

use rulebook::{ApiError, Args, Context, Download, Upload};
use serde::{Deserialize, Serialize};

use super::change::change_error;
use super::{ArticleId, changeable_by};
use crate::database::{Database, DatabaseError};

#[derive(Deserialize)]
pub(super) struct NewPicture {
    article_id: i64,
    picture: Upload,
    alt: String,
}

#[derive(Serialize)]
pub(super) struct StoredPicture {
    media_type: String,
    size: u64,
}

/// Media type and content of an article's picture, both `None` if the article has no picture.
type Row = (Option<String>, Option<Vec<u8>>);

pub(super) async fn read(
    Args(ArticleId { article_id }): Args<ArticleId>,
    context: Context,
) -> Result<Download, ApiError> {
    let not_found = |name| ApiError::declared(name).with_member("article_id", article_id);
    let select = "SELECT media_type, content FROM articles
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = $1";
    let database = Database::of(&context)?;
    let row: Option<Row> = sqlx::query_as(select)
        .bind(article_id)
        .fetch_optional(&mut *database.read().await?)
        .await
        .map_err(DatabaseError::from)?;
    let (Some(media_type), Some(content)) = row.ok_or_else(|| not_found("no_such_article"))? else {
        return Err(not_found("no_such_picture"));
    };
    let kind = media_type.rsplit('/').next().unwrap_or_default();
    let name = format!("article-{article_id}.{kind}");
    // The entity tag identifies the content, so that browsers with a copy only need to validate it.
    Ok(Download::bytes(content).name(name).media_type(media_type).header("Cache-Control", "no-cache").inline())
}

pub(super) async fn replace(Args(new): Args<NewPicture>, context: Context) -> Result<StoredPicture, ApiError> {
    let database = Database::of(&context)?;
    let content = tokio::fs::read(new.picture.path()).await.map_err(ApiError::internal)?;
    let stored = StoredPicture { media_type: new.picture.media_type().to_owned(), size: new.picture.size() };
    let size = i64::try_from(content.len()).map_err(ApiError::internal)?;
    let mut transaction = database.write().await?;
    let insert = "INSERT INTO pictures (article_id, alt, media_type, size, content)
        SELECT article_id, $2, $3, $4, $5 FROM articles
        WHERE article_id = $1 AND ($6 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $6))
        ON CONFLICT (article_id) DO UPDATE
        SET alt = excluded.alt, media_type = excluded.media_type, size = excluded.size, content = excluded.content";
    let insert = sqlx::query(insert).bind(new.article_id).bind(new.alt).bind(&stored.media_type).bind(size);
    let insert = insert.bind(content).bind(changeable_by(context.identity()));
    if insert.execute(&mut *transaction).await.map_err(DatabaseError::from)?.rows_affected() == 0 {
        return Err(change_error(&mut transaction, new.article_id).await?);
    }
    database.commit(transaction).await?;
    Ok(stored)
}
