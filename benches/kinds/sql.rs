//! The kind of handler `sql`: reads notes from a table by their keys.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::{FileSize, LargeDownload, OtherServers, id_parameter, postgres, python, write_definition};
use crate::cases::Comparison;
use crate::drive::{Server, ServerKind};

/// The number of notes in the table.
pub const NOTE_COUNT: u64 = 1_000_000;

/// The download of all notes as CSV. Its first line contains the names of the columns.
pub const ALL_NOTES: LargeDownload = LargeDownload {
    comparison: Comparison::SqliteByHand,
    target: "/notes",
    title: "`sql`: a download of 1,000,000 rows",
    size: FileSize::Lines(NOTE_COUNT + 1),
};

/// The table of the notes.
pub const CREATE_TABLE: &str =
    "CREATE TABLE note (note_id integer PRIMARY KEY, title text NOT NULL, text text NOT NULL, author text NOT NULL)";

/// Begins a statement that fills the table: a query follows that returns the numbers of the notes as `n`.
pub const INSERT: &str = "INSERT INTO note SELECT n, 'Note ' || n, \
                          'The text of note ' || n || ', which is a sentence.', 'author-' || (n % 100) FROM";

/// Compares reads from SQLite with the hand-written server.
pub fn start_sqlite_by_hand(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let url = create_sqlite(folder)?;
    define(folder, &url)?;
    start_by_hand(&url)
}

/// Compares reads from PostgreSQL with the hand-written server.
pub fn start_postgres_by_hand(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let cluster = postgres::start(&folder.join("postgres"))?;
    define(folder, &cluster.url)?;
    let servers = start_by_hand(&cluster.url)?;
    Ok(OtherServers { shared: Some(cluster.process), ..servers })
}

/// Compares reads from SQLite with FastAPI.
pub fn start_fastapi(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let url = create_sqlite(folder)?;
    define(folder, &url)?;
    let url = url.replacen("sqlite:", "sqlite:///", 1);
    let compared = python::start_uvicorn("fastapi_notes", &[("DATABASE_URL", url.as_str())])?;
    Ok(OtherServers { compared, shared: None })
}

fn start_by_hand(url: &str) -> Result<OtherServers, Box<dyn Error>> {
    let compared = Server::start(ServerKind::Hand, &["--notes", url].map(OsString::from))?;
    Ok(OtherServers { compared, shared: None })
}

/// Creates the database, and returns its URL.
fn create_sqlite(folder: &Path) -> Result<String, Box<dyn Error>> {
    let path = folder.join("notes.db");
    let connection = rusqlite::Connection::open(&path)?;
    let numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <";
    // The file need not survive a crash while it is created.
    connection.execute_batch(&format!(
        "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; {CREATE_TABLE};
         {numbers} {NOTE_COUNT}) {INSERT} numbers; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE"
    ))?;
    Ok(format!("sqlite:{}", path.display()))
}

fn define(folder: &Path, url: &str) -> Result<(), Box<dyn Error>> {
    const COLUMNS: &str = "SELECT note_id, title, text, author FROM note";
    let text = |info: &str| json!({ "info": info, "type": "string" });
    let services = json!({
        "note/{note_id}": { "GET": {
            "info": "Returns a note",
            "in": { "{note_id}": id_parameter("The number of the note") },
            "out": {
                "note_id": id_parameter("The number of the note"),
                "title": text("The title"),
                "text": text("The text"),
                "author": text("The name of the author"),
            },
            "errors": { "no_note": { "status": 404, "info": "there is no such note" } },
            "handler": { "sql": format!("{COLUMNS} WHERE note_id = :note_id"), "rows": "one", "missing": "no_note" },
        } },
        "notes": { "GET": {
            "info": "Downloads all notes",
            "options": { "download": true },
            "handler": { "sql": COLUMNS, "format": "csv" },
        } },
    });
    fs::create_dir_all(folder)?;
    write_definition(folder, &json!({ "sql": { "url": url } }), &services)?;
    Ok(())
}
