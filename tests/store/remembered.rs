//! Tests that a file whose content is remembered is never read after it has changed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rulebook::Content;
use rulebook::store::Store;

use super::{file_name, publish_file, read_file};

/// A file that has not changed for this time can be remembered.
const SETTLED_TIME: Duration = Duration::from_millis(3_100);

/// Changes of a stored file, each with the content that a reader must get afterwards; `None` if the file does not
/// exist.
type Change = (&'static str, fn(&Store), Option<&'static [u8]>);

fn folder_of(store: &Store) -> &Path {
    store.path().expect("the files are in a folder")
}

const CHANGES: [Change; 6] = [
    ("published", |store| publish_file(store, "published/a.txt", b"two").unwrap(), Some(b"two")),
    ("written", |store| fs::write(folder_of(store).join("written/a.txt"), "two").unwrap(), Some(b"two")),
    ("removed", |store| fs::remove_file(folder_of(store).join("removed/a.txt")).unwrap(), None),
    (
        "moved",
        |store| {
            fs::write(folder_of(store).join("moved/b.txt"), "two").unwrap();
            fs::rename(folder_of(store).join("moved/b.txt"), folder_of(store).join("moved/a.txt")).unwrap();
        },
        Some(b"two"),
    ),
    (
        "linked",
        |store| {
            fs::remove_file(folder_of(store).join("linked/a.txt")).unwrap();
            symlink("../published/a.txt", folder_of(store).join("linked/a.txt")).unwrap();
        },
        None,
    ),
    ("unchanged", |_| {}, Some(b"one")),
];

#[test]
fn a_remembered_file_is_read_again_after_every_kind_of_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let path = |kind: &str| format!("{kind}/a.txt");
    for (kind, ..) in CHANGES {
        publish_file(&store, &path(kind), b"one").unwrap();
    }
    sleep(SETTLED_TIME);
    for (kind, ..) in CHANGES {
        for _ in 0..2 {
            assert_eq!(read_file(&store, &path(kind)).unwrap(), b"one", "{kind}");
        }
        match store.read_nonblocking(&file_name(&path(kind))) {
            Some(read) => assert!(matches!(read.unwrap().content, Content::Bytes(_)), "{kind}"),
            None => support::skip("no file on this system can be opened without waiting for the disk"),
        }
    }
    for (kind, change, expected) in CHANGES {
        change(&store);
        assert_eq!(read_file(&store, &path(kind)).ok().as_deref(), expected, "{kind}");
    }
}

#[test]
fn many_files_are_remembered_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    // Together, these files are longer than what a thread remembers.
    let contents: Vec<_> = (0..100_u8).map(|number| (format!("many/{number}.bin"), vec![number; 60_000])).collect();
    for (name, content) in &contents {
        publish_file(&store, name, content).unwrap();
    }
    sleep(SETTLED_TIME);
    for (name, content) in contents.iter().chain(&contents) {
        assert!(read_file(&store, name).unwrap() == *content, "{name}");
    }
}
