//! The kinds of databases.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl Dialect {
    /// Returns the kind of database that an address names; `None` if it names no supported kind.
    pub(crate) fn from_url(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            _ => None,
        }
    }

    /// Returns the statement that begins a transaction. In SQLite, it locks the database for writing at once, because a
    /// transaction that reads first could fail when it writes.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres | Self::Mysql => "BEGIN",
        }
    }

    /// Returns the statement that begins a transaction in which all statements see the same state of the tables. They
    /// only read, unless they call a function that writes.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Self::Mysql => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        }
    }

    /// Returns the statements that limit the time of statements of a connection; one of them succeeds. SQLite has no
    /// such statement: the handler interrupts it.
    pub(crate) fn limit_time(self, limit: Duration) -> Vec<String> {
        let millis = limit.as_millis();
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres => vec![format!("SET statement_timeout = {millis}")],
            // MariaDB counts in seconds, and MySQL limits only selections.
            Self::Mysql => vec![
                format!("SET SESSION max_statement_time = {}", limit.as_secs_f64()),
                format!("SET SESSION max_execution_time = {millis}"),
            ],
        }
    }
}
