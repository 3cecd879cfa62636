//! The endpoint `GET /note/{note_id}`, which reads a note from SQLite or PostgreSQL with sqlx.

use std::error::Error;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use actix_web::web::{self, PathConfig};
use actix_web::{App, HttpServer, Route, rt};
use serde::Serialize;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Database, PgPool, Postgres, Sqlite, SqlitePool};

use super::error::{ParameterError, RequestError};
use super::{resource, unknown_service};

/// The maximum number of database connections.
const MAX_CONNECTIONS: u32 = 10;
/// The maximum time for which a request waits for a connection, and a statement of SQLite for a lock.
const POOL_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum time of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves the notes in the database with this URL, with one worker, until the process receives a signal.
pub fn serve_notes(bind: SocketAddr, url: &str) -> Result<(), Box<dyn Error>> {
    if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url)?.journal_mode(SqliteJournalMode::Wal);
        let options = options.foreign_keys(true).busy_timeout(POOL_TIMEOUT).disable_statement_logging();
        serve::<Sqlite>(bind, options, || web::get().to(read_from_sqlite))
    } else {
        let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
        serve::<Postgres>(bind, options, || web::get().to(read_from_postgres))
    }
}

fn serve<D: Database>(
    bind: SocketAddr,
    options: <D::Connection as Connection>::Options,
    route: fn() -> Route,
) -> Result<(), Box<dyn Error>> {
    rt::System::new().block_on(async {
        let pool_options = PoolOptions::<D>::new().max_connections(MAX_CONNECTIONS).acquire_timeout(POOL_TIMEOUT);
        let pool = web::Data::new(pool_options.connect_lazy_with(options));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(pool.clone())
                .app_data(PathConfig::default().error_handler(|error, _| RequestError::from(error).into()))
                .service(resource("/note/{note_id}", "GET", route()))
                .default_service(web::to(unknown_service))
        });
        Ok(server.workers(1).tcp_nodelay(true).bind(bind)?.run().await?)
    })
}

#[derive(Serialize)]
struct Note {
    note_id: i32,
    title: String,
    text: String,
    author: String,
}

type NoteRow = (i32, String, String, String);

const SELECT_NOTE: &str = "SELECT note_id, title, text, author FROM note WHERE note_id = $1";

async fn read_from_sqlite(path: web::Path<u32>, pool: web::Data<SqlitePool>) -> Result<web::Json<Note>, RequestError> {
    let note_id = checked_id(path.into_inner())?;
    note_response(sqlx::query_as(SELECT_NOTE).bind(note_id).fetch_optional(&**pool)).await
}

async fn read_from_postgres(path: web::Path<u32>, pool: web::Data<PgPool>) -> Result<web::Json<Note>, RequestError> {
    let note_id = checked_id(path.into_inner())?;
    note_response(sqlx::query_as(SELECT_NOTE).bind(note_id).fetch_optional(&**pool)).await
}

fn checked_id(note_id: u32) -> Result<i32, ParameterError> {
    let error = |_| ParameterError::new("note_id", "path", "0 to 2147483647", &note_id);
    i32::try_from(note_id).map_err(error)
}

async fn note_response(
    row: impl Future<Output = Result<Option<NoteRow>, sqlx::Error>>,
) -> Result<web::Json<Note>, RequestError> {
    let row = rt::time::timeout(REQUEST_TIMEOUT, row).await.map_err(|_| RequestError::GatewayTimeout)?;
    let row = row.map_err(|_| RequestError::Unavailable)?;
    let (note_id, title, text, author) = row.ok_or(RequestError::UnknownNote)?;
    Ok(web::Json(Note { note_id, title, text, author }))
}
