//! API keys in a file, in PostgreSQL and in MariaDB.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rulebook::key::{self, KeyError, KeyFile, KeyStorage, KeyWatcher, Keys, Limit, NewKey, Per};
use rulebook::{Rulebook, Unbound};
use rulebook_sql::SqlKeys;
use rulebook_test::Client;
use tempfile::TempDir;

use crate::databases::{Kind, MARIADB, POSTGRES, TestDatabase, execute, for_each_database};
use crate::waiting::{WAIT, wait_until};

/// The time after which a change of a key is known at every server.
const CHANGE_TIME: Duration = Duration::from_secs(1);

struct KeyServer {
    client: Client,
    keys: Keys,
    _watcher: KeyWatcher,
}

/// Opens the storage of a test. For SQLite, this is the file of keys.
fn open(database: &TestDatabase) -> Arc<dyn KeyStorage> {
    let data = database.folder.path();
    match database.kind {
        Kind::Sqlite => Arc::new(KeyFile::new(data.join("keys.json"))),
        _ => Arc::new(open_database(database, data).unwrap()),
    }
}

fn open_database(database: &TestDatabase, data: &Path) -> Result<SqlKeys, KeyError> {
    write_pepper(data, 7);
    SqlKeys::open(&database.url, data, WAIT)
}

fn id(key: &str) -> &str {
    &key[3..11]
}

/// Writes a pepper, unless there is one.
fn write_pepper(data: &Path, byte: u8) {
    let file = data.join("pepper");
    if !file.exists() {
        fs::write(&file, [byte; 64]).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

fn new_key(name: &str) -> NewKey {
    let mut new = NewKey::new(name);
    new.scope = vec!["reader".to_owned()];
    new
}

fn serve(storage: Arc<dyn KeyStorage>) -> KeyServer {
    let definition = r#"{ "/": { "note": { "GET": { "info": "A note", "scope": [["reader"]] } } } }"#;
    let keys = Keys::open(storage, Some(2)).unwrap();
    let checked = keys.clone();
    let rulebook = Rulebook::read(vec![("note.json".into(), definition.into())])
        .unbound(Unbound::Mock)
        .authenticator(keys.clone());
    let client = Client::new(rulebook.readiness_check("keys", move || std::future::ready(checked.check()))).unwrap();
    KeyServer { client, _watcher: keys.watch().unwrap(), keys }
}

impl KeyServer {
    fn status(&self, key: &str) -> u16 {
        self.client.get("/note").header("Authorization", format!("Bearer {key}")).send().status()
    }

    /// Waits until the response to a request with a key has a status.
    #[track_caller]
    fn wait_for(&self, key: &str, status: u16, limit: Duration) {
        wait_until(limit, || self.status(key) == status);
    }
}

#[test]
fn keys_that_are_added_replaced_and_revoked_are_known_at_three_servers_within_a_second() {
    for_each_database(|database| {
        let admin = open(database);
        let servers = [(); 3].map(|()| serve(open(database)));
        let all = |key: &str, status: u16| {
            let start = Instant::now();
            for server in &servers {
                server.wait_for(key, status, CHANGE_TIME.saturating_sub(start.elapsed()));
            }
        };
        let first = key::add(&*admin, new_key("first")).unwrap();
        all(&first, 200);
        let second = key::add(&*admin, new_key("second")).unwrap();
        all(&second, 200);
        let end = key::now(&*admin).unwrap();
        let new = key::rotate(&*admin, id(&second), end).unwrap();
        all(&new, 200);
        all(&second, 401);
        key::revoke(&*admin, id(&first)).unwrap();
        all(&first, 401);
        all(&new, 200);
        let keys = key::list(&*admin).unwrap();
        let names: Vec<_> = keys.iter().map(|(entry, _)| (entry.id.as_str(), entry.replaced_by.is_some())).collect();
        assert_eq!(names, [(id(&second), true), (id(&new), false)]);
        assert!(matches!(key::revoke(&*admin, id(&first)), Err(KeyError::UnknownId { .. })));
        assert!(matches!(key::rotate(&*admin, id(&second), end), Err(KeyError::Replaced { .. })));
    });
}

#[test]
fn everything_about_a_key_is_stored() {
    for_each_database(|database| {
        let storage = open(database);
        let mut new = new_key("Zoë 🦀 \\ \" '?");
        new.files = vec!["public/**".to_owned()];
        new.limit = Some(Limit { requests: 3, per: Per::Day });
        new.expires = Some("2040-01-31T12:00:00Z".parse().unwrap());
        let key = key::add(&*storage, new.clone()).unwrap();
        let (entry, usage) = key::list(&*open(database)).unwrap().pop().unwrap();
        assert_eq!((entry.id.as_str(), &entry.name, &entry.scope), (id(&key), &new.name, &new.scope));
        assert_eq!((&entry.files, entry.limit, entry.expires), (&new.files, new.limit, new.expires));
        assert_eq!((usage.used, usage.spent), (None, None));
        assert!(!entry.hash.contains(&key[12..]) && entry.hash.len() == 64);
    });
}

#[test]
fn keys_that_are_added_at_the_same_time_are_all_stored() {
    for_each_database(|database| {
        let storages = [(); 4].map(|()| open(database));
        thread::scope(|scope| {
            for storage in &storages {
                scope.spawn(|| (0..8).for_each(|_| drop(key::add(&**storage, new_key("one")).unwrap())));
            }
        });
        assert_eq!(key::list(&*storages[0]).unwrap().len(), 32);
    });
}

#[test]
fn the_usage_of_all_servers_is_merged() {
    for_each_database(|database| {
        // Only one server writes the usage beside a file.
        if database.kind == Kind::Sqlite {
            return;
        }
        let admin = open(database);
        let mut limited = new_key("limited");
        limited.limit = Some(Limit { requests: 100, per: Per::Ever });
        let (limited, other) = (key::add(&*admin, limited).unwrap(), key::add(&*admin, new_key("other")).unwrap());
        let (one, two) = (serve(open(database)), serve(open(database)));
        for server in [&one, &two] {
            (0..5).for_each(|_| assert_eq!(server.status(&limited), 200));
        }
        assert_eq!(two.status(&other), 200);
        drop((one, two));
        let usages: Vec<_> = key::list(&*admin).unwrap().into_iter().map(|(_, usage)| usage).collect();
        assert!(usages.iter().all(|usage| usage.used.is_some()), "{usages:?}");
        assert_eq!(usages[0].spent.map(|spent| spent.requests), Some(10));
        assert_eq!(usages[1].spent, None);
        key::revoke(&*admin, id(&limited)).unwrap();
        assert_eq!(admin.load_usages().unwrap().len(), 1, "the usage of the revoked key is removed");
    });
}

#[test]
fn keys_stay_as_they_were_while_the_database_is_away() {
    for server in [&POSTGRES, &MARIADB] {
        server.with_control(|database, control| {
            let admin = open(database);
            let key = key::add(&*admin, new_key("ada")).unwrap();
            let server = serve(open(database));
            let ready = |status: u16| wait_until(WAIT, || server.client.get("/readyz").send().status() == status);
            ready(200);
            let unknown = key::add(&*admin, new_key("grace")).unwrap();
            key::revoke(&*admin, id(&unknown)).unwrap();
            server.wait_for(&unknown, 401, WAIT);
            control("stop");
            ready(503);
            assert_eq!(server.status(&key), 200);
            assert_eq!(server.status(&unknown), 503, "another server could have added this key");
            let reason = server.keys.check().unwrap_err();
            assert!(!reason.contains("test@") && !reason.contains("root@"), "{reason}");
            let error = key::revoke(&*admin, id(&key)).unwrap_err();
            assert!(matches!(error, KeyError::Storage { .. }), "{error}");
            assert!(SqlKeys::open(&database.url, database.folder.path(), Duration::from_secs(1)).is_err());
            control("start");
            ready(200);
            key::revoke(&*admin, id(&key)).unwrap();
            server.wait_for(&key, 401, CHANGE_TIME);
        });
    }
}

#[test]
fn another_pepper_is_refused() {
    for_each_database(|database| {
        let storage = open(database);
        let key = key::add(&*storage, new_key("ada")).unwrap();
        if database.kind == Kind::Sqlite {
            fs::remove_file(database.folder.path().join("pepper")).unwrap();
            write_pepper(database.folder.path(), 8);
            assert!(matches!(Keys::open(storage, None), Err(KeyError::WrongPepper { .. })));
            return;
        }
        let other = TempDir::new().unwrap();
        write_pepper(other.path(), 8);
        let storage = Arc::new(open_database(database, other.path()).unwrap());
        let error = key::add(&*storage, new_key("grace")).unwrap_err();
        assert!(matches!(error, KeyError::WrongPepper { .. }), "{error}");
        assert!(matches!(Keys::open(storage, None), Err(KeyError::WrongPepper { .. })));
        let none = TempDir::new().unwrap();
        let storage = Arc::new(SqlKeys::open(&database.url, none.path(), WAIT).unwrap());
        assert!(matches!(Keys::open(storage.clone(), None), Err(KeyError::NoPepper { .. })));
        key::revoke(&*storage, id(&key)).unwrap();
        let error = key::add(&*storage, new_key("grace")).unwrap_err();
        assert!(matches!(error, KeyError::PepperRequired { .. }), "no pepper is created: {error}");
        assert!(matches!(Keys::open(storage, None), Err(KeyError::PepperRequired { .. })), "not even without keys");
    });
}

#[test]
fn a_server_with_another_pepper_than_that_of_the_first_key_rejects_no_key_as_unknown() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let other = TempDir::new().unwrap();
        write_pepper(other.path(), 8);
        let server = serve(Arc::new(SqlKeys::open(&database.url, other.path(), WAIT).unwrap()));
        let key = key::add(&*open(database), new_key("ada")).unwrap();
        server.wait_for(&key, 503, WAIT);
        assert!(server.keys.check().unwrap_err().contains("another pepper"));
    });
}

#[test]
fn keys_are_copied_to_a_database_and_back() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let data = database.folder.path();
        write_pepper(data, 7);
        let file = KeyFile::new(data.join("keys.json"));
        let mut limited = new_key("ada");
        limited.limit = Some(Limit { requests: 9, per: Per::Ever });
        let key = key::add(&file, limited).unwrap();
        let server = serve(Arc::new(KeyFile::new(data.join("keys.json"))));
        assert_eq!(server.status(&key), 200);
        drop(server);
        let storage = open(database);
        assert_eq!(key::copy(&file, &*storage).unwrap(), 1);
        assert_eq!(key::copy(&file, &*storage).unwrap(), 0, "the key is there already");
        let (entry, usage) = key::list(&*storage).unwrap().pop().unwrap();
        assert_eq!((entry.name.as_str(), usage.spent.unwrap().requests), ("ada", 1));
        assert_eq!(serve(open(database)).status(&key), 200);
        let back = TempDir::new().unwrap();
        write_pepper(back.path(), 7);
        let copied = KeyFile::new(back.path().join("keys.json"));
        assert_eq!(key::copy(&*storage, &copied).unwrap(), 1);
        assert_eq!(serve(Arc::new(copied)).status(&key), 200);
        let other = TempDir::new().unwrap();
        write_pepper(other.path(), 8);
        let error = key::copy(&*storage, &KeyFile::new(other.path().join("keys.json"))).unwrap_err();
        assert!(matches!(error, KeyError::WrongPepper { .. }), "{error}");
        assert!(!other.path().join("keys.json").exists());
    });
}

#[test]
fn a_row_that_is_not_valid_changes_no_keys() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let admin = open(database);
        let key = key::add(&*admin, new_key("ada")).unwrap();
        let server = serve(open(database));
        execute(&database.url, "INSERT INTO rulebook_keys (id, position, entry) VALUES ('00000000', 9, '{}')");
        execute(&database.url, "UPDATE rulebook_key_state SET version = version + 1");
        wait_until(WAIT, || server.keys.check().is_err());
        assert_eq!(server.status(&key), 200);
        assert!(matches!(key::list(&*admin), Err(KeyError::InvalidStored { number: 2, .. })));
        execute(&database.url, "DELETE FROM rulebook_keys");
        execute(&database.url, "UPDATE rulebook_key_state SET version = version + 1");
        server.wait_for(&key, 401, WAIT);
        assert_eq!(server.keys.check(), Ok(()));
    });
}

#[test]
fn errors_show_no_part_of_the_address_that_may_be_secret() {
    let data = TempDir::new().unwrap();
    for url in [
        "postgres://ada:hunter2@127.0.0.1:1/keys?password=hunter2",
        "mysql://ada:hunter2@127.0.0.1:1/keys",
        "mysql://ada:hunter2@127.0.0.1:hunter2/keys",
        "postgres://ada:user1@hunter2/x@127.0.0.1:1/keys",
        "postgres://ada:1?hunter2@127.0.0.1:1/keys",
        "mysql://ada:Zq3/hunter2@127.0.0.1:1/keys",
        "hunter2://ada@127.0.0.1/keys",
        "sqlite:hunter2.db",
        "hunter2",
    ] {
        let error = SqlKeys::open(url, data.path(), Duration::ZERO).unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
