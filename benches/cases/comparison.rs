//! What the cases of handlers in the definition compare.

/// A kind of handler in the definition, and the server that rulebook is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// Rows of SQLite, with the hand-written server.
    SqliteByHand,
    /// Rows of PostgreSQL, with the hand-written server.
    PostgresByHand,
    /// Rows of SQLite, with FastAPI and SQLAlchemy.
    SqliteFastapi,
    /// JSON of another server, with the hand-written server.
    HttpByHand,
    /// JSON of another server, with nginx.
    HttpNginx,
    /// A function in Python, with FastAPI.
    ProcessFastapi,
    /// A script in PHP, with nginx.
    PhpNginx,
}
