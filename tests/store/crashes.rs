//! Recovery of a store after a program was killed while it published files.
//!
//! `FAULT_INJECTION_ROUNDS` is the number of programs to kill; `scripts/fault-injection` sets it.

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

use super::{STAGING, get, name, publication, put, staged_files, tree};
use support::random::Numbers;

/// The environment variable with the folder of the store, for the program that is to be killed.
const FOLDER: &str = "RULEBOOK_TEST_STORE";
/// Number of files in a call that publishes several.
const TOGETHER: usize = 6;
/// Number of different names of each kind of call.
const NAMES: usize = 3;
/// Number of programs to kill, unless the environment sets it.
const ROUNDS: usize = 25;
/// The test stops killing programs after this time, unless an environment variable sets how many to kill.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The content of the `number`-th call's files: the number, then bytes that are derived from it.
fn content(number: usize) -> Vec<u8> {
    let mut content = format!("{number}\n").into_bytes();
    content.resize(1000 + number % 7 * 20_000, number as u8);
    content
}

/// Returns the number of the call that wrote this content, and checks that the content is complete.
fn number(content: &[u8]) -> usize {
    let line = content.split(|byte| *byte == b'\n').next().unwrap();
    let number = std::str::from_utf8(line).unwrap().parse().unwrap();
    assert!(content == self::content(number), "file {number} is incomplete");
    number
}

/// The names of the files that the `number`-th call publishes.
fn names(number: usize) -> Vec<String> {
    let folder = number / 2 % NAMES;
    match number % 2 {
        0 => vec![format!("single/{folder}")],
        _ => (0..TOGETHER).map(|at| format!("together/{folder}/{at}")).collect(),
    }
}

#[test]
#[ignore = "run as a separate program, which is killed by another test"]
fn publishes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(folder.as_ref()).unwrap();
    let mut stdout = std::io::stdout();
    for number in 0.. {
        let files = names(number).iter().map(|name| publication(&store, name, &content(number))).collect();
        store.publish_all(files).unwrap();
        writeln!(stdout, "published {number}").unwrap();
        stdout.flush().unwrap();
    }
}

/// Runs the program, kills it `after` its first call, and returns the number of the last call that it reported as done.
fn run_and_kill(folder: &Path, after: Duration) -> Option<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "store::crashes::publishes_until_it_is_killed"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness may print to the same line first.
    let published = |line: String| line.split("published ").nth(1).and_then(|number| number.parse().ok());
    let first = lines.by_ref().find_map(published);
    sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(published).last().or(first)
}

#[test]
fn a_killed_program_leaves_complete_files_and_all_of_a_call_or_none() {
    let required = std::env::var("FAULT_INJECTION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let mut random = Numbers::new();
    let (mut rounds, mut interrupted, begun) = (0, 0, Instant::now());
    while rounds < required.unwrap_or(ROUNDS) && (required.is_some() || begun.elapsed() < TIME_LIMIT) {
        rounds += 1;
        let folder = tempfile::tempdir().unwrap();
        let last = run_and_kill(folder.path(), Duration::from_micros(random.below(1 << 16)));
        let last = last.expect("the program publishes something before it is killed");
        interrupted += usize::from(!staged_files(folder.path()).is_empty());

        let store = Store::open(folder.path()).unwrap();
        assert_eq!(staged_files(folder.path()), [""; 0]);
        let mut latest = HashMap::new();
        for call in last.saturating_sub(2 * NAMES).. {
            let numbers: Vec<_> =
                names(call).iter().map(|name| get(&store, name).ok().map(|content| number(&content))).collect();
            assert!(numbers.iter().all(|number| *number == numbers[0]), "call {call}: {numbers:?}");
            latest.insert(names(call).swap_remove(0), numbers[0]);
            if call > last + 2 * NAMES {
                break;
            }
        }
        for call in last.saturating_sub(2 * NAMES - 1)..=last {
            let stored = latest[&names(call)[0]];
            // At most one call was completed and not reported.
            let is_current = stored.is_some_and(|stored| stored >= call && stored <= last + 1);
            assert!(is_current, "call {call} of {last}: {stored:?}");
        }
        for name in names(last) {
            let info = store.info(&super::name(&name)).unwrap();
            assert_eq!(info.etag, Some(ETag::strong(blake3::hash(&get(&store, &name).unwrap()).to_hex())));
        }
        put(&store, names(last)[0].as_str(), b"the store still works").unwrap();
    }
    assert!(interrupted > 0, "none of {rounds} programs was killed while it wrote");
    eprintln!("{rounds} programs killed, {interrupted} of them while they wrote; all files complete, none lost");
}

/// Creates the store of a program that was killed while it published `a`, which replaces a file, and `b/c`, which is
/// new: `renamed` of the two have been renamed, and `reverted` of those have been renamed back.
fn interrupted(record: &str, renamed: usize, reverted: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&Store::open(root).unwrap(), "a", b"old").unwrap();
    let staging = root.join(STAGING).join("abandoned");
    fs::create_dir_all(&staging).unwrap();
    fs::create_dir(root.join("b")).unwrap();
    for file in ["0", "1"] {
        fs::write(staging.join(file), "new").unwrap();
    }
    fs::hard_link(root.join("a"), staging.join("0.before")).unwrap();
    let renames = json!([
        { "staged": "0", "name": "a", "before": "0.before" },
        { "staged": "1", "name": "b/c", "before": null },
    ]);
    fs::write(staging.join(record), renames.to_string()).unwrap();
    for (staged, name) in [("0", "a"), ("1", "b/c")].iter().take(renamed) {
        fs::rename(staging.join(staged), root.join(name)).unwrap();
    }
    // Renames are reverted in reverse order.
    for (name, staged) in [("b/c", "1"), ("a", "0")].iter().skip(2 - renamed).take(reverted) {
        match *name {
            "a" => fs::rename(staging.join("0.before"), root.join("a")).unwrap(),
            _ => fs::rename(root.join(name), staging.join(staged)).unwrap(),
        }
    }
    folder
}

fn contents(folder: &Path) -> String {
    let files = tree(folder).into_iter().filter(|(name, _)| !name.ends_with('/'));
    files.map(|(name, content)| format!("{name}={content} ")).collect()
}

#[test]
fn interrupted_publications_are_completed_from_any_step() {
    for renamed in 0..=2 {
        let folder = interrupted("2.commit", renamed, 0);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(contents(folder.path()), "a=new b/c=new ", "{renamed} renamed");
        assert_eq!(staged_files(folder.path()), [""; 0]);
        assert_eq!(get(&store, "b/c").unwrap(), b"new");
    }
}

#[test]
fn interrupted_rollbacks_are_completed_from_any_step() {
    for (renamed, reverted) in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] {
        let folder = interrupted("2.undo", renamed, reverted);
        Store::open(folder.path()).unwrap();
        assert_eq!(contents(folder.path()), "a=old ", "{reverted} of {renamed} reverted");
        assert_eq!(staged_files(folder.path()), [""; 0]);
    }
}

#[test]
fn recovery_succeeds_if_a_folder_was_removed_meanwhile() {
    for (record, expected) in [("2.commit", "a=new "), ("2.undo", "a=old ")] {
        let folder = interrupted(record, 2, 0);
        fs::remove_dir_all(folder.path().join("b")).unwrap();
        Store::open(folder.path()).unwrap();
        assert_eq!(contents(folder.path()), expected, "{record}");
        assert_eq!(staged_files(folder.path()), [""; 0]);
    }
}

#[test]
fn a_record_that_was_not_completed_is_ignored() {
    // The record has not been renamed to its final name.
    let folder = interrupted("2", 0, 0);
    Store::open(folder.path()).unwrap();
    assert_eq!(contents(folder.path()), "a=old ");
    assert_eq!(staged_files(folder.path()), [""; 0]);
}

#[test]
fn publications_that_cannot_be_completed_are_rolled_back() {
    let folder = interrupted("2.commit", 1, 0);
    fs::create_dir(folder.path().join("b/c")).unwrap();
    Store::open(folder.path()).unwrap();
    assert_eq!(contents(folder.path()), "a=old ");
    assert_eq!(staged_files(folder.path()), [""; 0]);
}

#[test]
fn records_cannot_reach_outside_of_the_store() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    for (record, file) in [("[]x", ""), ("", ""), (r#"[{"staged": "0", "name": "../out", "before": null}]"#, "")] {
        let staging = root.join(STAGING).join("abandoned");
        fs::create_dir_all(&staging).unwrap();
        fs::write(staging.join("0"), file).unwrap();
        fs::write(staging.join("1.commit"), record).unwrap();
        assert!(matches!(Store::open(&root), Err(StoreError::Io { .. })), "{record}");
        assert!(!outer.path().join("out").exists());
        fs::remove_dir_all(staging).unwrap();
    }
    Store::open(&root).unwrap();
}

#[test]
fn staging_folders_of_running_programs_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let waiting = publication(&store, "a", b"mine");
    let other = Store::open(folder.path()).unwrap();
    put(&other, "b", b"theirs").unwrap();
    drop(other);
    assert_eq!(staged_files(folder.path()).len(), 1);
    store.publish(waiting.staged, &name("a"), &waiting.precondition).unwrap();
    assert_eq!(contents(folder.path()), "a=mine b=theirs ");
}
