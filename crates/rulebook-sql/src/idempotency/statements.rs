//! The table of idempotency keys, and the statements on it.
//!
//! A record whose time `expires` has passed does not count: its key is free. For a claim, `expires` is the end of the
//! lease; for a response, the end of its lifetime. Times are in milliseconds. All values are sent and received as
//! texts. A `?` is a parameter in all dialects.

use crate::database::Dialect;

pub(super) struct Statements {
    /// Create the table, unless it exists.
    pub create: &'static [&'static str],
    /// Claims a key if it is free. Parameters: id, payload, token, lease. If the key was claimed, returns a row, or
    /// `read` returns the token.
    pub claim: String,
    /// Returns the token, the payload and the response of a key that is not free. Parameter: id.
    pub read: String,
    /// Extends a claim. Parameters: lease, id, token.
    pub renew: String,
    /// Stores a response. Parameters: id, payload, token, lifetime, response.
    pub store: String,
    /// Removes a record. Parameters: id, token.
    pub release: &'static str,
    /// Returns a row if `remove_expired` would remove a record.
    pub find_expired: String,
    /// Returns the number of records that have not expired.
    pub count: String,
    dialect: Dialect,
}

impl Statements {
    pub(super) fn new(dialect: Dialect) -> Self {
        let DialectSql { now, statement_start, skip_locked, duration_parameter, text_type } = DialectSql::of(dialect);
        let (alias, on_claim, on_store) = match dialect {
            Dialect::Sqlite | Dialect::Postgres => (
                " AS r",
                format!(
                    "ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, token = excluded.token, \
                     expires = excluded.expires, response = NULL WHERE r.expires <= {now} RETURNING token"
                ),
                "ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, response = excluded.response \
                 WHERE r.token = excluded.token",
            ),
            // MySQL assigns the columns from left to right, and later assignments see the new values: the token, which
            // is different for each claim, shows whether the key was free.
            Dialect::Mysql => (
                "",
                format!(
                    "ON DUPLICATE KEY UPDATE token = IF(expires <= {now}, VALUES(token), token), \
                     payload = IF(token = VALUES(token), VALUES(payload), payload), \
                     response = IF(token = VALUES(token), NULL, response), \
                     expires = IF(token = VALUES(token), VALUES(expires), expires)"
                ),
                "ON DUPLICATE KEY UPDATE response = IF(token = VALUES(token), VALUES(response), response), \
                 expires = IF(token = VALUES(token), VALUES(expires), expires)",
            ),
        };
        let insert = format!(
            "INSERT INTO rulebook_idempotency{alias} (id, payload, token, expires, response) \
             VALUES (?, ?, ?, {now} + {duration_parameter}, "
        );
        Self {
            create: create(dialect),
            claim: format!("{insert}NULL) {on_claim}"),
            read: format!("SELECT token, payload, response FROM rulebook_idempotency WHERE id = ? AND expires > {now}"),
            renew: format!(
                "UPDATE rulebook_idempotency SET expires = {now} + {duration_parameter} \
                 WHERE id = ? AND token = ? AND response IS NULL"
            ),
            store: format!("{insert}?) {on_store}"),
            release: "DELETE FROM rulebook_idempotency WHERE id = ? AND token = ?",
            find_expired: format!(
                "SELECT id FROM rulebook_idempotency WHERE expires <= {statement_start} \
                 ORDER BY expires LIMIT 1{skip_locked}"
            ),
            count: format!(
                "SELECT CAST(COUNT(*) AS {text_type}) FROM rulebook_idempotency WHERE expires > {statement_start}"
            ),
            dialect,
        }
    }

    /// Returns the statement that removes expired records, at most `limit`: many records at once would be locked for a
    /// long time. With the order, the database searches the index. Otherwise PostgreSQL may read the whole table, and
    /// MySQL lock it.
    pub(super) fn remove_expired(&self, limit: u32) -> String {
        let DialectSql { statement_start, skip_locked, .. } = DialectSql::of(self.dialect);
        let delete = format!("DELETE FROM rulebook_idempotency WHERE expires <= {statement_start}");
        let first = format!("ORDER BY expires LIMIT {limit}{skip_locked}");
        let batch = format!("SELECT id FROM rulebook_idempotency WHERE expires <= {statement_start} {first}");
        match self.dialect {
            Dialect::Sqlite => format!("{delete} AND id IN ({batch})"),
            // The array is made once. With `IN`, PostgreSQL may execute the selection more than once.
            Dialect::Postgres => format!("{delete} AND id = ANY (ARRAY({batch}))"),
            Dialect::Mysql => format!("{delete} {first}"),
        }
    }
}

/// The parts of statements that differ between the dialects.
struct DialectSql {
    /// The current time of the database.
    now: &'static str,
    /// The time at which the statement has started. The database finds records by this time in the index.
    statement_start: &'static str,
    /// The end of a selection that ignores records that another transaction has locked.
    skip_locked: &'static str,
    /// A parameter that is a period of time.
    duration_parameter: &'static str,
    text_type: &'static str,
}

const SQLITE_NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const MYSQL_NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

impl DialectSql {
    fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => Self {
                now: SQLITE_NOW,
                statement_start: SQLITE_NOW,
                skip_locked: "",
                duration_parameter: "CAST(? AS INTEGER)",
                text_type: "TEXT",
            },
            Dialect::Postgres => Self {
                // This time is read after the statement has waited for the lock of a record.
                now: "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
                statement_start: "(EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::bigint",
                skip_locked: " FOR UPDATE SKIP LOCKED",
                duration_parameter: "?::text::bigint",
                text_type: "TEXT",
            },
            Dialect::Mysql => Self {
                now: MYSQL_NOW,
                statement_start: MYSQL_NOW,
                // MySQL reads without waiting for locks.
                skip_locked: "",
                duration_parameter: "CAST(? AS SIGNED)",
                text_type: "CHAR",
            },
        }
    }
}

fn create(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Sqlite => &[
            "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id TEXT PRIMARY KEY, payload TEXT NOT NULL, \
             token TEXT NOT NULL, expires INTEGER NOT NULL, response TEXT) WITHOUT ROWID",
            CREATE_INDEX,
        ],
        Dialect::Postgres => &[
            // Without the lock, two servers that create the table at the same time could fail.
            "SELECT pg_advisory_xact_lock(7821064330)",
            "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id VARCHAR(64) PRIMARY KEY, payload VARCHAR(64) NOT NULL, \
             token VARCHAR(32) NOT NULL, expires BIGINT NOT NULL, response TEXT)",
            CREATE_INDEX,
        ],
        Dialect::Mysql => &["CREATE TABLE IF NOT EXISTS rulebook_idempotency \
             (id CHAR(64) CHARACTER SET ascii PRIMARY KEY, payload CHAR(64) CHARACTER SET ascii NOT NULL, \
             token CHAR(32) CHARACTER SET ascii NOT NULL, expires BIGINT NOT NULL, \
             response LONGTEXT CHARACTER SET ascii, INDEX rulebook_idempotency_expires (expires)) ENGINE = InnoDB"],
    }
}

const CREATE_INDEX: &str = "CREATE INDEX IF NOT EXISTS rulebook_idempotency_expires ON rulebook_idempotency (expires)";
