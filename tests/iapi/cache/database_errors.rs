//! Tests errors of the database from which caches are written: missing and damaged databases, lost connections, and
//! values over the limit.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::thread;

use rulebook_iapi::Database;
use tokio::net::TcpSocket;

use super::databases::{DatabaseKind, TestDatabase};
use super::{CacheServer, caches_of_database};

const CREATE_TABLE: &str = "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TEXT)";

#[test]
fn a_missing_database_file_is_an_error_and_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing.db");
    let database = Database::Sqlite(file.clone());
    let server = CacheServer::with_program("t.v", |rulebook| rulebook.state(caches_of_database(&database)));
    server.assert_error(&server.request_caches(&["1"], &["1"]), 503, "no_database");
    assert!(!file.exists());
}

#[test]
fn a_file_that_is_not_a_database_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file:it?mode=memory");
    fs::write(&file, "This is not a database. ".repeat(100)).unwrap();
    let server =
        CacheServer::with_program("t.v", |rulebook| rulebook.state(caches_of_database(&Database::Sqlite(file))));
    server.assert_error(&server.request_caches(&["1"], &["1"]), 503, "no_database");
}

#[test]
fn an_unreachable_database_server_is_reported_without_its_password() {
    // A socket that is bound, but does not listen, refuses connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refusing = socket.local_addr().unwrap();
    let databases = [
        Database::Postgres(format!("postgres://test:secret@{refusing}/none")),
        Database::Postgres("postgres://te st:secret@".to_owned()),
        Database::Mysql(format!("mysql://test:secret@{refusing}/none")),
        Database::Mysql("mariadb://test:secret@host:port".to_owned()),
    ];
    for database in databases {
        let server = CacheServer::with_program("t.v", |rulebook| rulebook.state(caches_of_database(&database)));
        let response = server.request_caches(&["1"], &["1"]);
        server.assert_error(&response, 503, "no_database");
        assert!(!String::from_utf8_lossy(&response.body).contains("secret"), "{response:?}");
    }
}

#[test]
fn the_debug_output_of_a_database_contains_no_password() {
    assert_eq!(format!("{:?}", Database::Postgres("postgres://a:secret@b/c".to_owned())), "Postgres(..)");
    assert_eq!(format!("{:?}", Database::Mysql("mysql://a:secret@b/c".to_owned())), "Mysql(..)");
}

#[test]
fn a_database_file_that_is_damaged_within_a_value_is_reported() {
    let database = TestDatabase::sqlite();
    let rows = "INSERT INTO t VALUES ('small', 'x'), ('large', hex(zeroblob(4000000)))";
    let server = CacheServer::new(&database, &[CREATE_TABLE, rows], "t.v");
    let file = fs::OpenOptions::new().write(true).open(database.file()).unwrap();
    let half = file.metadata().unwrap().len() / 2;
    file.write_all_at(&[0xff; 64 << 10], half).unwrap();
    server.assert_error(&server.request_caches(&["small", "large"], &["a", "b"]), 503, "no_database");
    assert_eq!(server.cached_value("small"), b"x", "the others can still be read");
}

/// Starts a proxy in front of a database server. The proxy closes each connection after the server has sent this number
/// of bytes. Returns the database at the address of the proxy; `None` if the server is not reached through a Unix
/// socket.
fn start_cutting_proxy(database: &TestDatabase, max_bytes: u64) -> Option<Database> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (database, socket) = match &database.location {
        Database::Postgres(url) => {
            let (url, folder) = url.split_once("?host=")?;
            let (before, name) = url.rsplit_once('/')?;
            let (user, host) = before.rsplit_once('@')?;
            let port = host.split_once(':').map_or("5432", |(_, port)| port);
            (Database::Postgres(format!("{user}@{address}/{name}")), format!("{folder}/.s.PGSQL.{port}"))
        }
        Database::Mysql(url) => {
            let (url, socket) = url.split_once("?socket=")?;
            (Database::Mysql(url.replace("localhost", &address)), socket.to_owned())
        }
        _ => return None,
    };
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), UnixStream::connect(&socket).unwrap());
            forward_connection(client, server, max_bytes);
        }
    });
    Some(database)
}

fn forward_connection(client: TcpStream, server: UnixStream, max_bytes: u64) {
    let (mut to_client, mut from_client) = (client.try_clone().unwrap(), client);
    let (mut to_server, from_server) = (server.try_clone().unwrap(), server);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
    });
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_server.take(max_bytes), &mut to_client);
        let _ = to_client.flush();
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_database_connection_that_is_lost_within_a_value_is_reported() {
    let rows = "INSERT INTO t VALUES ('small', 'x'), ('large', REPEAT('0123456789', 800000))";
    for database in [DatabaseKind::Postgres, DatabaseKind::Mariadb].into_iter().filter_map(TestDatabase::new) {
        let table = match database.kind {
            DatabaseKind::Mariadb => "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v LONGTEXT)",
            _ => CREATE_TABLE,
        };
        let whole = CacheServer::new(&database, &[table, rows], "t.v");
        for (max_bytes, status) in [(0, 503), (1_000, 503), (3_000_000, 503), (u64::MAX, 200)] {
            let proxy = start_cutting_proxy(&database, max_bytes).unwrap();
            let server = CacheServer::with_program("t.v", |rulebook| rulebook.state(caches_of_database(&proxy)));
            let response = server.request_caches(&["small", "large"], &["a", "b"]);
            if status == 200 {
                assert_eq!(response.status, 200, "{response:?}");
            } else {
                server.assert_error(&response, status, "no_database");
            }
        }
        assert_eq!(whole.cached_value("large").len(), 8_000_000);
    }
}

#[test]
fn caches_over_the_limit_on_their_total_size_are_refused() {
    TestDatabase::for_each(|database| {
        let rows = "INSERT INTO t VALUES ('a', '12345'), ('b', '678'), ('c', '90')";
        let without_limit = CacheServer::new(database, &[CREATE_TABLE, rows], "t.v");
        let server = CacheServer::with_program("t.v", |rulebook| {
            rulebook.state(caches_of_database(&database.location).max_bytes(8))
        });
        let response = server.request_caches(&["a", "b", "c"], &["a", "b", "c"]);
        server.assert_error(&response, 422, "cache_too_large");
        assert_eq!(response.json()["most"], 8);
        assert_eq!(server.request_caches(&["a", "b"], &["a", "b"]).status, 200, "together");
        assert_eq!(without_limit.request_caches(&["a", "b", "c"], &["a", "b", "c"]).status, 200);
    });
}

#[test]
fn a_program_without_caches_responds_with_an_internal_error() {
    let server = CacheServer::with_program("t.v", |rulebook| rulebook);
    server.assert_error(&server.request_caches(&["1"], &["1"]), 500, "internal");
    let server =
        CacheServer::with_program("t", |rulebook| rulebook.state(caches_of_database(&Database::Sqlite("none".into()))));
    server.assert_error(&server.request_caches(&["1"], &["1"]), 500, "internal");
}
