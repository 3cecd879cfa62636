//! Tests that a file store recovers after a program was killed while it published files.
//!
//! The environment variable `FAULT_INJECTION_ROUNDS` sets the number of programs to kill. `scripts/fault-injection`
//! sets the variable.

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

use super::{STAGING_FOLDER, file_name, new_publication, publish_file, read_file, staged_files, tree};
use support::random::Numbers;

/// The environment variable that contains the folder of the store, for the program that will be killed.
const FOLDER_VARIABLE: &str = "RULEBOOK_TEST_STORE";
/// Number of files that a call for several files publishes.
const FILES_PER_CALL: usize = 6;
/// Number of different file names that calls for one file use, and that calls for several files use.
const NAME_COUNT: usize = 3;
/// Number of programs to kill, unless the environment variable sets another number.
const DEFAULT_ROUNDS: usize = 25;
/// The test kills no more programs after this time, unless the environment variable sets their number.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Returns the content of the files that the `number`-th call publishes: the number, and bytes that depend on it.
fn call_content(number: usize) -> Vec<u8> {
    let mut content = format!("{number}\n").into_bytes();
    content.resize(1000 + number % 7 * 20_000, number as u8);
    content
}

/// Returns the number of the call that wrote this content. Asserts that the content is complete.
fn call_number(content: &[u8]) -> usize {
    let line = content.split(|byte| *byte == b'\n').next().unwrap();
    let number = std::str::from_utf8(line).unwrap().parse().unwrap();
    assert!(content == self::call_content(number), "file {number} is incomplete");
    number
}

/// Returns the names of the files that the `number`-th call publishes.
fn call_file_names(number: usize) -> Vec<String> {
    let folder = number / 2 % NAME_COUNT;
    match number % 2 {
        0 => vec![format!("single/{folder}")],
        _ => (0..FILES_PER_CALL).map(|at| format!("together/{folder}/{at}")).collect(),
    }
}

#[test]
#[ignore = "run as a separate program, which is killed by another test"]
fn publishes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER_VARIABLE) else { return };
    let store = Store::open(folder.as_ref()).unwrap();
    let mut stdout = std::io::stdout();
    for number in 0.. {
        let files =
            call_file_names(number).iter().map(|name| new_publication(&store, name, &call_content(number))).collect();
        store.publish_all(files).unwrap();
        writeln!(stdout, "published {number}").unwrap();
        stdout.flush().unwrap();
    }
}

/// Runs the program, and kills it some time `after` its first call. Returns the number of the last call that the
/// program has reported as completed.
fn run_and_kill(folder: &Path, after: Duration) -> Option<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "store::crashes::publishes_until_it_is_killed"])
        .env(FOLDER_VARIABLE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness may print a text at the beginning of the same line.
    let published = |line: String| line.split("published ").nth(1).and_then(|number| number.parse().ok());
    let first = lines.by_ref().find_map(published);
    sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(published).last().or(first)
}

#[test]
fn a_killed_program_leaves_complete_files_and_all_files_of_a_call_or_none() {
    let required = std::env::var("FAULT_INJECTION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let mut random = Numbers::new();
    let (mut rounds, mut interrupted, begun) = (0, 0, Instant::now());
    while rounds < required.unwrap_or(DEFAULT_ROUNDS) && (required.is_some() || begun.elapsed() < TIME_LIMIT) {
        rounds += 1;
        let folder = tempfile::tempdir().unwrap();
        let last = run_and_kill(folder.path(), Duration::from_micros(random.below(1 << 16)));
        let last = last.expect("the program publishes something before it is killed");
        interrupted += usize::from(!staged_files(folder.path()).is_empty());

        let store = Store::open(folder.path()).unwrap();
        assert_eq!(staged_files(folder.path()), [""; 0]);
        let mut latest = HashMap::new();
        for call in last.saturating_sub(2 * NAME_COUNT).. {
            let numbers: Vec<_> = call_file_names(call)
                .iter()
                .map(|name| read_file(&store, name).ok().map(|content| call_number(&content)))
                .collect();
            assert!(numbers.iter().all(|number| *number == numbers[0]), "call {call}: {numbers:?}");
            latest.insert(call_file_names(call).swap_remove(0), numbers[0]);
            if call > last + 2 * NAME_COUNT {
                break;
            }
        }
        for call in last.saturating_sub(2 * NAME_COUNT - 1)..=last {
            let stored = latest[&call_file_names(call)[0]];
            // At most one call was completed without being reported.
            let is_current = stored.is_some_and(|stored| stored >= call && stored <= last + 1);
            assert!(is_current, "call {call} of {last}: {stored:?}");
        }
        for name in call_file_names(last) {
            let info = store.info(&super::file_name(&name)).unwrap();
            assert_eq!(info.etag, Some(ETag::strong(blake3::hash(&read_file(&store, &name).unwrap()).to_hex())));
        }
        publish_file(&store, call_file_names(last)[0].as_str(), b"the store still works").unwrap();
    }
    assert!(interrupted > 0, "none of {rounds} programs was killed while it wrote");
    eprintln!("{rounds} programs killed, {interrupted} of them while they wrote; all files complete, none lost");
}

/// Creates the folder of a store as it is after a program was killed while it published two files: `a`, which replaces
/// a file, and `b/c`, which is new. `renamed` files had been renamed to their final names, and `reverted` of these
/// files had been renamed back. `record` is the name of the journal record.
fn create_interrupted_store(record: &str, renamed: usize, reverted: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    publish_file(&Store::open(root).unwrap(), "a", b"old").unwrap();
    let staging = root.join(STAGING_FOLDER).join("abandoned");
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
    // The store reverts renames in reverse order.
    for (name, staged) in [("b/c", "1"), ("a", "0")].iter().skip(2 - renamed).take(reverted) {
        match *name {
            "a" => fs::rename(staging.join("0.before"), root.join("a")).unwrap(),
            _ => fs::rename(root.join(name), staging.join(staged)).unwrap(),
        }
    }
    folder
}

fn list_contents(folder: &Path) -> String {
    let files = tree(folder).into_iter().filter(|(name, _)| !name.ends_with('/'));
    files.map(|(name, content)| format!("{name}={content} ")).collect()
}

#[test]
fn interrupted_publications_are_completed_from_any_step() {
    for renamed in 0..=2 {
        let folder = create_interrupted_store("2.commit", renamed, 0);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(list_contents(folder.path()), "a=new b/c=new ", "{renamed} renamed");
        assert_eq!(staged_files(folder.path()), [""; 0]);
        assert_eq!(read_file(&store, "b/c").unwrap(), b"new");
    }
}

#[test]
fn interrupted_rollbacks_are_completed_from_any_step() {
    for (renamed, reverted) in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] {
        let folder = create_interrupted_store("2.undo", renamed, reverted);
        Store::open(folder.path()).unwrap();
        assert_eq!(list_contents(folder.path()), "a=old ", "{reverted} of {renamed} reverted");
        assert_eq!(staged_files(folder.path()), [""; 0]);
    }
}

#[test]
fn recovery_succeeds_if_a_folder_was_removed_after_the_crash() {
    for (record, expected) in [("2.commit", "a=new "), ("2.undo", "a=old ")] {
        let folder = create_interrupted_store(record, 2, 0);
        fs::remove_dir_all(folder.path().join("b")).unwrap();
        Store::open(folder.path()).unwrap();
        assert_eq!(list_contents(folder.path()), expected, "{record}");
        assert_eq!(staged_files(folder.path()), [""; 0]);
    }
}

#[test]
fn a_journal_record_that_was_not_completed_is_ignored() {
    // The journal record has not been renamed to its final name.
    let folder = create_interrupted_store("2", 0, 0);
    Store::open(folder.path()).unwrap();
    assert_eq!(list_contents(folder.path()), "a=old ");
    assert_eq!(staged_files(folder.path()), [""; 0]);
}

#[test]
fn publications_that_cannot_be_completed_are_rolled_back() {
    let folder = create_interrupted_store("2.commit", 1, 0);
    fs::create_dir(folder.path().join("b/c")).unwrap();
    Store::open(folder.path()).unwrap();
    assert_eq!(list_contents(folder.path()), "a=old ");
    assert_eq!(staged_files(folder.path()), [""; 0]);
}

#[test]
fn journal_records_cannot_rename_files_outside_of_the_store() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("files");
    for (record, file) in [("[]x", ""), ("", ""), (r#"[{"staged": "0", "name": "../out", "before": null}]"#, "")] {
        let staging = root.join(STAGING_FOLDER).join("abandoned");
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
fn staging_folders_of_running_programs_are_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let waiting = new_publication(&store, "a", b"mine");
    let other = Store::open(folder.path()).unwrap();
    publish_file(&other, "b", b"theirs").unwrap();
    drop(other);
    assert_eq!(staged_files(folder.path()).len(), 1);
    store.publish(waiting.staged, &file_name("a"), &waiting.precondition).unwrap();
    assert_eq!(list_contents(folder.path()), "a=mine b=theirs ");
}
