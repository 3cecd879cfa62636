//! What a file is when it has its name, and that all files of one call have theirs or none.

use std::fs;
use std::io::Write;

use http::{HeaderValue, Method, Uri, header};
use rulebook::store::{Precondition, Store, StoreError};
use rulebook::{Download, ETag, Head};

use super::{get, name, on_their_way, one, put, staged, tree};

#[test]
fn a_file_is_given_as_it_was_written_with_the_tag_of_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.writer(100).unwrap();
    writer.write(b"\x89PNG\r\n").unwrap();
    writer.write(b"\x1a\n and more").unwrap();
    assert_eq!(writer.length(), 17);
    let staged = writer.finish().unwrap();
    let hash = blake3::hash(b"\x89PNG\r\n\x1a\n and more").to_hex().to_string();
    assert_eq!((staged.media_type(), staged.hash()), ("image/png", hash.clone()));
    let facts = store.publish(staged, &name("public/封面.png"), &Precondition::default()).unwrap();
    assert_eq!(facts, store.facts(&name("public/封面.png")).unwrap());
    assert_eq!((facts.length, facts.has_parts), (Some(17), true));
    assert!(facts.modified.is_some());
    assert_eq!(facts.etag, Some(ETag::strong(hash)), "the file system of the tests keeps attributes");
    assert_eq!(get(&store, "public/封面.png").unwrap(), b"\x89PNG\r\n\x1a\n and more");
    let _: Download = store.read(&name("public/封面.png")).unwrap().into();
    drop(store);
    let again = Store::open(folder.path()).unwrap();
    assert_eq!(again.facts(&name("public/封面.png")).unwrap(), facts, "the tag outlives the program");
}

#[test]
fn what_was_changed_in_its_place_has_another_tag() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"one").unwrap();
    let before = store.facts(&name("a")).unwrap().etag.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::OpenOptions::new().write(true).open(folder.path().join("a")).unwrap().write_all(b"two").unwrap();
    let after = store.facts(&name("a")).unwrap().etag.unwrap();
    assert!(!after.is_same(&before), "{after}");
    // So has a file that somebody put there.
    fs::write(folder.path().join("b"), "three").unwrap();
    assert!(store.facts(&name("b")).unwrap().etag.is_some());
}

/// File systems without attributes keep no hash, and somebody may have written another one.
#[test]
fn a_file_without_its_hash_has_a_tag_all_the_same() {
    let attribute = "user.rulebook.blake3";
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"one").unwrap();
    let file = fs::File::open(folder.path().join("a")).unwrap();
    let mut kept = [0; 200];
    let length = rustix::fs::fgetxattr(&file, attribute, &mut kept[..]).unwrap();
    let kept = String::from_utf8(kept[..length].to_vec()).unwrap();
    let hash = blake3::hash(b"one").to_hex().to_string();
    assert!(kept.starts_with(&hash), "{kept}");
    for other in [None, Some(""), Some("x"), Some(&hash), Some(&kept[1..]), Some(&kept.replace(&hash, "\"\r\n"))] {
        match other {
            Some(text) => {
                rustix::fs::fsetxattr(&file, attribute, text.as_bytes(), rustix::fs::XattrFlags::empty()).unwrap();
            }
            None => rustix::fs::fremovexattr(&file, attribute).unwrap(),
        }
        let tag = store.facts(&name("a")).unwrap().etag.unwrap();
        assert!(!tag.is_same(&ETag::strong(&hash)), "{other:?}: {tag}");
    }
}

#[test]
fn a_file_that_is_not_published_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut writer = store.writer(10).unwrap();
    writer.write(b"0123456789").unwrap();
    assert!(matches!(writer.write(b"x"), Err(StoreError::TooLong(10))));
    assert_eq!(on_their_way(folder.path()).len(), 1);
    drop(writer);
    drop(staged(&store, b"x"));
    assert_eq!(on_their_way(folder.path()), [""; 0]);
    assert!(tree(folder.path()).is_empty());
    drop(store);
    let left: Vec<_> =
        fs::read_dir(folder.path().join(".staging")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["turn"], "a store that is closed leaves no folder of its own");
}

#[test]
fn a_file_of_no_bytes_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let staged = store.writer(0).unwrap().finish().unwrap();
    assert_eq!(staged.facts().length, Some(0));
    store.publish(staged, &name("empty"), &Precondition::default()).unwrap();
    assert_eq!(get(&store, "empty").unwrap(), b"");
}

#[test]
fn preconditions_decide_whether_a_file_is_replaced() {
    let tag = |content: &[u8]| ETag::strong(blake3::hash(content).to_hex());
    let head = |field: header::HeaderName, value: &str| {
        let mut head = Head::new(Method::PUT, Uri::from_static("/"));
        head.headers.push((field, HeaderValue::from_str(value).unwrap()));
        Precondition::of(&head)
    };
    let one = tag(b"one").to_string();
    let weak = format!("W/{one}");
    let list = format!("\"x\", {one}");
    for (precondition, absent, there) in [
        (Precondition::default(), true, true),
        (Precondition::absent(), true, false),
        (Precondition::is(tag(b"one")), false, true),
        (Precondition::is(tag(b"other")), false, false),
        (head(header::IF_NONE_MATCH, "*"), true, false),
        (head(header::IF_NONE_MATCH, &one), true, false),
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
                put(&store, "d/a", content).unwrap();
            }
            let done = store.publish(staged(&store, b"two"), &name("d/a"), &precondition);
            match done {
                Ok(_) => assert!(passes, "{precondition:?} {before:?}"),
                Err(StoreError::Precondition(name)) => assert!(!passes && name.as_str() == "d/a", "{precondition:?}"),
                Err(error) => panic!("{precondition:?}: {error}"),
            }
            match (passes, before) {
                (true, _) => assert_eq!(get(&store, "d/a").unwrap(), b"two"),
                (false, Some(content)) => assert_eq!(get(&store, "d/a").unwrap(), content),
                (false, None) => assert!(tree(folder.path()).is_empty(), "not even the folder is there"),
            }
            let _ = fs::remove_dir_all(folder.path().join("d"));
        }
        assert_eq!(on_their_way(folder.path()), [""; 0]);
    }
}

#[test]
fn of_those_who_make_one_file_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    // Two programs, of several threads each.
    let stores = [Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap()];
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number: usize| {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    let staged = staged(store, number.to_string().as_bytes());
                    store.publish(staged, &name("a/b"), &Precondition::absent()).is_ok().then_some(number)
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(get(&stores[0], "a/b").unwrap(), made[0].to_string().as_bytes());
}

#[test]
fn several_files_appear_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"old").unwrap();
    let files = ["a", "b", "c/d", "c/e/f"].map(|name| one(&store, name, name.as_bytes()));
    let facts = store.publish_all(files.into()).unwrap();
    for (name, facts) in ["a", "b", "c/d", "c/e/f"].iter().zip(facts) {
        assert_eq!(get(&store, name).unwrap(), name.as_bytes());
        assert_eq!(store.facts(&super::name(name)).unwrap(), facts);
    }
    assert_eq!(on_their_way(folder.path()), [""; 0]);
    assert_eq!(store.publish_all(Vec::new()).unwrap(), []);
}

/// Each fault is one of the last file, so that the others could have been published.
#[test]
fn of_several_files_all_appear_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"old").unwrap();
    put(&store, "folder/x", b"x").unwrap();
    let before = tree(folder.path());
    for last in ["a", "b", "folder", "a/b", "new", "c"] {
        let mut files = Vec::from(["a", "b", "new/n/c"].map(|name| one(&store, name, b"new")));
        let mut file = one(&store, last, b"new");
        file.precondition = if last == "c" { Precondition::is(ETag::strong("x")) } else { Precondition::default() };
        files.push(file);
        let error = store.publish_all(files).unwrap_err();
        let expected = match (last, &error) {
            ("a" | "b", StoreError::Twice(name))
            | ("folder" | "a/b" | "new", StoreError::Taken(name))
            | ("c", StoreError::Precondition(name)) => name.as_str() == last,
            _ => false,
        };
        assert!(expected, "{last}: {error:?}");
        assert_eq!(tree(folder.path()), before, "{last}");
        assert_eq!(on_their_way(folder.path()), [""; 0], "{last}");
    }
}

/// Somebody has cleaned up too much.
#[test]
fn a_file_that_has_gone_is_not_told_to_be_published() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"old").unwrap();
    let before = tree(folder.path());
    for names in [&["a"][..], &["new"], &["b", "a"], &["a", "new"], &["a", "b", "new/c"]] {
        let files: Vec<_> = names.iter().map(|name| one(&store, name, b"new")).collect();
        let last = on_their_way(folder.path()).into_iter().max_by_key(|name| name.parse::<u32>().unwrap()).unwrap();
        for program in fs::read_dir(folder.path().join(".staging")).unwrap() {
            let _ = fs::remove_file(program.unwrap().path().join(&last));
        }
        let error = store.publish_all(files).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{names:?}: {error:?}");
        assert_eq!(tree(folder.path()), before, "{names:?}");
        assert_eq!(on_their_way(folder.path()), [""; 0], "{names:?}");
    }
}

/// A file gets in the way of a folder only when the files are renamed: what was renamed before is taken back.
#[test]
fn what_has_been_renamed_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a", b"old").unwrap();
    let before = tree(folder.path());
    let files = ["a", "b", "c", "c/d"].map(|name| one(&store, name, b"new"));
    let error = store.publish_all(files.into()).unwrap_err();
    assert!(matches!(&error, StoreError::Taken(name) if name.as_str() == "c"), "{error:?}");
    assert_eq!(tree(folder.path()), before);
    assert_eq!(on_their_way(folder.path()), [""; 0]);
    put(&store, "a", b"newer").unwrap();
    assert_eq!(get(&store, "a").unwrap(), b"newer");
}
