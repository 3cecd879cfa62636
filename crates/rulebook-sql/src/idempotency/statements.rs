//! The table of idempotency keys, and the statements on it.
//!
//! A record whose time `expires` has passed does not count: its key is free. For a claim, `expires` is the end of the
//! lease; for a response, the end of its lifetime. All values are sent and received as texts. A `?` is a parameter in
//! all dialects.

use crate::database::Dialect;

/// The statements of one dialect. Times are in milliseconds.
pub(super) struct Statements {
    /// Create the table, unless it exists.
    pub create: &'static [&'static str],
    /// Claims a key if it is free. Parameters: id, payload, token, lease. If the key was claimed, returns a row, or
    /// `read` returns the token.
    pub claim: &'static str,
    /// Returns the token, the payload and the response of a key that is not free. Parameter: id.
    pub read: &'static str,
    /// Extends a claim. Parameters: lease, id, token.
    pub renew: &'static str,
    /// Stores a response. Parameters: id, payload, token, lifetime, response.
    pub store: &'static str,
    /// Removes a record. Parameters: id, token.
    pub release: &'static str,
    /// Removes expired records.
    pub clean: &'static str,
    /// Returns the number of records.
    pub count: &'static str,
}

impl Statements {
    pub(super) fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
            Dialect::Mysql => &MYSQL,
        }
    }
}

const RELEASE: &str = "DELETE FROM rulebook_idempotency WHERE id = ? AND token = ?";

/// The current time of PostgreSQL. It is evaluated after the statement has waited for the lock of a row.
macro_rules! postgres_now {
    () => {
        "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint"
    };
}

static POSTGRES: Statements = Statements {
    create: &[
        // Without the lock, two servers that create the table at the same time could fail.
        "SELECT pg_advisory_xact_lock(7821064330)",
        "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id VARCHAR(64) PRIMARY KEY, payload VARCHAR(64) NOT NULL, \
         token VARCHAR(32) NOT NULL, expires BIGINT NOT NULL, response TEXT)",
        "CREATE INDEX IF NOT EXISTS rulebook_idempotency_expires ON rulebook_idempotency (expires)",
    ],
    claim: concat!(
        "INSERT INTO rulebook_idempotency AS r (id, payload, token, expires) VALUES (?, ?, ?, ",
        postgres_now!(),
        " + ?::text::bigint) ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, token = excluded.token, \
         expires = excluded.expires, response = NULL WHERE r.expires <= ",
        postgres_now!(),
        " RETURNING token"
    ),
    read: concat!(
        "SELECT token, payload, response FROM rulebook_idempotency WHERE id = ? AND expires > ",
        postgres_now!()
    ),
    renew: concat!(
        "UPDATE rulebook_idempotency SET expires = ",
        postgres_now!(),
        " + ?::text::bigint WHERE id = ? AND token = ? AND response IS NULL"
    ),
    store: concat!(
        "INSERT INTO rulebook_idempotency AS r (id, payload, token, expires, response) VALUES (?, ?, ?, ",
        postgres_now!(),
        " + ?::text::bigint, ?) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, \
         response = excluded.response WHERE r.token = excluded.token"
    ),
    release: RELEASE,
    clean: concat!("DELETE FROM rulebook_idempotency WHERE expires <= ", postgres_now!()),
    count: "SELECT COUNT(*)::text FROM rulebook_idempotency",
};

macro_rules! sqlite_now {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}

static SQLITE: Statements = Statements {
    create: &[
        "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id TEXT PRIMARY KEY, payload TEXT NOT NULL, \
         token TEXT NOT NULL, expires INTEGER NOT NULL, response TEXT) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS rulebook_idempotency_expires ON rulebook_idempotency (expires)",
    ],
    claim: concat!(
        "INSERT INTO rulebook_idempotency AS r (id, payload, token, expires) VALUES (?, ?, ?, ",
        sqlite_now!(),
        " + CAST(? AS INTEGER)) ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, token = excluded.token, \
         expires = excluded.expires, response = NULL WHERE r.expires <= ",
        sqlite_now!(),
        " RETURNING token"
    ),
    read: concat!(
        "SELECT token, payload, response FROM rulebook_idempotency WHERE id = ? AND expires > ",
        sqlite_now!()
    ),
    renew: concat!(
        "UPDATE rulebook_idempotency SET expires = ",
        sqlite_now!(),
        " + CAST(? AS INTEGER) WHERE id = ? AND token = ? AND response IS NULL"
    ),
    store: concat!(
        "INSERT INTO rulebook_idempotency AS r (id, payload, token, expires, response) VALUES (?, ?, ?, ",
        sqlite_now!(),
        " + CAST(? AS INTEGER), ?) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, \
         response = excluded.response WHERE r.token = excluded.token"
    ),
    release: RELEASE,
    clean: concat!("DELETE FROM rulebook_idempotency WHERE expires <= ", sqlite_now!()),
    count: "SELECT CAST(COUNT(*) AS TEXT) FROM rulebook_idempotency",
};

macro_rules! mysql_now {
    () => {
        "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
    };
}

/// MySQL assigns the columns from left to right, and later assignments see the new values: the token, which is
/// different for each claim, shows whether the key was free.
static MYSQL: Statements = Statements {
    create: &["CREATE TABLE IF NOT EXISTS rulebook_idempotency (id CHAR(64) CHARACTER SET ascii PRIMARY KEY, \
         payload CHAR(64) CHARACTER SET ascii NOT NULL, token CHAR(32) CHARACTER SET ascii NOT NULL, \
         expires BIGINT NOT NULL, response LONGTEXT CHARACTER SET ascii, \
         INDEX rulebook_idempotency_expires (expires)) ENGINE = InnoDB"],
    claim: concat!(
        "INSERT INTO rulebook_idempotency (id, payload, token, expires) VALUES (?, ?, ?, ",
        mysql_now!(),
        " + CAST(? AS SIGNED)) ON DUPLICATE KEY UPDATE token = IF(expires <= ",
        mysql_now!(),
        ", VALUES(token), token), payload = IF(token = VALUES(token), VALUES(payload), payload), \
         response = IF(token = VALUES(token), NULL, response), \
         expires = IF(token = VALUES(token), VALUES(expires), expires)"
    ),
    read: concat!(
        "SELECT token, payload, response FROM rulebook_idempotency WHERE id = ? AND expires > ",
        mysql_now!()
    ),
    renew: concat!(
        "UPDATE rulebook_idempotency SET expires = ",
        mysql_now!(),
        " + CAST(? AS SIGNED) WHERE id = ? AND token = ? AND response IS NULL"
    ),
    store: concat!(
        "INSERT INTO rulebook_idempotency (id, payload, token, expires, response) VALUES (?, ?, ?, ",
        mysql_now!(),
        " + CAST(? AS SIGNED), ?) ON DUPLICATE KEY UPDATE \
         response = IF(token = VALUES(token), VALUES(response), response), \
         expires = IF(token = VALUES(token), VALUES(expires), expires)"
    ),
    release: RELEASE,
    clean: concat!("DELETE FROM rulebook_idempotency WHERE expires <= ", mysql_now!(), " LIMIT 1000"),
    count: "SELECT CAST(COUNT(*) AS CHAR) FROM rulebook_idempotency",
};
