//! The picture of an article.

use rulebook::{Args, Context, Download, Refusal, Upload};
use serde::{Deserialize, Serialize};

use super::change::not_changed;
use super::{Which, only_of};
use crate::demo::database::{Database, Trouble};

#[derive(Deserialize)]
pub(super) struct New {
    article_id: i64,
    picture: Upload,
    alt: String,
}

#[derive(Serialize)]
pub(super) struct Kept {
    media_type: String,
    size: u64,
}

/// The media type and content of an article's picture; of an article without one, nothing.
type Row = (Option<String>, Option<Vec<u8>>);

pub(super) async fn picture(Args(Which { article_id }): Args<Which>, context: Context) -> Result<Download, Refusal> {
    let none = |name| Refusal::declared(name).with("article_id", article_id);
    let select = "SELECT media_type, content FROM articles
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = $1";
    let database = Database::of(&context)?;
    let row: Option<Row> = sqlx::query_as(select)
        .bind(article_id)
        .fetch_optional(&mut *database.read().await?)
        .await
        .map_err(Trouble::from)?;
    let (Some(media_type), Some(content)) = row.ok_or_else(|| none("no_such_article"))? else {
        return Err(none("no_such_picture"));
    };
    let kind = media_type.rsplit('/').next().unwrap_or_default();
    let name = format!("article-{article_id}.{kind}");
    // Its tag is made from its content: browsers that have it ask only whether it is still the same.
    Ok(Download::bytes(content).name(name).media_type(media_type).header("Cache-Control", "no-cache").inline())
}

pub(super) async fn illustrate(Args(new): Args<New>, context: Context) -> Result<Kept, Refusal> {
    let database = Database::of(&context)?;
    let content = tokio::fs::read(new.picture.path()).await.map_err(Refusal::internal)?;
    let kept = Kept { media_type: new.picture.media_type().to_owned(), size: new.picture.size() };
    let size = i64::try_from(content.len()).map_err(Refusal::internal)?;
    let mut writing = database.write().await?;
    let insert = "INSERT INTO pictures (article_id, alt, media_type, size, content)
        SELECT article_id, $2, $3, $4, $5 FROM articles
        WHERE article_id = $1 AND ($6 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $6))
        ON CONFLICT (article_id) DO UPDATE
        SET alt = excluded.alt, media_type = excluded.media_type, size = excluded.size, content = excluded.content";
    let insert = sqlx::query(insert).bind(new.article_id).bind(new.alt).bind(&kept.media_type).bind(size);
    let insert = insert.bind(content).bind(only_of(context.identity()));
    if insert.execute(&mut *writing).await.map_err(Trouble::from)?.rows_affected() == 0 {
        return Err(not_changed(&mut writing, new.article_id).await?);
    }
    database.commit(writing).await?;
    Ok(kept)
}
