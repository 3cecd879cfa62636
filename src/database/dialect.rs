//! The kinds of databases, and the settings of their connections.

use sqlx::{AnyConnection, Database, MySql, Sqlite};

/// Settings of every connection to SQLite. The timeout for locks is shorter than [`super::WAIT_TIMEOUT`]. In WAL mode,
/// a write that has been acknowledged to the client survives a power failure only with `synchronous = FULL`.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL";

/// Settings of every connection to PostgreSQL.
const POSTGRES_SETTINGS: &str = "SET statement_timeout = '10s'; SET lock_timeout = '2s'";

/// Settings of every connection to MySQL, by which it understands the SQL of the other databases, never shortens a
/// value, and has the isolation level of PostgreSQL. MySQL and MariaDB ignore each other's comments, which contain a
/// setting that the other does not have.
const MYSQL_SETTINGS: &str = "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,\
    NO_ENGINE_SUBSTITUTION', NAMES utf8mb4 COLLATE utf8mb4_bin, innodb_lock_wait_timeout = 2, lock_wait_timeout = 2 \
    /*!50708 , max_execution_time = 10000 */ /*M! , max_statement_time = 10 */; \
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    pub(super) fn of(connection: &AnyConnection) -> Self {
        match connection.backend_name() {
            Sqlite::NAME => Self::Sqlite,
            MySql::NAME => Self::Mysql,
            _ => Self::Postgres,
        }
    }

    /// Returns the statements that every new connection executes.
    pub(super) fn settings(self) -> &'static str {
        match self {
            Self::Sqlite => SQLITE_SETTINGS,
            Self::Postgres => POSTGRES_SETTINGS,
            Self::Mysql => MYSQL_SETTINGS,
        }
    }

    /// Returns the maximum number of requests that write at the same time. SQLite supports only one writer. Further
    /// requests wait for a permit in the order of their arrival. If they waited for the lock of SQLite instead, each
    /// would occupy a connection that readers need, and the order would be random. On a server, the remaining
    /// connections are for readers.
    pub(super) fn max_writers(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres | Self::Mysql => 12,
        }
    }
}
