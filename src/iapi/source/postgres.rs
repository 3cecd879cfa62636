//! Values of a PostgreSQL server.
//!
//! A value comes as many rows, each a piece of it, in one answer that is read as fast as it is written. The server takes
//! the value out of its table once, uncompresses it and keeps it for as long as the answer lasts: were each piece asked
//! for by itself, it would do that for each piece. Texts come in UTF-8, whatever the encoding of the database; `json` as
//! it was written, `jsonb`, numbers, times and all else as the server writes them, `bytea` as it is.
//!
//! A connection lasts for one call, in a runtime of this thread's own: there is nothing that the end of another runtime
//! could take along, and files are written where the pieces are read without holding up anything else.

use std::str::FromStr;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::column::quoted;
use super::{Column, PIECE, Room, SourceError};
use crate::store::Staged;

/// How long the server may take to be connected to, and to answer each question with a row.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server is told, for the case that this side is gone and it has not noticed.
const SETTINGS: &str = "SET statement_timeout = '10min'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '1min'";

/// All that is read is of one state, in which nothing is written.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// What comes before each key is looked for, to go back to where a key is none of its type.
const SAVE: &str = "SAVEPOINT keys";
const BACK: &str = "ROLLBACK TO SAVEPOINT keys";

/// The type of a column, below all domains: whether it is `bytea`.
const IS_BYTES: &str = "WITH RECURSIVE base AS (
    SELECT t.oid, t.typbasetype FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT t.oid, t.typbasetype FROM pg_type t JOIN base ON t.oid = base.typbasetype)
    SELECT oid = 'bytea'::regtype FROM base WHERE typbasetype = 0";

/// The columns of a primary key with their types. Without their lengths: a key that is too long would be cut to one that
/// is another row's.
const KEY: &str = "SELECT a.attname::text, format_type(a.atttypid, -1) FROM pg_constraint c
    CROSS JOIN unnest(c.conkey) AS k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k
    WHERE c.conrelid = to_regclass($1) AND c.contype = 'p'";

/// The questions about one column.
struct Questions {
    /// Whether there is a value at the key $1.
    is_there: String,
    /// The value at the key $1, in pieces of $2 bytes.
    pieces: String,
}

pub(super) fn copy(url: &str, column: &Column, keys: &[String], room: &mut Room) -> Result<Vec<Staged>, SourceError> {
    // Of what is wrong with the URL nothing is told: it may hold a password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| SourceError::Gone("its URL cannot be read".to_owned()))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(SourceError::Runtime)?;
    let copied = runtime.block_on(async {
        let mut connection = patiently(options.disable_statement_logging().connect()).await?;
        let copied = copy_all(&mut connection, column, keys, room).await;
        // With the connection ends all that it was asked for. Nothing depends on a proper farewell.
        let _ = patiently(connection.close()).await;
        copied
    });
    // It does not wait for the address of a server that is looked for in vain.
    runtime.shutdown_background();
    copied
}

/// What becomes of a question, unless it takes too long.
async fn patiently<T>(question: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, SourceError> {
    match timeout(PATIENCE, question).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(SourceError::Gone(format!("no answer within {} seconds", PATIENCE.as_secs()))),
    }
}

async fn copy_all(
    connection: &mut PgConnection,
    column: &Column,
    keys: &[String],
    room: &mut Room,
) -> Result<Vec<Staged>, SourceError> {
    patiently(connection.execute(SETTINGS)).await?;
    patiently(connection.execute(BEGIN)).await?;
    let questions = Questions::find(connection, column).await?;
    patiently(connection.execute(SAVE)).await?;
    let mut there = Vec::with_capacity(keys.len());
    for key in keys {
        there.push(questions.is_there(connection, key).await?.then_some(()));
    }
    super::all(keys, there)?;
    let mut staged = Vec::with_capacity(keys.len());
    for key in keys {
        staged.push(questions.copy(connection, key, room).await?);
    }
    Ok(staged)
}

impl Questions {
    async fn find(connection: &mut PgConnection, column: &Column) -> Result<Self, SourceError> {
        let table = column.quoted_table();
        let exists = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table);
        if !patiently(exists.fetch_one(&mut *connection)).await? {
            return Err(SourceError::NoTable(column.to_string()));
        }
        let is_bytes = sqlx::query_scalar(IS_BYTES).bind(&table).bind(&column.name);
        let Some(is_bytes) = patiently(is_bytes.fetch_optional(&mut *connection)).await? else {
            return Err(SourceError::NoColumn { table: column.to_string(), column: column.name.clone() });
        };
        let keys = patiently(sqlx::query_as(KEY).bind(&table).fetch_all(connection)).await?;
        let (key, key_type): &(String, String) = match &keys[..] {
            [] => return Err(SourceError::NoKey(column.to_string())),
            [key] => key,
            _ => {
                let columns = keys.into_iter().map(|(key, _)| key).collect();
                return Err(SourceError::SeveralKeys { table: column.to_string(), columns });
            }
        };
        let value = quoted(&column.name);
        let row = format!("FROM {table} WHERE {} = $1::text::{key_type}", quoted(key));
        // Either makes a new value, which is in memory and not compressed; a piece of it costs as much as it is long.
        let bytes = if is_bytes {
            format!("{value}::bytea || ''::bytea")
        } else {
            format!("convert_to({value}::text, 'UTF8')")
        };
        Ok(Self {
            is_there: format!("SELECT {value} IS NOT NULL {row}"),
            // OFFSET keeps the query inside from being merged into the other, where the value would be made for each
            // piece.
            pieces: format!(
                "SELECT first, substring(value FROM first FOR $2) FROM (SELECT {bytes} AS value {row} OFFSET 0) AS found
                 CROSS JOIN LATERAL generate_series(1, length(value), $2) AS first"
            ),
        })
    }

    /// Whether the key has a value.
    async fn is_there(&self, connection: &mut PgConnection, key: &str) -> Result<bool, SourceError> {
        let asked = sqlx::query_scalar(&self.is_there).bind(key).fetch_optional(&mut *connection);
        match patiently(async { Ok(asked.await) }).await? {
            Err(error) if is_no_key(&error) => {
                patiently(connection.execute(BACK)).await?;
                Ok(false)
            }
            there => Ok(there?.unwrap_or(false)),
        }
    }

    async fn copy(&self, connection: &mut PgConnection, key: &str, room: &mut Room) -> Result<Staged, SourceError> {
        let length = i32::try_from(PIECE).unwrap_or(i32::MAX);
        let mut pieces = sqlx::query(&self.pieces).bind(key).bind(length).fetch(connection);
        let mut writer = room.begin()?;
        while let Some(row) = patiently(pieces.try_next()).await? {
            let (first, piece) = piece(&row)?;
            // Nothing in SQL says that the pieces come one behind the other.
            if u64::from(first) != writer.length() + 1 {
                return Err(SourceError::Gone("the pieces of a value are not in their order".to_owned()));
            }
            room.write(&mut writer, piece)?;
        }
        room.end(writer)
    }
}

/// Where a piece begins, counted from 1, and what is in it.
fn piece(row: &PgRow) -> Result<(u32, &[u8]), SourceError> {
    let first: i32 = row.try_get(0)?;
    Ok((u32::try_from(first).unwrap_or_default(), row.try_get(1)?))
}

/// Whether it is that the text of a key is none of the key's type, or of none that the domain takes: `Data Exception` and
/// `Integrity Constraint Violation` in the appendix of PostgreSQL's manual.
fn is_no_key(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Gone(error.to_string())
    }
}
