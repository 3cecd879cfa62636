//! How connections are opened.

use std::path::Path;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use super::connection::{Connection, OpenConnection};
use super::{Dialect, mysql, postgres, sqlite};
use crate::settings::DatabaseSettings;

/// The options of the connections of a database, and the statements that each connection begins with.
pub(super) enum Options {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions, String),
    Mysql(MySqlConnectOptions, Vec<String>),
}

impl Options {
    /// Reads the address of a database.
    ///
    /// # Errors
    /// Fails if the address is not valid.
    pub(super) fn new(settings: &DatabaseSettings, data_folder: &Path) -> Result<Self, sqlx::Error> {
        let url = settings.url.as_str();
        let limits = settings.dialect.limit_time(settings.timeout);
        Ok(match settings.dialect {
            Dialect::Sqlite => Self::Sqlite(sqlite::options(url, data_folder, settings.pool_timeout)?),
            Dialect::Postgres => Self::Postgres(postgres::options(url)?, limits.join(";")),
            Dialect::Mysql => Self::Mysql(mysql::options(url)?, limits),
        })
    }

    /// Returns the address without the user, the password and other parameters.
    pub(super) fn location(&self) -> String {
        let (scheme, host, port, name) = match self {
            Self::Sqlite(options) => return format!("sqlite:{}", options.get_filename().display()),
            Self::Postgres(options, _) => ("postgres", options.get_host(), options.get_port(), options.get_database()),
            Self::Mysql(options, _) => ("mysql", options.get_host(), options.get_port(), options.get_database()),
        };
        format!("{scheme}://{host}:{port}/{}", name.unwrap_or_default())
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Fails if the database cannot be reached, or refuses the connection.
    pub(super) async fn open(&self) -> Result<OpenConnection, sqlx::Error> {
        match self {
            Self::Sqlite(options) => OpenConnection::sqlite(sqlite::connect(options).await?).await,
            Self::Postgres(options, limits) => {
                let mut connection = options.connect().await?;
                connection.execute(limits.as_str()).await?;
                connection.execute(postgres::CHECK_CLIENT).await?;
                Ok(OpenConnection::new(Connection::Postgres(connection)))
            }
            Self::Mysql(options, limits) => {
                let mut connection = options.connect().await?;
                let mut result = Ok(());
                // MariaDB and MySQL each reject the statement of the other one.
                for limit in limits {
                    result = connection.execute(limit.as_str()).await.map(drop);
                    if result.is_ok() {
                        break;
                    }
                }
                result?;
                Ok(OpenConnection::new(Connection::Mysql(connection)))
            }
        }
    }
}
