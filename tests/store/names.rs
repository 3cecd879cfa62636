//! Tests of the file names that clients may use. No name leads to a file outside of the store's folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use icu_normalizer::ComposingNormalizerBorrowed;
use proptest::prelude::*;
use rulebook::store::{FileName, FileNameError, FilePatterns, Store, StoreError};
use serde_json::Value as Json;

use super::{file_name, publish_file, read_content, read_file, staged_files, tree};

/// Returns the texts of a data file. Each has the name that it is parsed as (`is`) or the error of the parser (`not`).
fn parse_cases() -> Vec<(String, Result<String, String>)> {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../data/store/names.json")).unwrap();
    let text = |case: &Json, key: &str| case[key].as_str().map(str::to_owned);
    let expected = |case: &Json| text(case, "is").ok_or_else(|| text(case, "not").unwrap());
    cases.iter().map(|case| (text(case, "text").unwrap(), expected(case))).collect()
}

#[test]
fn every_text_of_the_data_file_is_parsed_as_expected() {
    for (text, expected) in parse_cases() {
        let parsed = FileName::parse(&text).map(|name| name.to_string()).map_err(|error| format!("{error:?}"));
        assert_eq!(parsed, expected, "{text:?}");
    }
}

#[test]
fn the_length_of_names_is_limited_before_and_after_normalization() {
    let parts = |count: usize| vec!["a".repeat(255); count].join("/");
    for (text, expected) in [
        ("a".repeat(255), None),
        ("a".repeat(256), Some(FileNameError::PartTooLong(255))),
        (parts(4), None),
        (format!("{}/b", parts(4)), Some(FileNameError::TooLong(1024))),
        ("a/".repeat(511) + "a", None),
        ("a".repeat(4096), Some(FileNameError::TooLong(1024))),
        ("../".repeat(1365), Some(FileNameError::TooLong(1024))),
        ("封".repeat(85), None),
        ("封".repeat(86), Some(FileNameError::PartTooLong(255))),
        // Unicode normalization replaces this character of four bytes by three characters of four bytes.
        ("\u{1d160}".repeat(22), Some(FileNameError::PartTooLong(255))),
        (vec!["\u{1d160}".repeat(20); 5].join("/"), Some(FileNameError::TooLong(1024))),
    ] {
        assert_eq!(FileName::parse(&text).err(), expected, "{} bytes: {:.20}…", text.len(), text);
    }
}

#[test]
fn no_parsed_name_leads_outside_of_the_store() {
    let outer = tempfile::tempdir().unwrap();
    let store = Store::open(&outer.path().join("files")).unwrap();
    fs::write(outer.path().join("a"), "outside").unwrap();
    let mut written = 0;
    for (text, _) in parse_cases() {
        let Ok(name) = FileName::parse(&text) else { continue };
        // Some names cannot exist at the same time, such as `a` and `a/b`.
        match publish_file(&store, name.as_str(), b"inside") {
            Ok(()) => written += 1,
            Err(StoreError::NameTaken(_)) => continue,
            Err(error) => panic!("{text:?}: {error}"),
        }
        assert_eq!(read_file(&store, name.as_str()).unwrap(), b"inside", "{text:?}");
    }
    assert!(written > 10, "{written}");
    let around = tree(outer.path());
    let outside = around.keys().filter(|path| !path.starts_with("files/")).collect::<Vec<_>>();
    assert_eq!(outside, ["a"]);
    assert_eq!(around["a"], "outside");
}

#[test]
fn symbolic_links_are_not_followed() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    let store = Store::open(&root).unwrap();
    fs::create_dir(outer.path().join("secret")).unwrap();
    fs::write(outer.path().join("secret/file"), "secret").unwrap();
    publish_file(&store, "in/file", b"in").unwrap();
    for (link, target) in
        [("out", "../secret"), ("absolute", "/etc"), ("inside", "in"), ("loop", "loop"), ("leaf", "../secret/file")]
    {
        symlink(target, root.join(link)).unwrap();
    }
    for (folder, file) in [("out", "file"), ("absolute", "passwd"), ("inside", "file"), ("loop", "file")] {
        let text = format!("{folder}/{file}");
        assert!(matches!(read_file(&store, &text), Err(StoreError::NotFound(_))), "{text}");
        assert!(matches!(publish_file(&store, &text, b"x"), Err(StoreError::NameTaken(_))), "{text}");
        assert!(matches!(store.list(Some(&file_name(folder))), Err(StoreError::NotFound(_))), "{folder}");
    }
    assert!(matches!(read_file(&store, "leaf"), Err(StoreError::NotFound(_))));
    assert!(matches!(publish_file(&store, "leaf", b"x"), Err(StoreError::NameTaken(_))));
    assert_eq!(fs::read_to_string(outer.path().join("secret/file")).unwrap(), "secret");
    let listed = store.list(None).unwrap();
    assert_eq!((listed.folders, listed.files), (vec![file_name("in")], vec![]));
    assert_eq!(staged_files(&root), [""; 0]);
}

#[test]
fn pipes_and_folders_are_not_found_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "folder/file", b"x").unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for text in ["pipe", "folder", "folder/file/below", "other", "other/file"] {
        assert!(matches!(read_file(&store, text), Err(StoreError::NotFound(_))), "{text}");
    }
    for text in ["pipe", "folder", "folder/file/below"] {
        assert!(matches!(publish_file(&store, text, b"x"), Err(StoreError::NameTaken(_))), "{text}");
    }
}

/// If opening could block, every request for a file would have to wait for another thread.
#[cfg(target_os = "linux")]
#[test]
fn recently_opened_files_are_opened_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    publish_file(&store, "a/b/封.png", b"x").unwrap();
    for (text, exists) in [("a/b/封.png", true), ("a/b/c", false), ("b/c", false)] {
        let read = store.read(&file_name(text));
        let nonblocking = store.read_nonblocking(&file_name(text)).unwrap_or_else(|| panic!("{text} would block"));
        assert_eq!((read.is_ok(), nonblocking.is_ok()), (exists, exists), "{text}");
    }
}

/// A thread repeatedly exchanges a folder and a link to a folder outside of the store, while the test reads and writes
/// files in the folder.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_replaced_by_a_link_during_an_access_leads_to_no_file_outside() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    let store = Store::open(&root).unwrap();
    fs::create_dir(outer.path().join("secret")).unwrap();
    fs::write(outer.path().join("secret/file"), "secret").unwrap();
    publish_file(&store, "a/file", b"inside").unwrap();
    symlink(outer.path().join("secret"), root.join("link")).unwrap();
    let over = AtomicBool::new(false);
    let (mut read, mut refused, mut written) = (0, 0, 0);
    let (mut nonblocking, mut refused_nonblocking) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, root.join("a"), CWD, root.join("link"), RenameFlags::EXCHANGE).unwrap();
            }
        });
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && (read < 200 || refused < 200 || written < 50 || nonblocking < 200) {
            match store.read(&file_name("a/file")) {
                Ok(file) => {
                    assert_eq!(read_content(file), b"inside");
                    read += 1;
                }
                Err(_) => refused += 1,
            }
            match store.read_nonblocking(&file_name("a/file")) {
                Some(Ok(file)) => {
                    assert_eq!(read_content(file), b"inside");
                    nonblocking += 1;
                }
                Some(Err(_)) | None => refused_nonblocking += 1,
            }
            if publish_file(&store, "a/other", b"mine").is_ok() {
                written += 1;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(read > 0 && refused > 0 && written > 0, "{read} read, {refused} refused, {written} written");
    assert!(nonblocking > 0 && refused_nonblocking > 0, "{nonblocking} read, {refused_nonblocking} refused");
    let secret = tree(&outer.path().join("secret"));
    assert_eq!(secret.into_iter().collect::<Vec<_>>(), [("file".to_owned(), "secret".to_owned())]);
}

#[test]
fn file_patterns_match_names_segment_by_segment() {
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
        let patterns = FilePatterns::new([pattern]).unwrap();
        for text in allowed {
            assert!(patterns.allows(&file_name(text)), "{pattern} {text}");
        }
        for text in refused {
            assert!(!patterns.allows(&file_name(text)), "{pattern} {text}");
        }
    }
    assert!(
        FilePatterns::default().is_empty() && !FilePatterns::default().allows(&file_name("a")),
        "an empty list allows nothing"
    );
}

#[test]
fn malformed_file_patterns_and_patterns_that_match_no_name_are_rejected() {
    for (pattern, why) in [
        ("[b", "unclosed character class"),
        ("{a", "unclosed alternate group"),
        ("", "a name cannot have an empty part"),
        ("/public/*", "a name cannot have an empty part"),
        ("public/", "a name cannot have an empty part"),
        ("../*", "a part of a name cannot begin with a dot"),
        ("./public/*", "a part of a name cannot begin with a dot"),
    ] {
        let error = FilePatterns::new(["a", pattern]).unwrap_err();
        assert_eq!(error.pattern.as_deref(), Some(pattern));
        assert!(error.reason.contains(why), "{pattern}: {error}");
    }
}

/// Returns a strategy for texts: some consist of pieces that are special in paths, others are arbitrary.
fn name_texts() -> impl Strategy<Value = String> {
    let pieces = vec![
        "/", "//", ".", "..", "./", "../", "\\", "%2e", "%2f", "a", "B", "é", "e\u{301}", "\0", " ", ":", "~", "封",
    ];
    let made = proptest::collection::vec(proptest::sample::select(pieces), 0..12).prop_map(|made| made.concat());
    prop_oneof![3 => made, 1 => ".{0,40}", 1 => "\\PC{1,8}(/\\PC{1,8}){0,3}"]
}

proptest! {
    #![proptest_config(support::random::cases(2048))]

    #[test]
    fn names_stay_below_the_folder_that_they_are_joined_to(text in name_texts()) {
        let Ok(name) = FileName::parse(&text) else { return Ok(()) };
        // If a path has only normal components, it stays below every folder that it is joined to.
        let path = std::path::Path::new(name.as_str());
        prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))), "{name}");
        prop_assert_eq!(path.components().count(), name.parts().count());
        prop_assert!(ComposingNormalizerBorrowed::new_nfc().is_normalized(name.as_str()) && name.as_str().len() <= 1024);
        prop_assert!(name.parts().all(|part| !part.starts_with('.') && part.len() <= 255));
        prop_assert_eq!(FileName::parse(name.as_str()), Ok(name), "parsing a name changes nothing");
    }
}
