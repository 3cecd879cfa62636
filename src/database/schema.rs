//! Migrations of the tables, which run when the database is opened, and the content of a new database.
//!
//! A migration has a number, and SQL statements for each kind of database. In SQLite and PostgreSQL, all migrations
//! that have not been applied are applied in one transaction, so that an interrupted process leaves no changes. MySQL
//! commits each change of a table at once; there, the next process repeats the statements of an interrupted migration,
//! and only the rows are inserted in one transaction. The database is locked meanwhile, because several processes may
//! start at the same time. (The migrations of sqlx do not lock an SQLite database.)

use std::time::Duration;

use serde::Deserialize;
use sqlx::error::DatabaseError;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::dialect::Dialect;
use super::query::query;
use crate::api::article::CreateArguments;

/// The SQL statements of a migration, for each kind of database.
struct Migration {
    sqlite: &'static str,
    postgres: &'static str,
    /// These statements must have no effect if they are repeated.
    mysql: &'static str,
}

/// All migrations. Do not change a migration after its release.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        sqlite: include_str!("sqlite/1.sql"),
        postgres: include_str!("postgres/1.sql"),
        mysql: include_str!("mysql/1.sql"),
    },
    Migration {
        sqlite: include_str!("sqlite/2.sql"),
        postgres: include_str!("postgres/2.sql"),
        mysql: include_str!("mysql/2.sql"),
    },
];

impl Migration {
    fn statements(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
            Dialect::Mysql => self.mysql,
        }
    }
}

/// The number of the migration that created the table with texts about the site.
const TEXTS_MIGRATION: i64 = 2;

/// The rows that are inserted into a new database, and into tables that a migration adds to an older database.
const SEED_JSON: &str = include_str!("seed.json");

/// Waits until no other process migrates the same PostgreSQL database. The number identifies the lock.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7236871509)";

/// Waits until no other process migrates the same MySQL database, at most for 10 seconds. The connection holds the lock
/// until it is closed. Such a lock belongs to the server, so that its name is derived from the name of the database.
const MYSQL_LOCK: &str = "SELECT CAST(GET_LOCK(MD5(CONCAT('article-site ', DATABASE())), 10) AS SIGNED)";

/// SQLite's error code for a file that another connection has locked.
const SQLITE_BUSY_CODE: &str = "5";

/// Applies all migrations that have not been applied to the database.
pub(super) async fn migrate(pool: &AnyPool, dialect: Dialect) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut transaction = match dialect {
        Dialect::Sqlite => connection.begin_with("BEGIN IMMEDIATE").await?,
        Dialect::Postgres => {
            let mut transaction = connection.begin().await?;
            transaction.execute(POSTGRES_LOCK).await?;
            transaction
        }
        Dialect::Mysql => {
            // If the connection returned to the pool, it would keep the lock.
            connection.close_on_drop();
            let (locked,): (Option<i64>,) = sqlx::query_as(MYSQL_LOCK).fetch_one(&mut *connection).await?;
            if locked != Some(1) {
                return Err(sqlx::Error::Protocol("another process is still migrating the database".to_owned()));
            }
            connection.begin().await?
        }
    };
    transaction.execute("CREATE TABLE IF NOT EXISTS demo_version (version BIGINT NOT NULL)").await?;
    let (version,): (i64,) =
        sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM demo_version").fetch_one(&mut *transaction).await?;
    let pending: Vec<_> = (1_i64..).zip(&MIGRATIONS).filter(|(number, _)| *number > version).collect();
    for (_, migration) in &pending {
        transaction.execute(migration.statements(dialect)).await?;
    }
    if dialect == Dialect::Mysql {
        // The statements above have committed the transaction.
        transaction.execute("START TRANSACTION").await?;
    }
    for (number, _) in pending {
        query("INSERT INTO demo_version (version) VALUES ($1)").bind(number).execute(&mut transaction).await?;
    }
    if version < TEXTS_MIGRATION {
        insert_seed(&mut transaction, version == 0).await?;
    }
    transaction.commit().await?;
    if dialect == Dialect::Sqlite {
        enable_wal(&mut connection).await?;
    }
    Ok(())
}

/// Enables the WAL mode of SQLite, in which readers and the writer do not wait for each other. The mode is stored in
/// the database file.
async fn enable_wal(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    loop {
        match connection.execute("PRAGMA journal_mode = WAL").await {
            // SQLite's timeout for locks does not apply to this statement while other processes open the file.
            Err(error)
                if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some(SQLITE_BUSY_CODE) =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            result => return result.map(drop),
        }
    }
}

#[derive(Deserialize)]
struct SeedData {
    users: Vec<SeedUser>,
    articles: Vec<SeedArticle>,
    texts: Vec<SeedText>,
}

#[derive(Deserialize)]
struct SeedUser {
    login: String,
    name: String,
    about: String,
    role: String,
    since: String,
    /// The hash of the user's password; empty if the user cannot log in.
    password: String,
}

#[derive(Deserialize)]
struct SeedArticle {
    author: String,
    title: String,
    language: String,
    tags: Vec<String>,
    created: String,
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct SeedText {
    id: String,
    intro: serde_json::Value,
}

/// Inserts the texts about the site. Inserts users and articles too if the database is new.
async fn insert_seed(connection: &mut AnyConnection, is_new: bool) -> Result<(), sqlx::Error> {
    let seed: SeedData = serde_json::from_str(SEED_JSON).map_err(|error| sqlx::Error::Decode(error.into()))?;
    for text in seed.texts {
        let insert = query("INSERT INTO user_info (id, intro_json) VALUES ($1, $2)").bind(text.id);
        insert.bind(text.intro.to_string()).execute(connection).await?;
    }
    if !is_new {
        return Ok(());
    }
    for user in seed.users {
        let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = query(insert).bind(user.login).bind(user.name).bind(user.about).bind(user.role);
        insert.bind(user.since).bind(user.password).execute(connection).await?;
    }
    for article in seed.articles {
        let input = CreateArguments {
            title: article.title,
            text: article.lines.join("\n"),
            language: article.language,
            tags: article.tags,
        };
        input.insert(connection, &article.author, &article.created).await?;
    }
    Ok(())
}
