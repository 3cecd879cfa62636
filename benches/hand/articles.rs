//! The endpoint `GET /article/{article_id}`, which reads an article from the database of the demo with sqlx.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use actix_web::web::{self, PathConfig};
use actix_web::{App, HttpServer, rt};
use serde::Serialize;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};

use super::error::{ParameterError, RequestError};
use super::line::MAX_ID;
use super::{SUCCESS_MEMBERS, resource, unknown_service};

/// The maximum number of database connections. The demo reads with the same maximum.
const MAX_CONNECTIONS: u32 = 16;

/// Serves the articles from the database in this folder, with one worker, until the process receives a signal.
pub fn serve_articles(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    // The demo has the same settings.
    let options = SqliteConnectOptions::new()
        .filename(folder.join("demo.db"))
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(2));
    rt::System::new().block_on(async {
        let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).connect_lazy_with(options);
        let pool = web::Data::new(pool);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(pool.clone())
                .app_data(PathConfig::default().error_handler(|error, _| RequestError::from(error).into()))
                .service(resource("/article/{article_id}", "GET", web::get().to(read_article)))
                .default_service(web::to(unknown_service))
        });
        Ok(server.workers(1).tcp_nodelay(true).bind(bind)?.run().await?)
    })
}

#[derive(Serialize)]
struct ArticleResponse {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    article: Article,
}

#[derive(Serialize)]
struct Article {
    article_id: u32,
    title: String,
    text: String,
    language: String,
    author: String,
    author_id: i64,
    tags: Vec<String>,
    created: String,
    changed: String,
    picture: Option<Picture>,
}

#[derive(Serialize)]
struct Picture {
    alt: String,
    media_type: String,
    size: i64,
}

type ArticleRow =
    (String, String, String, String, i64, String, String, String, Option<String>, Option<String>, Option<i64>);

const SELECT_ARTICLE: &str =
    "SELECT title, text, language, login, author_id, tags, created, changed, alt, media_type, size
    FROM articles JOIN users ON user_id = author_id
    LEFT JOIN pictures ON pictures.article_id = articles.article_id WHERE articles.article_id = ?";

async fn read_article(
    path: web::Path<u32>,
    pool: web::Data<SqlitePool>,
) -> Result<web::Json<ArticleResponse>, RequestError> {
    let article_id = path.into_inner();
    if article_id > MAX_ID {
        return Err(ParameterError::new("article_id", "path", "0 to 2147483647", &article_id).into());
    }
    let select = sqlx::query_as(SELECT_ARTICLE).bind(i64::from(article_id)).fetch_optional(&**pool);
    let row: Option<ArticleRow> = select.await.map_err(|_| RequestError::Unavailable)?;
    let Some((title, text, language, author, author_id, tags, created, changed, alt, media_type, size)) = row else {
        return Err(RequestError::UnknownArticle);
    };
    let picture = match (alt, media_type, size) {
        (Some(alt), Some(media_type), Some(size)) => Some(Picture { alt, media_type, size }),
        _ => None,
    };
    let tags = tags.split_whitespace().map(str::to_owned).collect();
    let (error, description) = SUCCESS_MEMBERS;
    let article = Article { article_id, title, text, language, author, author_id, tags, created, changed, picture };
    Ok(web::Json(ArticleResponse { error, description, article }))
}
