//! The behaviour that all storages share.

use http::{HeaderValue, Method, Uri, header};
use rulebook::store::{Precondition, StoreError};
use rulebook::{Download, ETag, Head};

use super::places::{file_name, new_publication, places, publish_file, read_file, stage_file};

#[test]
fn a_published_file_has_its_content_and_an_entity_tag_of_the_content() {
    for place in places() {
        let store = place.open();
        let mut writer = store.writer(100).unwrap();
        writer.write(b"\x89PNG\r\n").unwrap();
        writer.write(b"\x1a\n and more").unwrap();
        assert_eq!(writer.length(), 17);
        let staged = writer.finish().unwrap();
        let hash = blake3::hash(b"\x89PNG\r\n\x1a\n and more").to_hex().to_string();
        assert_eq!((staged.media_type(), staged.hash()), ("image/png", hash.clone()));
        let name = file_name("public/封面 #1 [x].png");
        let info = store.publish(staged, &name, &Precondition::default()).unwrap();
        assert_eq!(info, store.info(&name).unwrap());
        assert_eq!((info.length, info.accepts_ranges), (Some(17), true));
        assert!(info.modified.is_some());
        assert_eq!(info.etag, Some(ETag::strong(hash)), "the tests need a file system with extended attributes");
        assert_eq!(read_file(&store, name.as_str()).unwrap(), b"\x89PNG\r\n\x1a\n and more");
        let _: Download = store.read(&name).unwrap().into();
        drop(store);
        assert_eq!(place.open().info(&name).unwrap(), info, "the tag is stored with the file");
    }
}

#[test]
fn a_file_can_be_empty_and_must_not_exceed_its_maximum_length() {
    for place in places() {
        let store = place.open();
        publish_file(&store, "empty", b"").unwrap();
        assert_eq!(read_file(&store, "empty").unwrap(), b"");
        let mut writer = store.writer(10).unwrap();
        writer.write(b"0123456789").unwrap();
        assert!(matches!(writer.write(b"x"), Err(StoreError::TooLarge(10))));
        assert_eq!(writer.length(), 10);
    }
}

#[test]
fn a_file_that_does_not_exist_is_not_found() {
    for place in places() {
        let store = place.open();
        for name in ["a", "folder/a"] {
            assert!(matches!(store.read(&file_name(name)), Err(StoreError::NotFound(_))), "{name}");
            assert!(matches!(store.info(&file_name(name)), Err(StoreError::NotFound(_))), "{name}");
            assert!(matches!(store.list(Some(&file_name(name))), Err(StoreError::NotFound(_))), "{name}");
        }
        assert_eq!(store.list(None).unwrap().files, []);
    }
}

#[test]
fn a_replaced_file_has_the_new_content_for_every_program() {
    for place in places() {
        let stores = [place.open(), place.open()];
        for (number, content) in ["one", "two", "three"].into_iter().enumerate() {
            publish_file(&stores[number % 2], "a/b", content.as_bytes()).unwrap();
            for store in &stores {
                assert_eq!(read_file(store, "a/b").unwrap(), content.as_bytes());
            }
        }
    }
}

#[test]
fn a_listing_contains_the_files_and_the_folders_of_a_folder() {
    for place in places() {
        let store = place.open();
        for name in ["b", "a#1", "folder/封面", "folder/deep/x", "other/y z"] {
            publish_file(&store, name, b"x").unwrap();
        }
        let texts = |names: &[rulebook::store::FileName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let top = store.list(None).unwrap();
        assert_eq!(
            (texts(&top.folders), texts(&top.files)),
            (vec!["folder".into(), "other".into()], vec!["a#1".into(), "b".into()])
        );
        let inner = store.list(Some(&file_name("folder"))).unwrap();
        assert_eq!(
            (texts(&inner.folders), texts(&inner.files)),
            (vec!["folder/deep".into()], vec!["folder/封面".into()])
        );
    }
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
    let list = format!("\"x\", {strong}");
    for place in places() {
        let store = place.open();
        for (index, (precondition, absent, there)) in [
            (Precondition::default(), true, true),
            (Precondition::absent(), true, false),
            (Precondition::if_match(tag(b"one")), false, true),
            (Precondition::if_match(tag(b"other")), false, false),
            (head(header::IF_NONE_MATCH, &strong), true, false),
            (head(header::IF_NONE_MATCH, "\"x\""), true, true),
            (head(header::IF_MATCH, "*"), false, true),
            (head(header::IF_MATCH, &list), false, true),
            (head(header::IF_MATCH, "nonsense"), false, false),
            (head(header::IF_UNMODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"), true, false),
            (head(header::IF_UNMODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT"), true, true),
        ]
        .into_iter()
        .enumerate()
        {
            for (before, passes) in [(None, absent), (Some(b"one"), there)] {
                let name = format!("{index}-{}", before.is_some());
                if let Some(content) = before {
                    publish_file(&store, &name, content).unwrap();
                }
                match store.publish(stage_file(&store, b"two"), &file_name(&name), &precondition) {
                    Ok(_) => assert!(passes, "{precondition:?} {before:?}"),
                    Err(StoreError::PreconditionFailed(failed)) => {
                        assert!(!passes && failed.as_str() == name, "{precondition:?}");
                    }
                    Err(error) => panic!("{precondition:?}: {error}"),
                }
                match (passes, before) {
                    (true, _) => assert_eq!(read_file(&store, &name).unwrap(), b"two"),
                    (false, Some(content)) => assert_eq!(read_file(&store, &name).unwrap(), content),
                    (false, None) => assert!(store.read(&file_name(&name)).is_err()),
                }
            }
        }
    }
}

#[test]
fn only_one_of_several_concurrent_calls_creates_a_file_that_must_be_absent() {
    for place in places() {
        // The two stores behave like two programs. Several threads use each of them.
        let stores = [place.open(), place.open()];
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
}

/// Each thread adds a line to the file, and repeats this until no other thread has changed the file meanwhile.
#[test]
fn no_concurrent_change_is_lost_if_each_has_the_precondition_of_what_it_read() {
    for place in places() {
        let stores = [place.open(), place.open()];
        publish_file(&stores[0], "counter", b"").unwrap();
        std::thread::scope(|scope| {
            for number in 0..6_usize {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    for _ in 0..3 {
                        loop {
                            let name = file_name("counter");
                            let info = store.info(&name).unwrap();
                            let mut content = super::places::read_content(store.read(&name).unwrap());
                            if Some(ETag::strong(blake3::hash(&content).to_hex())) != info.etag {
                                continue;
                            }
                            content.extend_from_slice(b"line\n");
                            let precondition = Precondition::if_match(info.etag.unwrap());
                            match store.publish(stage_file(store, &content), &name, &precondition) {
                                Ok(_) => break,
                                Err(StoreError::PreconditionFailed(_)) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(read_file(&stores[0], "counter").unwrap(), b"line\n".repeat(18));
    }
}

#[test]
fn several_files_are_published_in_one_call() {
    for place in places() {
        let store = place.open();
        publish_file(&store, "a", b"old").unwrap();
        let names = ["a", "b", "c/d", "c/e/f"];
        let info = store.publish_all(names.map(|name| new_publication(&store, name, name.as_bytes())).into()).unwrap();
        for (name, info) in names.iter().zip(info) {
            assert_eq!(read_file(&store, name).unwrap(), name.as_bytes());
            assert_eq!(store.info(&file_name(name)).unwrap(), info);
        }
        assert_eq!(store.list(None).unwrap().files.len(), 2);
        assert_eq!(store.publish_all(Vec::new()).unwrap(), []);
        // The same files can be published again, one by one and together.
        publish_file(&store, "c/d", b"new").unwrap();
        store.publish_all(names.map(|name| new_publication(&store, name, b"all")).into()).unwrap();
        assert!(names.iter().all(|name| read_file(&store, name).unwrap() == b"all"));
    }
}

/// Only the last file of the call has an error, so that the other files could have been published.
#[test]
fn an_error_in_the_last_file_of_a_call_publishes_no_file() {
    for place in places() {
        let store = place.open();
        publish_file(&store, "a", b"old").unwrap();
        let before = store.info(&file_name("a")).unwrap();
        for last in ["a", "b", "z"] {
            let mut files = Vec::from(["a", "b", "new/n/c"].map(|name| new_publication(&store, name, b"new")));
            let mut file = new_publication(&store, last, b"new");
            if last == "z" {
                file.precondition = Precondition::if_match(ETag::strong("x"));
            }
            files.push(file);
            match store.publish_all(files).unwrap_err() {
                StoreError::DuplicateName(name) => assert_eq!(name.as_str(), last),
                StoreError::PreconditionFailed(name) => assert_eq!((name.as_str(), last), ("z", "z")),
                error => panic!("{last}: {error}"),
            }
            assert_eq!(store.info(&file_name("a")).unwrap(), before);
            let listing = store.list(None).unwrap();
            assert_eq!((listing.files, listing.folders), (vec![file_name("a")], Vec::new()), "{last}");
        }
    }
}

/// Several programs publish the same two files together. A reader never finds the files of two calls for long.
#[test]
fn concurrent_calls_for_the_same_files_succeed_one_after_the_other() {
    for place in places() {
        let stores = [place.open(), place.open()];
        std::thread::scope(|scope| {
            for number in 0..4_usize {
                let store = &stores[number % 2];
                scope.spawn(move || {
                    for round in 0..3 {
                        let content = format!("{number} {round}");
                        // The files are named in different orders.
                        let names = if number % 2 == 0 { ["x", "y"] } else { ["y", "x"] };
                        let files = names.map(|name| new_publication(store, name, content.as_bytes()));
                        store.publish_all(files.into()).unwrap();
                    }
                });
            }
        });
        let [x, y] = ["x", "y"].map(|name| read_file(&stores[0], name).unwrap());
        assert_eq!(x, y);
    }
}
