//! The form in which the database stores the fields of an article that its author writes.

use sqlx::SqliteConnection;

use crate::api::article::CreateArguments;

impl CreateArguments {
    /// Inserts a new article and returns its id; `None` if there is no user with this login.
    pub(crate) async fn insert(
        self,
        connection: &mut SqliteConnection,
        login: &str,
        now: &str,
    ) -> Result<Option<i64>, sqlx::Error> {
        let insert = "INSERT INTO articles (author_id, title, text, language, tags, words, created, changed)
            SELECT user_id, ?2, ?3, ?4, ?5, ?6, ?7, ?7 FROM users WHERE login = ?1";
        let (tags, words) = (self.stored_tags(), self.search_text());
        let insert = sqlx::query(insert).bind(login).bind(self.title).bind(self.text).bind(self.language);
        let inserted = insert.bind(tags).bind(words).bind(now).execute(connection).await?;
        Ok((inserted.rows_affected() > 0).then(|| inserted.last_insert_rowid()))
    }

    /// Returns the tags in the form in which the database stores them: in one text, each between two spaces.
    pub(super) fn stored_tags(&self) -> String {
        format!(" {} ", self.tags.join(" "))
    }

    /// Returns the text in which searches look for words: the title and the text in lowercase.
    pub(super) fn search_text(&self) -> String {
        format!("{}\n{}", self.title, self.text).to_lowercase()
    }
}

/// Parses the tags of an article from the form in which the database stores them.
pub(super) fn parse_tags(stored: &str) -> Vec<String> {
    stored.split_whitespace().map(str::to_owned).collect()
}

/// Returns a pattern of SQL's `LIKE` that matches every text that contains `text`. Its escape character is `!`.
pub(super) fn like_pattern(text: &str) -> String {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}
