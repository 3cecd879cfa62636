//! What is left of files when a program ends in the midst of it.
//!
//! `FAULTS_ROUNDS` says how many programs are ended; `scripts/faults` sets it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rulebook::ETag;
use rulebook::store::{Store, StoreError};
use serde_json::json;

use super::{STAGING, get, name, on_their_way, one, put, tree};

/// Tells the program that is to be ended where it works.
const FOLDER: &str = "RULEBOOK_TEST_STORE";
/// How many files are published as one.
const TOGETHER: usize = 6;
/// How many names there are of each kind.
const NAMES: usize = 3;
/// How often a program is ended, and within which time at most.
const ROUNDS: usize = 25;
const PATIENCE: Duration = Duration::from_secs(30);

/// The content of the `number`-th file: its number, and bytes that follow from it.
fn content(number: usize) -> Vec<u8> {
    let mut content = format!("{number}\n").into_bytes();
    content.resize(1000 + number % 7 * 20_000, number as u8);
    content
}

/// Which file this is the content of, whole.
fn number(content: &[u8]) -> usize {
    let line = content.split(|byte| *byte == b'\n').next().unwrap();
    let number = std::str::from_utf8(line).unwrap().parse().unwrap();
    assert!(content == self::content(number), "file {number} is torn");
    number
}

/// The names of the `number`-th call.
fn names(number: usize) -> Vec<String> {
    let folder = number / 2 % NAMES;
    match number % 2 {
        0 => vec![format!("single/{folder}")],
        _ => (0..TOGETHER).map(|at| format!("together/{folder}/{at}")).collect(),
    }
}

#[test]
#[ignore = "run as a program of its own, which is ended from outside"]
fn publishes_until_it_is_ended() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(folder.as_ref()).unwrap();
    let mut told = std::io::stdout();
    for number in 0.. {
        let files = names(number).iter().map(|name| one(&store, name, &content(number))).collect();
        store.publish_all(files).unwrap();
        writeln!(told, "published {number}").unwrap();
        told.flush().unwrap();
    }
}

/// Runs the program for a while, and gives the number of the last call that it told to be done.
fn run_and_end(folder: &Path, after: Duration) -> Option<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "store::crashes::publishes_until_it_is_ended"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness may speak first.
    let told = |line: String| line.split("published ").nth(1).and_then(|number| number.parse().ok());
    let first = lines.by_ref().find_map(told);
    sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(told).last().or(first)
}

#[test]
fn who_is_killed_leaves_whole_files_all_of_a_call_or_none() {
    let said = std::env::var("FAULTS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let (mut rounds, mut interrupted, begun) = (0, 0, Instant::now());
    while rounds < said.unwrap_or(ROUNDS) && (said.is_some() || begun.elapsed() < PATIENCE) {
        rounds += 1;
        let folder = tempfile::tempdir().unwrap();
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        let last = run_and_end(folder.path(), Duration::from_micros(u16::from_ne_bytes(random).into()));
        let last = last.expect("something is published before it is ended");
        interrupted += usize::from(!on_their_way(folder.path()).is_empty());

        let store = Store::open(folder.path()).unwrap();
        assert_eq!(on_their_way(folder.path()), [""; 0]);
        let mut found = HashMap::new();
        for call in last.saturating_sub(2 * NAMES).. {
            let numbers: Vec<_> =
                names(call).iter().map(|name| get(&store, name).ok().map(|content| number(&content))).collect();
            assert!(numbers.iter().all(|number| *number == numbers[0]), "call {call}: {numbers:?}");
            found.insert(names(call).swap_remove(0), numbers[0]);
            if call > last + 2 * NAMES {
                break;
            }
        }
        for call in last.saturating_sub(2 * NAMES - 1)..=last {
            let there = found[&names(call)[0]];
            // At most one more call was done than was told.
            assert!(there.is_some_and(|there| there >= call && there <= last + 1), "call {call} of {last}: {there:?}");
        }
        for name in names(last) {
            let facts = store.facts(&super::name(&name)).unwrap();
            assert_eq!(facts.etag, Some(ETag::strong(blake3::hash(&get(&store, &name).unwrap()).to_hex())));
        }
        put(&store, names(last)[0].as_str(), b"and it goes on").unwrap();
    }
    assert!(interrupted > 0, "none of {rounds} programs was ended while it wrote");
    eprintln!("{rounds} programs ended, {interrupted} of them while they wrote; all files whole and none lost");
}

/// The store of a program that was ended at one point of publishing `a`, which was there before, and `b/c`, which was
/// not: so many of them have been renamed, or taken back.
fn ended(record: &str, renamed: usize, taken_back: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&Store::open(root).unwrap(), "a", b"old").unwrap();
    let own = root.join(STAGING).join("of-the-dead");
    fs::create_dir_all(&own).unwrap();
    fs::create_dir(root.join("b")).unwrap();
    for file in ["0", "1"] {
        fs::write(own.join(file), "new").unwrap();
    }
    fs::hard_link(root.join("a"), own.join("0.before")).unwrap();
    let moves = json!([
        { "staged": "0", "name": "a", "before": "0.before" },
        { "staged": "1", "name": "b/c", "before": null },
    ]);
    fs::write(own.join(record), moves.to_string()).unwrap();
    for (staged, name) in [("0", "a"), ("1", "b/c")].iter().take(renamed) {
        fs::rename(own.join(staged), root.join(name)).unwrap();
    }
    // Backwards.
    let back = [("b/c", "1"), ("a", "0")].iter().skip(2 - renamed).take(taken_back);
    for (name, staged) in back {
        match *name {
            "a" => fs::rename(own.join("0.before"), root.join("a")).unwrap(),
            _ => fs::rename(root.join(name), own.join(staged)).unwrap(),
        }
    }
    folder
}

fn shown(folder: &Path) -> String {
    let files = tree(folder).into_iter().filter(|(name, _)| !name.ends_with('/'));
    files.map(|(name, content)| format!("{name}={content} ")).collect()
}

#[test]
fn what_was_begun_is_finished_from_wherever_it_was_left() {
    for renamed in 0..=2 {
        let folder = ended("2.commit", renamed, 0);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(shown(folder.path()), "a=new b/c=new ", "{renamed} renamed");
        assert_eq!(on_their_way(folder.path()), [""; 0]);
        assert_eq!(get(&store, "b/c").unwrap(), b"new");
    }
}

#[test]
fn what_was_being_taken_back_is_taken_back_from_wherever_it_was_left() {
    for (renamed, taken_back) in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] {
        let folder = ended("2.undo", renamed, taken_back);
        Store::open(folder.path()).unwrap();
        assert_eq!(shown(folder.path()), "a=old ", "{taken_back} of {renamed} taken back");
        assert_eq!(on_their_way(folder.path()), [""; 0]);
    }
}

#[test]
fn a_folder_that_somebody_removed_since_holds_nothing_up() {
    for (record, expected) in [("2.commit", "a=new "), ("2.undo", "a=old ")] {
        let folder = ended(record, 2, 0);
        fs::remove_dir_all(folder.path().join("b")).unwrap();
        Store::open(folder.path()).unwrap();
        assert_eq!(shown(folder.path()), expected, "{record}");
        assert_eq!(on_their_way(folder.path()), [""; 0]);
    }
}

#[test]
fn what_was_not_yet_to_be_done_is_not_done() {
    // The record had not got its name.
    let folder = ended("2", 0, 0);
    Store::open(folder.path()).unwrap();
    assert_eq!(shown(folder.path()), "a=old ");
    assert_eq!(on_their_way(folder.path()), [""; 0]);
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let folder = ended("2.commit", 1, 0);
    fs::create_dir(folder.path().join("b/c")).unwrap();
    Store::open(folder.path()).unwrap();
    assert_eq!(shown(folder.path()), "a=old ");
    assert_eq!(on_their_way(folder.path()), [""; 0]);
}

#[test]
fn a_record_leads_nowhere_either() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    for (record, file) in [("[]x", ""), ("", ""), (r#"[{"staged": "0", "name": "../out", "before": null}]"#, "")] {
        let own = root.join(STAGING).join("of-the-dead");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("0"), file).unwrap();
        fs::write(own.join("1.commit"), record).unwrap();
        assert!(matches!(Store::open(&root), Err(StoreError::Io { .. })), "{record}");
        assert!(!outer.path().join("out").exists());
        fs::remove_dir_all(own).unwrap();
    }
    Store::open(&root).unwrap();
}

#[test]
fn who_lives_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let waiting = one(&store, "a", b"mine");
    let other = Store::open(folder.path()).unwrap();
    put(&other, "b", b"theirs").unwrap();
    drop(other);
    assert_eq!(on_their_way(folder.path()).len(), 1);
    store.publish(waiting.staged, &name("a"), &waiting.precondition).unwrap();
    assert_eq!(shown(folder.path()), "a=mine b=theirs ");
}
