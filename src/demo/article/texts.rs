//! What an author writes, and how it stands in the database.

use serde::Deserialize;
use sqlx::{Any, Transaction};

/// What of an article its author says.
#[derive(Deserialize)]
pub(crate) struct Texts {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) language: String,
    pub(crate) tags: Vec<String>,
}

impl Texts {
    /// Puts a new article in; none where nobody has this login.
    pub(crate) async fn insert(
        self,
        transaction: &mut Transaction<'static, Any>,
        login: &str,
        now: &str,
    ) -> Result<Option<i64>, sqlx::Error> {
        let insert = "INSERT INTO articles (author_id, title, text, language, tags, words, created, changed)
            SELECT user_id, $2, $3, $4, $5, $6, $7, $7 FROM users WHERE login = $1 RETURNING article_id";
        let (tags, words) = (self.tags(), self.words());
        let insert = sqlx::query_as(insert).bind(login).bind(self.title).bind(self.text).bind(self.language);
        let inserted: Option<(i64,)> =
            insert.bind(tags).bind(words).bind(now).fetch_optional(&mut **transaction).await?;
        Ok(inserted.map(|(article_id,)| article_id))
    }

    /// The tags, each between blanks.
    pub(super) fn tags(&self) -> String {
        format!(" {} ", self.tags.join(" "))
    }

    /// What a search looks through.
    pub(super) fn words(&self) -> String {
        format!("{}\n{}", self.title, self.text).to_lowercase()
    }
}

/// The tags of an article.
pub(super) fn tags(stored: &str) -> Vec<String> {
    stored.split_whitespace().map(str::to_owned).collect()
}

/// A LIKE pattern, with `!` to escape, of texts that hold this one.
pub(super) fn holding(text: &str) -> String {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}
