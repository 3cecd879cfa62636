//! Migrations of the tables, which run when the database is opened, and the content of a new database.
//!
//! A migration has a number, and SQL statements for each of the two databases. All migrations that have not been
//! applied are applied in one transaction, so that an interrupted process leaves no changes. The transaction locks the
//! database, because several processes may start at the same time. (The migrations of sqlx do not lock an SQLite
//! database.)

use std::time::Duration;

use serde::Deserialize;
use sqlx::error::DatabaseError;
use sqlx::{Any, AnyPool, Executor, Transaction};

use crate::article::ArticleInput;

/// The SQL statements of each migration: first those for SQLite, then those for PostgreSQL. Do not change a migration
/// after its release.
const MIGRATIONS: [(&str, &str); 2] = [
    (include_str!("sqlite/1.sql"), include_str!("postgres/1.sql")),
    (include_str!("sqlite/2.sql"), include_str!("postgres/2.sql")),
];

/// The number of the migration that created the table with texts about the site.
const TEXTS_MIGRATION: i64 = 2;

/// The rows that are inserted into a new database, and into tables that a migration adds to an older database.
const SEED_JSON: &str = include_str!("seed.json");

/// Waits until no other process migrates the same PostgreSQL database. The number identifies the lock.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7236871509)";

/// SQLite's error code for a file that another connection has locked.
const SQLITE_BUSY_CODE: &str = "5";

/// Applies all migrations that have not been applied to the database.
pub(super) async fn migrate(pool: &AnyPool, is_sqlite: bool) -> Result<(), sqlx::Error> {
    let mut transaction = if is_sqlite {
        pool.begin_with("BEGIN IMMEDIATE").await?
    } else {
        let mut transaction = pool.begin().await?;
        transaction.execute(POSTGRES_LOCK).await?;
        transaction
    };
    transaction.execute("CREATE TABLE IF NOT EXISTS demo_version (version BIGINT NOT NULL)").await?;
    let (version,): (i64,) =
        sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM demo_version").fetch_one(&mut *transaction).await?;
    for (number, (for_sqlite, for_postgres)) in (1_i64..).zip(MIGRATIONS) {
        if number > version {
            transaction.execute(if is_sqlite { for_sqlite } else { for_postgres }).await?;
            let insert = sqlx::query("INSERT INTO demo_version (version) VALUES ($1)").bind(number);
            insert.execute(&mut *transaction).await?;
        }
    }
    if version < TEXTS_MIGRATION {
        insert_seed(&mut transaction, version == 0).await?;
    }
    transaction.commit().await?;
    if is_sqlite {
        enable_wal(pool).await?;
    }
    Ok(())
}

/// Enables the WAL mode of SQLite, in which readers and the writer do not wait for each other. The mode is stored in
/// the database file.
async fn enable_wal(pool: &AnyPool) -> Result<(), sqlx::Error> {
    loop {
        match pool.execute("PRAGMA journal_mode = WAL").await {
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
async fn insert_seed(transaction: &mut Transaction<'static, Any>, is_new: bool) -> Result<(), sqlx::Error> {
    let seed: SeedData = serde_json::from_str(SEED_JSON).map_err(|error| sqlx::Error::Decode(error.into()))?;
    for text in seed.texts {
        let insert = sqlx::query("INSERT INTO user_info (id, intro_json) VALUES ($1, $2)").bind(text.id);
        insert.bind(text.intro.to_string()).execute(&mut **transaction).await?;
    }
    if !is_new {
        return Ok(());
    }
    for user in seed.users {
        let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(user.login).bind(user.name).bind(user.about).bind(user.role);
        insert.bind(user.since).bind(user.password).execute(&mut **transaction).await?;
    }
    for article in seed.articles {
        let input = ArticleInput {
            title: article.title,
            text: article.lines.join("\n"),
            language: article.language,
            tags: article.tags,
        };
        input.insert(transaction, &article.author, &article.created).await?;
    }
    Ok(())
}
