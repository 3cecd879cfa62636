//! Reads and changes the tables of keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;
use rulebook::key::{Entry, KeySet, KeyState, KeyVersion, Usage, Usages, UsedRequests};

use super::statements::Statements;
use crate::database::{Database, Lease, TextRow};
use crate::storage::{create_tables, end_transaction, execute, execute_repeatedly};

/// The maximum number of keys whose usage a statement adds.
const USAGES_PER_STATEMENT: usize = 500;
/// The number of attempts to add usage, which the database may refuse because another server adds some as well.
const USAGE_ATTEMPTS: usize = 3;

/// A value in a table that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParseError {
    State,
    Usage,
    Entry(usize),
}

pub(super) struct LoadedKeys {
    pub keys: KeySet,
    pub state: KeyState,
    next_position: i64,
}

pub(super) struct Changes {
    /// The statements, and their parameters.
    keys: Vec<(&'static str, Vec<String>)>,
    /// The fingerprint of the pepper; empty if it is not known.
    pepper: String,
    is_pepper_changed: bool,
}

impl Changes {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Creates the tables if they cannot be read because they do not exist.
pub(super) async fn prepare(database: &Database, statements: &'static Statements) -> Result<(), sqlx::Error> {
    match execute_repeatedly(database, statements.state, &[]).await {
        Ok(rows) if !rows.is_empty() => Ok(()),
        Err(error) if !is_missing_table(&error) => Err(error),
        _ => create_tables(database, statements.create).await,
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    // The SQLSTATE of PostgreSQL, and that of MySQL and MariaDB.
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "42P01" | "42S02"))
}

/// Begins a change of the keys: waits for other changes, and reads the newest keys.
pub(super) async fn begin_change(
    database: &Database,
    statements: &'static Statements,
) -> Result<(Lease, Vec<TextRow>), sqlx::Error> {
    let mut lease = database.lease().await?;
    for sql in statements.begin {
        lease.run(sql).await?;
    }
    lease.text_rows(statements.lock, &[]).await?;
    let rows = lease.text_rows(statements.load, &[]).await?;
    Ok((lease, rows))
}

/// Stores the changes, and ends the transaction.
pub(super) async fn apply_changes(
    mut lease: Lease,
    statements: &'static Statements,
    changes: Changes,
) -> Result<(), sqlx::Error> {
    if changes.keys.is_empty() && !changes.is_pepper_changed {
        return end_transaction(lease, "ROLLBACK").await;
    }
    for (sql, values) in &changes.keys {
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        lease.text_rows(sql, &values).await?;
    }
    lease.text_rows(statements.clean_usage, &[]).await?;
    let change_id = format!("{:016x}", RandomState::new().build_hasher().finish());
    lease.text_rows(statements.finish, &[&change_id, &changes.pepper]).await?;
    end_transaction(lease, "COMMIT").await
}

pub(super) async fn add_usage(
    database: &Database,
    statements: &'static Statements,
    added: Vec<AddedUsage>,
) -> Result<(), sqlx::Error> {
    for chunk in added.chunks(USAGES_PER_STATEMENT) {
        let sql = statements.add_usage_of(chunk.len());
        let values: Vec<&str> = chunk.iter().flatten().map(String::as_str).collect();
        let mut attempt = 1;
        while let Err(error) = execute(database, &sql, &values).await {
            if attempt == USAGE_ATTEMPTS || !is_deadlock(&error) {
                return Err(error);
            }
            attempt += 1;
        }
    }
    Ok(())
}

/// Returns `true` if the database has undone the statement, because it waited for another one that waited for it.
fn is_deadlock(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// Parses the version, the fingerprint of the pepper and the time of a state.
pub(super) fn parse_state(row: &TextRow) -> Result<KeyState, ParseError> {
    let text = |index: usize| row.get(index).and_then(Option::as_deref).ok_or(ParseError::State);
    let millis: i64 = text(2)?.parse().map_err(|_| ParseError::State)?;
    let now = Timestamp::from_millisecond(millis).map_err(|_| ParseError::State)?;
    Ok(KeyState::new(KeyVersion::new(text(0)?), Some(now)))
}

impl LoadedKeys {
    pub(super) fn parse(rows: &[TextRow]) -> Result<Self, ParseError> {
        let first = rows.first().ok_or(ParseError::State)?;
        let state = parse_state(first)?;
        let pepper = first.get(1).cloned().flatten();
        let text = |row: &'_ TextRow, index: usize| row.get(index).cloned().flatten();
        let mut keys = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let Some(entry) = text(row, 3) else { continue };
            // The message of serde_json is not shown, because it may quote a part of the entry.
            keys.push(serde_json::from_str(&entry).map_err(|_| ParseError::Entry(index + 1))?);
        }
        let last = rows.last().and_then(|row| text(row, 4)).map_or(Ok(0), |position| position.parse::<i64>());
        let next_position = last.map_err(|_| ParseError::State)?.saturating_add(1);
        Ok(Self { keys: KeySet::new(pepper, keys), state, next_position })
    }

    pub(super) fn changes(
        &self,
        changed: &KeySet,
        statements: &'static Statements,
    ) -> Result<Changes, serde_json::Error> {
        let json = |entry: &Entry| serde_json::to_string(entry);
        let mut before = HashMap::new();
        for entry in &self.keys.keys {
            before.insert(entry.id.as_str(), json(entry)?);
        }
        let mut position = self.next_position;
        let mut keys = Vec::new();
        for entry in &changed.keys {
            let (id, text) = (entry.id.clone(), json(entry)?);
            match before.remove(entry.id.as_str()) {
                Some(known) if known == text => {}
                Some(_) => keys.push((statements.update, vec![text, id])),
                None => {
                    keys.push((statements.insert, vec![id, position.to_string(), text]));
                    position = position.saturating_add(1);
                }
            }
        }
        keys.extend(before.into_keys().map(|id| (statements.delete, vec![id.to_owned()])));
        let is_pepper_changed = self.keys.pepper != changed.pepper;
        Ok(Changes { keys, pepper: changed.pepper.clone().unwrap_or_default(), is_pepper_changed })
    }
}

/// The parameters of the row with the usage of a key: its id, the time of the last use, the begin of the period of its
/// rate limit, and the number of requests to add.
pub(super) type AddedUsage = [String; 4];

/// Returns the differences between two usages, in the order of the ids, so that servers lock rows in the same order.
pub(super) fn added_usage(before: &Usages, now: &Usages) -> Vec<AddedUsage> {
    let changed = now.iter().filter(|(id, usage)| before.get(*id) != Some(usage));
    let rows = changed.map(|(id, usage)| {
        let (since, added) = usage.spent.map_or((0, 0), |UsedRequests { since, requests, .. }| {
            let known = before.get(id).and_then(|usage| usage.spent).filter(|spent| spent.since == since);
            (since.as_second(), i64::from(requests) - known.map_or(0, |spent| i64::from(spent.requests)))
        });
        let used = usage.used.map_or(0, Timestamp::as_second);
        [id.to_string(), used.to_string(), since.to_string(), added.to_string()]
    });
    rows.collect()
}

pub(super) fn parse_usage(row: &TextRow) -> Result<(Box<str>, Usage), ParseError> {
    let text = |index: usize| row.get(index).and_then(Option::as_deref).ok_or(ParseError::Usage);
    let number = |index: usize| text(index)?.parse::<i64>().map_err(|_| ParseError::Usage);
    let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| ParseError::Usage);
    let used = Some(number(1)?).filter(|used| *used > 0).map(time).transpose()?;
    let requests = u32::try_from(number(3)?.max(0)).unwrap_or(u32::MAX);
    let spent = (requests > 0).then(|| Ok(UsedRequests::new(time(number(2)?)?, requests))).transpose()?;
    Ok((text(0)?.into(), Usage::new(used, spent)))
}
