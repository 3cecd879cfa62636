//! The tables, brought up to date when the database is opened, and what stands in a new one.
//!
//! A version is a number and its SQL, for each database. All that are missing
//! are applied in one transaction that only one process can be in, so several
//! may start at once, and one that is cut off leaves nothing.

use serde::Deserialize;
use sqlx::{Any, AnyPool, Executor, Transaction};

use super::Trouble;
use crate::demo::article::Texts;

/// The SQL of each version, for SQLite and for PostgreSQL. Versions that were published are never changed.
const VERSIONS: [(&str, &str); 1] = [(include_str!("sqlite/1.sql"), include_str!("postgres/1.sql"))];

/// What a new database begins with.
const SEED: &str = include_str!("seed.json");

/// The lock that processes on one PostgreSQL take: any number that nobody else takes.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7236871509)";

/// Brings the tables up to date.
pub(super) async fn migrate(pool: &AnyPool, sqlite: bool) -> Result<(), Trouble> {
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
    for (number, (for_sqlite, for_postgres)) in (1_i64..).zip(VERSIONS) {
        if number > version {
            transaction.execute(if sqlite { for_sqlite } else { for_postgres }).await?;
            let insert = sqlx::query("INSERT INTO demo_version (version) VALUES ($1)").bind(number);
            insert.execute(&mut *transaction).await?;
        }
    }
    if version == 0 {
        seed(&mut transaction).await?;
    }
    transaction.commit().await?;
    if sqlite {
        // Readers and the one writer do not wait for each other. It is kept in the file.
        pool.execute("PRAGMA journal_mode = WAL").await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Seed {
    users: Vec<User>,
    articles: Vec<Article>,
}

#[derive(Deserialize)]
struct User {
    login: String,
    name: String,
    about: String,
    role: String,
    since: String,
    /// The hash of the password; empty where nobody can log in.
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

async fn seed(transaction: &mut Transaction<'static, Any>) -> Result<(), Trouble> {
    let seed: Seed = serde_json::from_str(SEED).map_err(|error| sqlx::Error::Decode(error.into()))?;
    for user in seed.users {
        let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = sqlx::query(insert).bind(user.login).bind(user.name).bind(user.about).bind(user.role);
        insert.bind(user.since).bind(user.password).execute(&mut **transaction).await?;
    }
    for article in seed.articles {
        let texts = Texts {
            title: article.title,
            text: article.lines.join("\n"),
            language: article.language,
            tags: article.tags,
        };
        texts.insert(transaction, &article.author, &article.created).await?;
    }
    Ok(())
}
