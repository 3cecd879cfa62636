//! The migrations of the tables, and the first content of a new database.

use serde::Deserialize;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::api::article::CreateArguments;

/// The migrations. SQLite's `user_version` is the number of those that have been applied. Do not change a migration
/// after its release.
const MIGRATIONS: [&str; 1] = [include_str!("1.sql")];

/// Users, articles and texts about the site, which are inserted into a new database.
const SEED_JSON: &str = include_str!("seed.json");

/// Applies all migrations that have not been applied to the database, in one transaction. It locks the database,
/// because several processes may start at the same time. (The migrations of sqlx do not lock an SQLite database.)
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        transaction.execute(migration).await?;
        transaction.execute(&*format!("PRAGMA user_version = {number}")).await?;
    }
    if version == 0 {
        insert_seed(&mut transaction).await?;
    }
    transaction.commit().await
}

#[derive(Deserialize)]
struct Seed {
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

async fn insert_seed(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let seed: Seed = serde_json::from_str(SEED_JSON).map_err(|error| sqlx::Error::Decode(error.into()))?;
    for user in seed.users {
        let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES (?, ?, ?, ?, ?, ?)";
        let insert = sqlx::query(insert).bind(user.login).bind(user.name).bind(user.about).bind(user.role);
        insert.bind(user.since).bind(user.password).execute(&mut *connection).await?;
    }
    for article in seed.articles {
        let SeedArticle { author, title, language, tags, created, lines } = article;
        let input = CreateArguments { title, text: lines.join("\n"), language, tags };
        input.insert(connection, &author, &created).await?;
    }
    for text in seed.texts {
        let insert = sqlx::query("INSERT INTO user_info (id, intro_json) VALUES (?, ?)").bind(text.id);
        insert.bind(text.intro.to_string()).execute(&mut *connection).await?;
    }
    Ok(())
}
