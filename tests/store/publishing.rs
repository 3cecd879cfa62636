//! Tests of publishing files in a store. A call publishes either all of its files or none, and can have a precondition.

use std::fs;
use std::io::Write;

use http::{HeaderValue, Method, Uri, header};
use rulebook::store::{Precondition, Store, StoreError};
use rulebook::{Download, ETag, Head};

use super::{file_name, new_publication, publish_file, read_file, stage_file, staged_files, tree};

#[test]
fn a_published_file_has_its_content_and_an_entity_tag_of_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.writer(100).unwrap();
    writer.write(b"\x89PNG\r\n").unwrap();
    writer.write(b"\x1a\n and more").unwrap();
    assert_eq!(writer.length(), 17);
    let staged = writer.finish().unwrap();
    let hash = blake3::hash(b"\x89PNG\r\n\x1a\n and more").to_hex().to_string();
    assert_eq!((staged.media_type(), staged.hash()), ("image/png", hash.clone()));
    let info = store.publish(staged, &file_name("public/封面.png"), &Precondition::default()).unwrap();
    assert_eq!(info, store.info(&file_name("public/封面.png")).unwrap());
    assert_eq!((info.length, info.accepts_ranges), (Some(17), true));
    assert!(info.modified.is_some());
    assert_eq!(info.etag, Some(ETag::strong(hash)), "the tests need a file system with extended attributes");
    assert_eq!(read_file(&store, "public/封面.png").unwrap(), b"\x89PNG\r\n\x1a\n and more");
    let _: Download = store.read(&file_name("public/封面.png")).unwrap().into();
    drop(store);
    let again = Store::open(folder.path()).unwrap();
    assert_eq!(again.info(&file_name("public/封面.png")).unwrap(), info, "the tag is stored with the file");
}

#[test]
fn a_file_that_is_modified_in_place_gets_another_entity_tag() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"one").unwrap();
    let before = store.info(&file_name("a")).unwrap().etag.unwrap();
    let path = folder.path().join("a");
    let modified = || fs::metadata(&path).unwrap().modified().unwrap();
    let published = modified();
    // The file system may store times less precisely than the clock measures them, so that writing is repeated.
    while modified() == published {
        fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"two").unwrap();
    }
    let after = store.info(&file_name("a")).unwrap().etag.unwrap();
    assert!(!after.weak_eq(&before), "{after}");
    // A file that another program has written also has an entity tag.
    fs::write(folder.path().join("b"), "three").unwrap();
    assert!(store.info(&file_name("b")).unwrap().etag.is_some());
}

/// A file system without extended attributes stores no hash, and another program may have stored an invalid hash.
#[test]
fn a_file_without_a_valid_hash_has_another_entity_tag() {
    let attribute = "user.rulebook.blake3";
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"one").unwrap();
    let file = fs::File::open(folder.path().join("a")).unwrap();
    let mut stored = [0; 200];
    let length = rustix::fs::fgetxattr(&file, attribute, &mut stored[..]).unwrap();
    let stored = String::from_utf8(stored[..length].to_vec()).unwrap();
    let hash = blake3::hash(b"one").to_hex().to_string();
    assert!(stored.starts_with(&hash), "{stored}");
    for other in [None, Some(""), Some("x"), Some(&hash), Some(&stored[1..]), Some(&stored.replace(&hash, "\"\r\n"))] {
        match other {
            Some(text) => {
                rustix::fs::fsetxattr(&file, attribute, text.as_bytes(), rustix::fs::XattrFlags::empty()).unwrap();
            }
            None => rustix::fs::fremovexattr(&file, attribute).unwrap(),
        }
        let tag = store.info(&file_name("a")).unwrap().etag.unwrap();
        assert!(!tag.weak_eq(&ETag::strong(&hash)), "{other:?}: {tag}");
    }
}

#[test]
fn a_file_that_is_not_published_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.writer(10).unwrap();
    writer.write(b"0123456789").unwrap();
    assert!(matches!(writer.write(b"x"), Err(StoreError::TooLarge(10))));
    assert_eq!(staged_files(folder.path()).len(), 1);
    drop(writer);
    drop(stage_file(&store, b"x"));
    assert_eq!(staged_files(folder.path()), [""; 0]);
    assert!(tree(folder.path()).is_empty());
    drop(store);
    let left: Vec<_> =
        fs::read_dir(folder.path().join(".staging")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["turn"], "a closed store has removed its staging folder");
}

#[test]
fn an_empty_file_can_be_published() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let staged = store.writer(0).unwrap().finish().unwrap();
    assert_eq!(staged.info().length, Some(0));
    store.publish(staged, &file_name("empty"), &Precondition::default()).unwrap();
    assert_eq!(read_file(&store, "empty").unwrap(), b"");
}

#[test]
fn preconditions_decide_whether_a_file_is_replaced() {
    let tag = |content: &[u8]| ETag::strong(blake3::hash(content).to_hex());
    let head = |field: header::HeaderName, value: &str| {
        let mut head = Head::new(Method::PUT, Uri::from_static("/"));
        head.headers.push((field, HeaderValue::from_str(value).unwrap()));
        Precondition::from_head(&head)
    };
    let strong = tag(b"one").to_string();
    let weak = format!("W/{strong}");
    let list = format!("\"x\", {strong}");
    for (precondition, absent, there) in [
        (Precondition::default(), true, true),
        (Precondition::absent(), true, false),
        (Precondition::if_match(tag(b"one")), false, true),
        (Precondition::if_match(tag(b"other")), false, false),
        (head(header::IF_NONE_MATCH, "*"), true, false),
        (head(header::IF_NONE_MATCH, &strong), true, false),
        (head(header::IF_NONE_MATCH, &weak), true, false),
        (head(header::IF_NONE_MATCH, "\"x\""), true, true),
        (head(header::IF_MATCH, "*"), false, true),
        (head(header::IF_MATCH, &list), false, true),
        (head(header::IF_MATCH, &weak), false, false),
        (head(header::IF_MATCH, "nonsense"), false, false),
        (head(header::IF_NONE_MATCH, "nonsense"), false, false),
        (head(header::IF_NONE_MATCH, "\"x\", y"), false, false),
        (head(header::IF_NONE_MATCH, "*, \"x\""), false, false),
        (head(header::IF_UNMODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"), true, false),
        (head(header::IF_UNMODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT"), true, true),
        (head(header::ACCEPT, "*/*"), true, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (before, passes) in [(None, absent), (Some(b"one"), there)] {
            if let Some(content) = before {
                publish_file(&store, "d/a", content).unwrap();
            }
            let done = store.publish(stage_file(&store, b"two"), &file_name("d/a"), &precondition);
            match done {
                Ok(_) => assert!(passes, "{precondition:?} {before:?}"),
                Err(StoreError::PreconditionFailed(name)) => {
                    assert!(!passes && name.as_str() == "d/a", "{precondition:?}");
                }
                Err(error) => panic!("{precondition:?}: {error}"),
            }
            match (passes, before) {
                (true, _) => assert_eq!(read_file(&store, "d/a").unwrap(), b"two"),
                (false, Some(content)) => assert_eq!(read_file(&store, "d/a").unwrap(), content),
                (false, None) => assert!(tree(folder.path()).is_empty(), "the folder was not created either"),
            }
            let _ = fs::remove_dir_all(folder.path().join("d"));
        }
        assert_eq!(staged_files(folder.path()), [""; 0]);
    }
}

#[test]
fn only_one_of_several_concurrent_calls_creates_a_file_that_must_be_absent() {
    let folder = tempfile::tempdir().unwrap();
    // The two stores behave like two programs. Several threads use each of them.
    let stores = [Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap()];
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number: usize| {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    let staged = stage_file(store, number.to_string().as_bytes());
                    store.publish(staged, &file_name("a/b"), &Precondition::absent()).is_ok().then_some(number)
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(read_file(&stores[0], "a/b").unwrap(), made[0].to_string().as_bytes());
}

#[test]
fn several_files_are_published_in_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"old").unwrap();
    let files = ["a", "b", "c/d", "c/e/f"].map(|name| new_publication(&store, name, name.as_bytes()));
    let info = store.publish_all(files.into()).unwrap();
    for (name, info) in ["a", "b", "c/d", "c/e/f"].iter().zip(info) {
        assert_eq!(read_file(&store, name).unwrap(), name.as_bytes());
        assert_eq!(store.info(&super::file_name(name)).unwrap(), info);
    }
    assert_eq!(staged_files(folder.path()), [""; 0]);
    assert_eq!(store.publish_all(Vec::new()).unwrap(), []);
}

/// Only the last file of the call has an error, so that the other files could have been published.
#[test]
fn an_error_in_the_last_file_of_a_call_publishes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"old").unwrap();
    publish_file(&store, "folder/x", b"x").unwrap();
    let before = tree(folder.path());
    for last in ["a", "b", "folder", "a/b", "new", "c"] {
        let mut files = Vec::from(["a", "b", "new/n/c"].map(|name| new_publication(&store, name, b"new")));
        let mut file = new_publication(&store, last, b"new");
        file.precondition =
            if last == "c" { Precondition::if_match(ETag::strong("x")) } else { Precondition::default() };
        files.push(file);
        let error = store.publish_all(files).unwrap_err();
        let expected = match (last, &error) {
            ("a" | "b", StoreError::DuplicateName(name))
            | ("folder" | "a/b" | "new", StoreError::NameTaken(name))
            | ("c", StoreError::PreconditionFailed(name)) => name.as_str() == last,
            _ => false,
        };
        assert!(expected, "{last}: {error:?}");
        assert_eq!(tree(folder.path()), before, "{last}");
        assert_eq!(staged_files(folder.path()), [""; 0], "{last}");
    }
}

#[test]
fn publishing_fails_if_a_staged_file_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"old").unwrap();
    let before = tree(folder.path());
    for names in [&["a"][..], &["new"], &["b", "a"], &["a", "new"], &["a", "b", "new/c"]] {
        let files: Vec<_> = names.iter().map(|name| new_publication(&store, name, b"new")).collect();
        let last = staged_files(folder.path()).into_iter().max_by_key(|name| name.parse::<u32>().unwrap()).unwrap();
        for program in fs::read_dir(folder.path().join(".staging")).unwrap() {
            let _ = fs::remove_file(program.unwrap().path().join(&last));
        }
        let error = store.publish_all(files).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{names:?}: {error:?}");
        assert_eq!(tree(folder.path()), before, "{names:?}");
        assert_eq!(staged_files(folder.path()), [""; 0], "{names:?}");
    }
}

/// The file `c` and the file `c/d` cannot both exist. The store notices this only after it has renamed `a`, `b` and
/// `c`.
#[test]
fn renamed_files_are_renamed_back_after_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a", b"old").unwrap();
    let before = tree(folder.path());
    let files = ["a", "b", "c", "c/d"].map(|name| new_publication(&store, name, b"new"));
    let error = store.publish_all(files.into()).unwrap_err();
    assert!(matches!(&error, StoreError::NameTaken(name) if name.as_str() == "c"), "{error:?}");
    assert_eq!(tree(folder.path()), before);
    assert_eq!(staged_files(folder.path()), [""; 0]);
    publish_file(&store, "a", b"newer").unwrap();
    assert_eq!(read_file(&store, "a").unwrap(), b"newer");
}
