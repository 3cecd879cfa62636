//! The picture of an article.

use rulebook::{Args, Context, Refusal, Upload};
use serde::{Deserialize, Serialize};

use super::change::not_changed;
use super::only_of;
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

pub(super) async fn illustrate(Args(new): Args<New>, context: Context) -> Result<Kept, Refusal> {
    let database = Database::of(&context)?;
    let content = tokio::fs::read(new.picture.path()).await.map_err(Refusal::internal)?;
    let kept = Kept { media_type: new.picture.media_type().to_owned(), size: new.picture.size() };
    let size = i64::try_from(content.len()).map_err(Refusal::internal)?;
    let mut transaction = database.write().await?;
    let insert = "INSERT INTO pictures (article_id, alt, media_type, size, content)
        SELECT article_id, $2, $3, $4, $5 FROM articles
        WHERE article_id = $1 AND ($6 IS NULL OR author_id = (SELECT user_id FROM users WHERE login = $6))
        ON CONFLICT (article_id) DO UPDATE
        SET alt = excluded.alt, media_type = excluded.media_type, size = excluded.size, content = excluded.content";
    let insert = sqlx::query(insert).bind(new.article_id).bind(new.alt).bind(&kept.media_type).bind(size);
    let insert = insert.bind(content).bind(only_of(context.identity()));
    if insert.execute(&mut *transaction).await.map_err(Trouble::from)?.rows_affected() == 0 {
        return Err(not_changed(&mut transaction, new.article_id).await?);
    }
    database.commit(transaction).await?;
    Ok(kept)
}
