//! The tables of keys, and the statements on them.
//!
//! All values are sent and received as texts. A `?` is a parameter in both dialects.

use crate::database::Dialect;

pub(super) struct Statements {
    /// Create the tables, unless they exist.
    pub create: &'static [&'static str],
    /// The version, the fingerprint of the pepper, and the time of the database in milliseconds since 1970.
    pub state: &'static str,
    /// The same with each entry and its position, in the order of the positions. Without keys, both are null. A single
    /// statement reads one state of the database.
    pub load: &'static str,
    /// Begins a transaction that reads what other transactions have committed before each statement.
    pub begin: &'static [&'static str],
    /// Waits for other changes of the keys, and locks the keys until the end of the transaction. `load` follows,
    /// because only a later statement sees what the other changes have committed.
    pub lock: &'static str,
    /// Parameters: id, position, entry.
    pub insert: &'static str,
    /// Parameters: entry, id.
    pub update: &'static str,
    /// Parameter: id.
    pub delete: &'static str,
    /// Parameters: a random text, the fingerprint of the pepper. Without the random text, two states could have the
    /// same version after a backup was restored.
    pub finish: &'static str,
    /// Removes the usage of keys that do not exist any more.
    pub clean_usage: &'static str,
    /// The id, time of last use, begin of the period and number of requests of each key.
    pub usage: &'static str,
    /// The beginning of the statement that adds usage. The `usage_row` of each key and `add_usage_end` follow.
    pub add_usage: &'static str,
    /// Parameters: id, time of last use, begin of the period, requests to add.
    pub usage_row: &'static str,
    pub add_usage_end: &'static str,
}

static POSTGRES: Statements = Statements {
    create: &[
        // Without the lock, two servers that create the tables at the same time could fail.
        "SELECT pg_advisory_xact_lock(7821064329)",
        "CREATE TABLE IF NOT EXISTS rulebook_key_state (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL, \
         change_id VARCHAR(32) NOT NULL, pepper VARCHAR(16))",
        "CREATE TABLE IF NOT EXISTS rulebook_keys (id VARCHAR(8) PRIMARY KEY, position BIGINT NOT NULL, \
         entry TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS rulebook_key_usage (id VARCHAR(8) PRIMARY KEY, used BIGINT NOT NULL, \
         since BIGINT NOT NULL, requests BIGINT NOT NULL)",
        "INSERT INTO rulebook_key_state (id, version, change_id) VALUES (1, 0, '') ON CONFLICT DO NOTHING",
    ],
    state: "SELECT version::text || '-' || change_id, pepper, \
            (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint::text FROM rulebook_key_state WHERE id = 1",
    load: "SELECT version::text || '-' || change_id, pepper, \
           (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint::text, k.entry, k.position::text \
           FROM rulebook_key_state s LEFT JOIN rulebook_keys k ON true WHERE s.id = 1 ORDER BY k.position, k.id",
    begin: &["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"],
    lock: "SELECT change_id FROM rulebook_key_state WHERE id = 1 FOR UPDATE",
    insert: "INSERT INTO rulebook_keys (id, position, entry) VALUES (?, ?::text::bigint, ?)",
    update: "UPDATE rulebook_keys SET entry = ? WHERE id = ?",
    delete: "DELETE FROM rulebook_keys WHERE id = ?",
    finish: "UPDATE rulebook_key_state SET version = version + 1, change_id = ?, pepper = NULLIF(?, '') WHERE id = 1",
    clean_usage: "DELETE FROM rulebook_key_usage WHERE id NOT IN (SELECT id FROM rulebook_keys)",
    usage: "SELECT id, used::text, since::text, requests::text FROM rulebook_key_usage",
    add_usage: "INSERT INTO rulebook_key_usage AS u (id, used, since, requests) VALUES ",
    usage_row: "(?, ?::text::bigint, ?::text::bigint, ?::text::bigint)",
    add_usage_end: " ON CONFLICT (id) DO UPDATE SET used = GREATEST(u.used, excluded.used), requests = CASE \
                    WHEN u.since = excluded.since THEN GREATEST(u.requests + excluded.requests, 0) \
                    WHEN u.since < excluded.since THEN excluded.requests ELSE u.requests END, \
                    since = GREATEST(u.since, excluded.since)",
};

static MYSQL: Statements = Statements {
    create: &[
        "CREATE TABLE IF NOT EXISTS rulebook_key_state (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL, \
         change_id VARCHAR(32) NOT NULL, pepper VARCHAR(16)) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS rulebook_keys (id VARCHAR(8) PRIMARY KEY, position BIGINT NOT NULL, \
         entry MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS rulebook_key_usage (id VARCHAR(8) PRIMARY KEY, used BIGINT NOT NULL, \
         since BIGINT NOT NULL, requests BIGINT NOT NULL) ENGINE = InnoDB",
        "INSERT IGNORE INTO rulebook_key_state (id, version, change_id) VALUES (1, 0, '')",
    ],
    state: "SELECT CONCAT(version, '-', change_id), pepper, \
            CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS CHAR) FROM rulebook_key_state WHERE id = 1",
    load: "SELECT CONCAT(version, '-', change_id), pepper, \
           CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS CHAR), k.entry, CAST(k.position AS CHAR) \
           FROM rulebook_key_state s LEFT JOIN rulebook_keys k ON true WHERE s.id = 1 ORDER BY k.position, k.id",
    begin: &["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN"],
    insert: "INSERT INTO rulebook_keys (id, position, entry) VALUES (?, CAST(? AS SIGNED), ?)",
    usage: "SELECT id, CAST(used AS CHAR), CAST(since AS CHAR), CAST(requests AS CHAR) FROM rulebook_key_usage",
    add_usage: "INSERT INTO rulebook_key_usage (id, used, since, requests) VALUES ",
    usage_row: "(?, CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED))",
    // The assignments are made one after the other.
    add_usage_end: " ON DUPLICATE KEY UPDATE used = GREATEST(used, VALUES(used)), requests = CASE \
                    WHEN since = VALUES(since) THEN GREATEST(requests + VALUES(requests), 0) \
                    WHEN since < VALUES(since) THEN VALUES(requests) ELSE requests END, \
                    since = GREATEST(since, VALUES(since))",
    ..POSTGRES
};

impl Statements {
    /// Returns the statements of a dialect; `None` for SQLite, which several servers cannot share.
    pub(super) fn of(dialect: Dialect) -> Option<&'static Self> {
        match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(&POSTGRES),
            Dialect::Mysql => Some(&MYSQL),
        }
    }

    pub(super) fn add_usage_of(&self, keys: usize) -> String {
        format!("{}{}{}", self.add_usage, vec![self.usage_row; keys].join(", "), self.add_usage_end)
    }
}
