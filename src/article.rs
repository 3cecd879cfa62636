//! The handlers of the API module `article`: articles, their lines and their pictures.

use rulebook::{ApiError, Context, Download, Identity, Module};
use sqlx::SqliteConnection;

use crate::api::article::{
    Article, CreateArguments, CreateError, CreateOutputs, Handlers, IllustrateArguments, IllustrateError,
    IllustrateOutputs, LineGetArguments, LineGetError, LineGetLinesItem, LineGetOutputs, ListArguments, ListOrder,
    ListOutputs, ListedArticle, Picture, PictureArguments, PictureError, ReadArguments, ReadError, ReadOutputs,
    RemoveArguments, RemoveError, ReplaceArguments, ReplaceError, ReplaceOutputs,
};
use crate::database::{Database, DatabaseError};
use crate::now;

/// Returns the handlers of the methods that `api/article.json` defines.
pub(super) fn module() -> Module {
    let handlers = Handlers {
        list: list_articles,
        create: create_article,
        line_get: read_lines,
        read: read_article,
        replace: replace_article,
        remove: delete_article,
        picture: read_picture,
        illustrate: replace_picture,
    };
    handlers.into_module()
}

/// Returns the login of the author whose articles the caller may change; `None` if the caller may change all articles.
fn required_author(identity: Option<&Identity>) -> Option<String> {
    match identity {
        Some(editor) if editor.has_permission("editor") => None,
        Some(author) => Some(author.name().to_owned()),
        // No article has an author with an empty login.
        None => Some(String::new()),
    }
}

/// Selects the articles that match all filters. A filter that is null matches every article. The compared texts are in
/// lowercase, because LIKE ignores only the case of ASCII letters.
const FROM_FILTERED_ARTICLES: &str = "FROM articles JOIN users ON user_id = author_id
    WHERE (?1 IS NULL OR words LIKE ?1 ESCAPE '!') AND (?2 IS NULL OR LOWER(tags) LIKE ?2 ESCAPE '!')
    AND (?3 IS NULL OR language = ?3) AND (?4 IS NULL OR login = ?4)";

async fn list_articles(arguments: ListArguments, context: Context) -> Result<ListOutputs, ApiError> {
    Ok(select_page(&*Database::from_context(&context)?, arguments).await?)
}

async fn select_page(database: &Database, arguments: ListArguments) -> Result<ListOutputs, DatabaseError> {
    let order = match arguments.order {
        ListOrder::Newest => "created DESC, article_id DESC",
        ListOrder::Oldest => "created, article_id",
        ListOrder::Title => "title, article_id",
    };
    let ListArguments { words, tag, language, author, page, size, .. } = arguments;
    let words = words.map(|words| like_pattern(&words.to_lowercase()));
    let tag = tag.map(|tag| like_pattern(&format!(" {} ", tag.to_lowercase())));
    let readers = database.readers().await?;

    let count = format!("SELECT COUNT(*) {FROM_FILTERED_ARTICLES}");
    let count = sqlx::query_scalar(&count).bind(&words).bind(&tag).bind(&language).bind(&author);
    let total: i64 = count.fetch_one(readers).await?;

    let select = format!(
        "SELECT article_id, title, language, login, tags, created {FROM_FILTERED_ARTICLES} ORDER BY {order} LIMIT ?5 OFFSET ?6"
    );
    let select = sqlx::query_as(&select).bind(&words).bind(&tag).bind(&language).bind(&author);
    let select = select.bind(size).bind((page - 1) * size);
    let rows: Vec<(i64, String, String, String, String, String)> = select.fetch_all(readers).await?;
    let articles = rows.into_iter().map(|(article_id, title, language, author, stored, created)| ListedArticle {
        article_id,
        title,
        language,
        author,
        tags: parse_tags(&stored),
        created,
    });
    Ok(ListOutputs { articles: articles.collect(), total: total.unsigned_abs() })
}

/// A row of the query for an article, which joins the tables `articles`, `users` and `pictures`. The last three columns
/// are `None` if the article has no picture.
type ArticleRow =
    (String, String, String, String, i64, String, String, String, Option<String>, Option<String>, Option<i64>);

async fn read_article(arguments: ReadArguments, context: Context) -> Result<ReadOutputs, ReadError> {
    let article_id = arguments.article_id;
    let Some(row) = select_article(&*Database::from_context(&context)?, article_id).await? else {
        return Err(ReadError::NoSuchArticle.with_member("article_id", article_id));
    };
    let (title, text, language, author, author_id, stored, created, changed, alt, media_type, size) = row;
    let picture = match (alt, media_type, size) {
        (Some(alt), Some(media_type), Some(size)) => Some(Picture { alt, media_type, size: size.unsigned_abs() }),
        _ => None,
    };
    let tags = parse_tags(&stored);
    let article = Article { article_id, title, text, language, author, author_id, tags, created, changed, picture };
    Ok(ReadOutputs { article })
}

async fn select_article(database: &Database, article_id: i64) -> Result<Option<ArticleRow>, DatabaseError> {
    let select = "SELECT title, text, language, login, author_id, tags, created, changed, alt, media_type, size
        FROM articles JOIN users ON user_id = author_id
        LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = ?";
    Ok(sqlx::query_as(select).bind(article_id).fetch_optional(database.readers().await?).await?)
}

async fn create_article(input: CreateArguments, context: Context) -> Result<CreateOutputs, CreateError> {
    let database = Database::from_context(&context)?;
    let login = context.identity().map(|identity| identity.name().to_owned()).unwrap_or_default();
    let mut connection = database.writer().await?.acquire().await.map_err(DatabaseError)?;
    let inserted = input.insert(&mut connection, &login, &now()).await.map_err(DatabaseError)?;
    let Some(article_id) = inserted else { return Err(CreateError::NoSuchAuthor) };
    Ok(CreateOutputs { article_id })
}

async fn replace_article(new: ReplaceArguments, context: Context) -> Result<ReplaceOutputs, ReplaceError> {
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
async fn change_error(database: &Database, article_id: i64) -> Result<ApiError, DatabaseError> {
    let select = sqlx::query("SELECT 1 FROM articles WHERE article_id = ?").bind(article_id);
    let exists = select.fetch_optional(database.readers().await?).await?.is_some();
    Ok(ApiError::declared(if exists { "not_yours" } else { "no_such_article" }).with_member("article_id", article_id))
}

async fn delete_article(arguments: RemoveArguments, context: Context) -> Result<(), RemoveError> {
    let article_id = arguments.article_id;
    let database = Database::from_context(&context)?;
    let delete = sqlx::query("DELETE FROM articles WHERE article_id = ?").bind(article_id);
    if delete.execute(database.writer().await?).await.map_err(DatabaseError)?.rows_affected() == 0 {
        return Err(RemoveError::NoSuchArticle.with_member("article_id", article_id));
    }
    Ok(())
}

const MAX_LINES: usize = 1000;

const MAX_ARTICLES: i64 = 100;

async fn read_lines(arguments: LineGetArguments, context: Context) -> Result<LineGetOutputs, LineGetError> {
    let LineGetArguments { article_id, no_line } = arguments;
    let articles = article_texts(&*Database::from_context(&context)?, article_id).await?;
    if let Some(article_id) = article_id
        && articles.is_empty()
    {
        return Err(LineGetError::NoSuchArticle.with_member("article_id", article_id));
    }
    let lines: Vec<_> =
        articles.iter().flat_map(|(id, text)| numbered_lines(*id, text, no_line)).take(MAX_LINES).collect();
    match no_line {
        Some(no_line) if lines.is_empty() && article_id.is_some() => {
            Err(LineGetError::NoSuchLine.with_member("no_line", no_line))
        }
        _ => Ok(LineGetOutputs { lines }),
    }
}

/// Returns the lines of an article's text. If `only_line` is a number, returns only the line with this number.
fn numbered_lines(article_id: i64, text: &str, only_line: Option<i64>) -> impl Iterator<Item = LineGetLinesItem> {
    let numbered =
        (1..).zip(text.lines()).filter(move |(no_line, _)| only_line.is_none_or(|only_line| only_line == *no_line));
    numbered.map(move |(no_line, text)| LineGetLinesItem { article_id, no_line, text: text.to_owned() })
}

/// Returns the id and the text of the article with this id, or of all articles if `article_id` is `None`.
async fn article_texts(database: &Database, article_id: Option<i64>) -> Result<Vec<(i64, String)>, DatabaseError> {
    let select = "SELECT article_id, text FROM articles WHERE ?1 IS NULL OR article_id = ?1
        ORDER BY article_id LIMIT ?2";
    let select = sqlx::query_as(select).bind(article_id).bind(MAX_ARTICLES);
    Ok(select.fetch_all(database.readers().await?).await?)
}

/// A row of the query for a picture: its media type and its content. Both are `None` if the article has no picture.
type PictureRow = (Option<String>, Option<Vec<u8>>);

async fn read_picture(arguments: PictureArguments, context: Context) -> Result<Download, PictureError> {
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

async fn replace_picture(new: IllustrateArguments, context: Context) -> Result<IllustrateOutputs, IllustrateError> {
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

// The form in which the database stores the fields of an article that its author writes.

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
    fn stored_tags(&self) -> String {
        format!(" {} ", self.tags.join(" "))
    }

    /// Returns the text in which searches look for words: the title and the text in lowercase.
    fn search_text(&self) -> String {
        format!("{}\n{}", self.title, self.text).to_lowercase()
    }
}

fn parse_tags(stored: &str) -> Vec<String> {
    stored.split_whitespace().map(str::to_owned).collect()
}

/// Returns a pattern of SQL's `LIKE` that matches every text that contains `text`. Its escape character is `!`.
fn like_pattern(text: &str) -> String {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}
