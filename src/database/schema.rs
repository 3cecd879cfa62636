//! Migrations of the tables, which run when the database is opened, and the content of a new database.
//!
//! A migration has a number, and its SQL for each database. All missing migrations are applied in one transaction that
//! only one process can hold: several processes may start at the same time, and an interrupted one leaves no changes.
//! (sqlx's own migrations do not lock out other processes on SQLite.)

use std::time::Duration;

use serde::Deserialize;
use sqlx::error::DatabaseError;
use sqlx::{Any, AnyPool, Executor, Transaction};

use crate::article::ArticleInput;

/// The SQL of each migration, for SQLite and for PostgreSQL. A published migration is never changed.
const MIGRATIONS: [(&str, &str); 2] = [
    (include_str!("sqlite/1.sql"), include_str!("postgres/1.sql")),
    (include_str!("sqlite/2.sql"), include_str!("postgres/2.sql")),
];

/// The number of the migration that added the texts about the site.
const WITH_TEXTS: i64 = 2;

/// The rows of a new database, and of tables that a migration adds to an older one.
const SEED: &str = include_str!("seed.json");

/// Locks out other processes on the same PostgreSQL database. The number is arbitrary.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7236871509)";

/// SQLite's error code for a file that another connection has locked.
const BUSY: &str = "5";

/// Brings the tables up to date.
pub(super) async fn migrate(pool: &AnyPool, sqlite: bool) -> Result<(), sqlx::Error> {
    let mut transaction = if sqlite {
        pool.begin_with("BEGIN IMMEDIATE").await?
    } else {
        let mut transaction = pool.begin().await?;
        transaction.execute(LOCK).await?;
        transaction
    };
    transaction.execute("CREATE TABLE IF NOT EXISTS demo_version (version BIGINT NOT NULL)").await?;
    let (version,): (i64,) =
        sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM demo_version").fetch_one(&mut *transaction).await?;
    for (number, (for_sqlite, for_postgres)) in (1_i64..).zip(MIGRATIONS) {
        if number > version {
            transaction.execute(if sqlite { for_sqlite } else { for_postgres }).await?;
            let insert = sqlx::query("INSERT INTO demo_version (version) VALUES ($1)").bind(number);
            insert.execute(&mut *transaction).await?;
        }
    }
    if version < WITH_TEXTS {
        seed(&mut transaction, version == 0).await?;
    }
    transaction.commit().await?;
    if sqlite {
        enable_wal(pool).await?;
    }
    Ok(())
}

/// Enables WAL mode, in which readers and the writer do not wait for each other. The file stores the mode.
async fn enable_wal(pool: &AnyPool) -> Result<(), sqlx::Error> {
    loop {
        match pool.execute("PRAGMA journal_mode = WAL").await {
            // SQLite's timeout for locks does not apply to this statement while others open the file.
            Err(error) if error.as_database_error().and_then(DatabaseError::code).as_deref() == Some(BUSY) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            result => return result.map(drop),
        }
    }
}

#[derive(Deserialize)]
struct Seed {
    users: Vec<User>,
    articles: Vec<Article>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct User {
    login: String,
    name: String,
    about: String,
    role: String,
    since: String,
    /// The hash of the password; empty if the user cannot log in.
    password: String,
}

#[derive(Deserialize)]
struct Article {
    author: String,
    title: String,
    language: String,
    tags: Vec<String>,
    created: String,
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct Text {
    id: String,
    intro: serde_json::Value,
}

/// Inserts the texts about the site and, into a new database, users and articles.
async fn seed(transaction: &mut Transaction<'static, Any>, is_new: bool) -> Result<(), sqlx::Error> {
    let seed: Seed = serde_json::from_str(SEED).map_err(|error| sqlx::Error::Decode(error.into()))?;
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
