//! What a client may call a file, and that no name leads out of the folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rulebook::store::{Name, NameError, Patterns, Store, StoreError};
use serde_json::Value as Json;
use unicode_normalization::is_nfc;

use super::{content, get, name, on_their_way, put, tree};

/// Texts, each with the name that it is (`is`) or what is wrong with it (`not`).
fn corpus() -> Vec<(String, Result<String, String>)> {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../data/store/names.json")).unwrap();
    let text = |case: &Json, key: &str| case[key].as_str().map(str::to_owned);
    let expected = |case: &Json| text(case, "is").ok_or_else(|| text(case, "not").unwrap());
    cases.iter().map(|case| (text(case, "text").unwrap(), expected(case))).collect()
}

#[test]
fn the_corpus_is_judged_as_it_says() {
    for (text, expected) in corpus() {
        let found = Name::parse(&text).map(|name| name.to_string()).map_err(|error| format!("{error:?}"));
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn names_are_bounded_before_and_after_they_are_composed() {
    let parts = |count: usize| vec!["a".repeat(255); count].join("/");
    for (text, expected) in [
        ("a".repeat(255), None),
        ("a".repeat(256), Some(NameError::PartTooLong(255))),
        (parts(4), None),
        (format!("{}/b", parts(4)), Some(NameError::TooLong(1024))),
        ("a/".repeat(511) + "a", None),
        ("a".repeat(4096), Some(NameError::TooLong(1024))),
        ("../".repeat(1365), Some(NameError::TooLong(1024))),
        ("封".repeat(85), None),
        ("封".repeat(86), Some(NameError::PartTooLong(255))),
        // One character of four bytes becomes three of that length.
        ("\u{1d160}".repeat(22), Some(NameError::PartTooLong(255))),
        (vec!["\u{1d160}".repeat(20); 5].join("/"), Some(NameError::TooLong(1024))),
    ] {
        assert_eq!(Name::parse(&text).err(), expected, "{} bytes: {:.20}…", text.len(), text);
    }
}

#[test]
fn no_text_of_the_corpus_reaches_outside() {
    let outer = tempfile::tempdir().unwrap();
    let store = Store::open(&outer.path().join("files")).unwrap();
    fs::write(outer.path().join("a"), "outside").unwrap();
    let mut written = 0;
    for (text, _) in corpus() {
        let Ok(name) = Name::parse(&text) else { continue };
        // Names may get in each other's way, such as `a` and `a/b`.
        match put(&store, name.as_str(), b"inside") {
            Ok(()) => written += 1,
            Err(StoreError::Taken(_)) => continue,
            Err(error) => panic!("{text:?}: {error}"),
        }
        assert_eq!(get(&store, name.as_str()).unwrap(), b"inside", "{text:?}");
    }
    assert!(written > 10, "{written}");
    let around = tree(outer.path());
    let outside = around.keys().filter(|path| !path.starts_with("files/")).collect::<Vec<_>>();
    assert_eq!(outside, ["a"]);
    assert_eq!(around["a"], "outside");
}

#[test]
fn no_link_is_followed() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    let store = Store::open(&root).unwrap();
    fs::create_dir(outer.path().join("secret")).unwrap();
    fs::write(outer.path().join("secret/file"), "secret").unwrap();
    put(&store, "in/file", b"in").unwrap();
    for (link, target) in
        [("out", "../secret"), ("absolute", "/etc"), ("inside", "in"), ("loop", "loop"), ("leaf", "../secret/file")]
    {
        symlink(target, root.join(link)).unwrap();
    }
    for (folder, file) in [("out", "file"), ("absolute", "passwd"), ("inside", "file"), ("loop", "file")] {
        let text = format!("{folder}/{file}");
        assert!(matches!(get(&store, &text), Err(StoreError::Missing(_))), "{text}");
        assert!(matches!(put(&store, &text, b"x"), Err(StoreError::Taken(_))), "{text}");
        assert!(matches!(store.list(Some(&name(folder))), Err(StoreError::Missing(_))), "{folder}");
    }
    assert!(matches!(get(&store, "leaf"), Err(StoreError::Missing(_))));
    assert!(matches!(put(&store, "leaf", b"x"), Err(StoreError::Taken(_))));
    assert_eq!(fs::read_to_string(outer.path().join("secret/file")).unwrap(), "secret");
    let listed = store.list(None).unwrap();
    assert_eq!((listed.folders, listed.files), (vec![name("in")], vec![]));
    assert_eq!(on_their_way(&root), [""; 0]);
}

#[test]
fn what_is_no_file_is_missing_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "folder/file", b"x").unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for text in ["pipe", "folder", "folder/file/below", "other", "other/file"] {
        assert!(matches!(get(&store, text), Err(StoreError::Missing(_))), "{text}");
    }
    for text in ["pipe", "folder", "folder/file/below"] {
        assert!(matches!(put(&store, text, b"x"), Err(StoreError::Taken(_))), "{text}");
    }
}

/// Where it is not so, each request waits for a thread.
#[cfg(target_os = "linux")]
#[test]
fn what_was_opened_lately_is_opened_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a/b/封.png", b"x").unwrap();
    for (text, there) in [("a/b/封.png", true), ("a/b/c", false), ("b/c", false)] {
        let read = store.read(&name(text));
        let at_once = store.read_at_once(&name(text)).unwrap_or_else(|| panic!("{text} is waited for"));
        assert_eq!((read.is_ok(), at_once.is_ok()), (there, there), "{text}");
    }
}

/// A folder and a link that leads out change places, over and over, while names in the folder are read and written.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    let store = Store::open(&root).unwrap();
    fs::create_dir(outer.path().join("secret")).unwrap();
    fs::write(outer.path().join("secret/file"), "secret").unwrap();
    put(&store, "a/file", b"inside").unwrap();
    symlink(outer.path().join("secret"), root.join("link")).unwrap();
    let over = AtomicBool::new(false);
    let (mut read, mut refused, mut written) = (0, 0, 0);
    let (mut at_once, mut refused_at_once) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, root.join("a"), CWD, root.join("link"), RenameFlags::EXCHANGE).unwrap();
            }
        });
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && (read < 200 || refused < 200 || written < 50 || at_once < 200) {
            match store.read(&name("a/file")) {
                Ok(found) => {
                    assert_eq!(content(found), b"inside");
                    read += 1;
                }
                Err(_) => refused += 1,
            }
            match store.read_at_once(&name("a/file")) {
                Some(Ok(found)) => {
                    assert_eq!(content(found), b"inside");
                    at_once += 1;
                }
                Some(Err(_)) | None => refused_at_once += 1,
            }
            if put(&store, "a/other", b"mine").is_ok() {
                written += 1;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(read > 0 && refused > 0 && written > 0, "{read} read, {refused} refused, {written} written");
    assert!(at_once > 0 && refused_at_once > 0, "{at_once} read at once, {refused_at_once} not");
    let secret = tree(&outer.path().join("secret"));
    assert_eq!(secret.into_iter().collect::<Vec<_>>(), [("file".to_owned(), "secret".to_owned())]);
}

#[test]
fn patterns_allow_by_parts() {
    for (pattern, allowed, refused) in [
        (
            "public/*.png",
            &["public/a.png", "public/封.png"][..],
            &["public/a.jpg", "public/b/a.png", "a.png", "Public/a.png"][..],
        ),
        ("articles/**", &["articles/a", "articles/b/c/a"], &["articles", "a/articles/b"]),
        ("**/a", &["a", "b/a", "b/c/a"], &["b", "a/b"]),
        ("*", &["a"], &["a/b"]),
        ("a?", &["ab"], &["a", "abc"]),
        ("cafe\u{301}/*", &["caf\u{e9}/a", "cafe\u{301}/a"], &["cafe/a"]),
        ("[a-c]/{x,y}.txt", &["a/x.txt", "c/y.txt"], &["d/x.txt", "a/z.txt"]),
        ("?.png", &["a.png", "é.png", "e\u{301}.png", "封.png"], &["éé.png", "ab.png"]),
        ("[é]*", &["é", "éa"], &["è", "ü", "ea"]),
        ("[à-ï封]", &["é", "封"], &["a", "å/a", "éé"]),
        ("[!é]", &["a", "è"], &["é", "aa"]),
        ("a[!b]c", &["aac", "aéc"], &["abc", "a/c"]),
        ("a[+-9]c", &["a,c", "a0c"], &["a/c"]),
        ("a{/,b}c", &["a/c", "abc"], &["aac"]),
        ("[[]a+(b).c", &["[a+(b).c"], &["a+(b).c", "[aa(b).c"]),
        ("[!!-]]x", &["a]x"], &["!]x", "-]x"]),
    ] {
        let patterns = Patterns::new([pattern]).unwrap();
        for text in allowed {
            assert!(patterns.allows(&name(text)), "{pattern} {text}");
        }
        for text in refused {
            assert!(!patterns.allows(&name(text)), "{pattern} {text}");
        }
    }
    assert!(Patterns::default().is_empty() && !Patterns::default().allows(&name("a")), "nothing is allowed by nothing");
}

#[test]
fn what_is_no_pattern_or_allows_nothing_is_told() {
    for (pattern, why) in [
        ("[b", "unclosed character class"),
        ("{a", "unclosed alternate group"),
        ("", "no name has an empty part"),
        ("/public/*", "no name has an empty part"),
        ("public/", "no name has an empty part"),
        ("../*", "no part of a name begins with a dot"),
        ("./public/*", "no part of a name begins with a dot"),
    ] {
        let error = Patterns::new(["a", pattern]).unwrap_err();
        assert_eq!(error.pattern.as_deref(), Some(pattern));
        assert!(error.why.contains(why), "{pattern}: {error}");
    }
}

/// Texts made of what paths are made of, and any others.
fn texts() -> impl Strategy<Value = String> {
    let pieces = vec![
        "/", "//", ".", "..", "./", "../", "\\", "%2e", "%2f", "a", "B", "é", "e\u{301}", "\0", " ", ":", "~", "封",
    ];
    let made = proptest::collection::vec(proptest::sample::select(pieces), 0..12).prop_map(|made| made.concat());
    prop_oneof![3 => made, 1 => ".{0,40}", 1 => "\\PC{1,8}(/\\PC{1,8}){0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_text_is_no_name_or_stays_inside(text in texts()) {
        let Ok(name) = Name::parse(&text) else { return Ok(()) };
        // A path of this name has no part but plain ones, so that joining it stays below, wherever it is joined.
        let path = std::path::Path::new(name.as_str());
        prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))), "{name}");
        prop_assert_eq!(path.components().count(), name.parts().count());
        prop_assert!(is_nfc(name.as_str()) && name.as_str().len() <= 1024);
        prop_assert!(name.parts().all(|part| !part.starts_with('.') && part.len() <= 255));
        prop_assert_eq!(Name::parse(name.as_str()), Ok(name), "a name is its own");
    }
}
