//! A single connection, for statements that are not part of a definition.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySql, MySqlArguments, MySqlRow};
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments, Decode, Executor, Row, ValueRef};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connection::{Connection, OpenConnection};
use super::options::Options;
use crate::settings::DatabaseSettings;

/// A row whose values are texts or null.
pub(crate) type TextRow = Vec<Option<String>>;

/// The way to a connection of a database, which is opened when it is needed and kept for the next
/// use. Only one task uses it at a time.
pub(crate) struct Session {
    options: Options,
    /// The maximum time for opening a connection.
    connect_timeout: Duration,
    idle: Mutex<Option<OpenConnection>>,
}

/// A connection of a [`Session`]. It is closed unless [`Session::put_back`] gets it.
pub(crate) struct SessionConnection(OpenConnection);

impl Session {
    /// Creates the session without opening a connection.
    ///
    /// # Errors
    /// Fails if the address of the database is not valid.
    pub(crate) fn new(settings: &DatabaseSettings) -> Result<Arc<Self>, sqlx::Error> {
        Self::in_folder(settings, Path::new(""))
    }

    /// Creates the session without opening a connection. The path of a file of SQLite is relative to `folder`.
    ///
    /// # Errors
    /// Fails if the address of the database is not valid.
    pub(crate) fn in_folder(settings: &DatabaseSettings, folder: &Path) -> Result<Arc<Self>, sqlx::Error> {
        let options = Options::new(settings, folder)?;
        Ok(Arc::new(Self { options, connect_timeout: settings.pool_timeout, idle: Mutex::new(None) }))
    }

    /// Returns the address of the database without the user and the password.
    pub(crate) fn location(&self) -> String {
        self.options.location()
    }

    /// Returns a connection, and `true` if it is new. Otherwise the database may have closed it in the meantime.
    pub(crate) async fn take(&self) -> Result<(SessionConnection, bool), sqlx::Error> {
        match self.idle.lock().await.take() {
            Some(open) => Ok((SessionConnection(open), false)),
            None => Ok((self.open().await?, true)),
        }
    }

    /// Opens a connection.
    pub(crate) async fn open(&self) -> Result<SessionConnection, sqlx::Error> {
        let opened = timeout(self.connect_timeout, self.options.open()).await;
        opened.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(SessionConnection)
    }

    /// Keeps a connection for the next use.
    pub(crate) async fn put_back(&self, connection: SessionConnection) {
        *self.idle.lock().await = Some(connection.0);
    }

    /// Closes the idle connection.
    pub(crate) async fn close(&self) {
        if let Some(open) = self.idle.lock().await.take() {
            open.close().await;
        }
    }
}

impl SessionConnection {
    /// Closes the connection, as the database expects it.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }

    /// Executes statements without parameters.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match &mut self.0.connection {
            Connection::Sqlite(connection) => connection.execute(sql).await.map(drop),
            Connection::Postgres(connection) => connection.execute(sql).await.map(drop),
            Connection::Mysql(connection) => connection.execute(sql).await.map(drop),
        }
    }

    /// Executes a statement whose parameters and columns are texts. Each `?` in the statement is a parameter.
    pub(crate) async fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<TextRow>, sqlx::Error> {
        match &mut self.0.connection {
            Connection::Sqlite(connection) => {
                let mut arguments = SqliteArguments::default();
                let owned = values.iter().map(|value| (*value).to_owned());
                owned.into_iter().try_for_each(|value| arguments.add(value)).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch_all(connection).await?;
                rows.iter().map(sqlite_row).collect()
            }
            Connection::Postgres(connection) => {
                let mut arguments = PgArguments::default();
                values.iter().try_for_each(|value| arguments.add(value)).map_err(sqlx::Error::Encode)?;
                let sql = numbered_placeholders(sql);
                let rows = sqlx::query_with(&sql, arguments).fetch_all(connection).await?;
                rows.iter().map(postgres_row).collect()
            }
            Connection::Mysql(connection) => {
                let mut arguments = MySqlArguments::default();
                values.iter().try_for_each(|value| arguments.add(value)).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch_all(connection).await?;
                rows.iter().map(mysql_row).collect()
            }
        }
    }
}

/// Returns a statement with the placeholders of PostgreSQL. The statements of the callers contain no other `?`.
fn numbered_placeholders(sql: &str) -> String {
    let mut parts = sql.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.zip(1..).fold(first, |sql, (part, number)| format!("{sql}${number}{part}"))
}

fn postgres_row(row: &PgRow) -> Result<TextRow, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            let text = if value.is_null() { None } else { Some(<String as Decode<'_, Postgres>>::decode(value)) };
            text.transpose().map_err(sqlx::Error::Decode)
        })
        .collect()
}

fn sqlite_row(row: &SqliteRow) -> Result<TextRow, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            let text = if value.is_null() { None } else { Some(<String as Decode<'_, Sqlite>>::decode(value)) };
            text.transpose().map_err(sqlx::Error::Decode)
        })
        .collect()
}

fn mysql_row(row: &MySqlRow) -> Result<TextRow, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            let text = if value.is_null() { None } else { Some(<String as Decode<'_, MySql>>::decode(value)) };
            text.transpose().map_err(sqlx::Error::Decode)
        })
        .collect()
}
