//! Kills a program at random moments while it publishes files. Each file that it has acknowledged must be there, and of
//! several files that are published together, all or none.
//!
//! `RULEBOOK_KILLS` is the number of kills; an ordinary run has a few.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rulebook::store::{Store, StoreError};
use serde_json::{Value as Json, json};

use super::places::{Objects, new_publication, new_url, open_s3, publish_file, read_file, wait_until};

/// The variables from which the program that is killed reads the URL of its store, the path of the file in which it
/// acknowledges files, and its number.
const CHILD: [&str; 3] = ["RULEBOOK_KILLS_URL", "RULEBOOK_KILLS_LOG", "RULEBOOK_KILLS_ROUND"];

/// Large enough for a multipart upload.
const LARGE: usize = 6 << 20;

/// The program that is killed: without the variables, this test does nothing.
#[test]
fn program_that_publishes_files_until_it_is_killed() {
    let [Ok(url), Ok(log), Ok(round)] = CHILD.map(std::env::var) else { return };
    let store = open_s3(&url);
    let mut log = OpenOptions::new().append(true).create(true).open(log).unwrap();
    for number in 0.. {
        let content = format!("{round} {number}");
        let acknowledged = match number % 4 {
            // A new file.
            0 => publish_file(&store, &format!("new/{round}/{number}"), content.as_bytes())
                .map(|()| format!("new {content}")),
            1 => {
                let large = content.repeat(LARGE / content.len());
                let published = publish_file(&store, &format!("large/{round}/{number}"), large.as_bytes());
                published.map(|()| format!("large {content}"))
            }
            // Three files that replace others.
            2 => publish_together(&store, ["x", "y", "z"].map(str::to_owned), &content)
                .map(|()| format!("same {content}")),
            // Two new files.
            _ => {
                let names = ["a", "b"].map(|name| format!("pair/{round}/{number}/{name}"));
                publish_together(&store, names, &content).map(|()| format!("pair {content}"))
            }
        };
        let line = acknowledged.unwrap();
        log.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

fn publish_together<const N: usize>(store: &Store, names: [String; N], content: &str) -> Result<(), StoreError> {
    let files = names.map(|name| new_publication(store, &name, content.as_bytes()));
    store.publish_all(files.into()).map(drop)
}

#[test]
fn no_acknowledged_file_is_lost_when_a_program_is_killed() {
    let Some(url) = new_url() else { return };
    let kills = std::env::var("RULEBOOK_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut acknowledged = 0;
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::program_that_publishes_files_until_it_is_killed"])
            .envs(CHILD.into_iter().zip([url.clone(), log.display().to_string(), round.to_string()]))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        std::thread::sleep(Duration::from_millis(600 + u64::from(u16::from_le_bytes(random)) % 1500));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = std::fs::read_to_string(&log).unwrap_or_default();
        acknowledged = lines.lines().count();
        check_files(&open_s3(&url), &lines, round);
    }
    assert!(acknowledged > kills, "the program has published {acknowledged} files");
    assert!(Objects::new(&url).count("names") > 0);
    // After the kills, the files can be replaced and read.
    let store = open_s3(&url);
    publish_together(&store, ["x", "y", "z"].map(str::to_owned), "end").unwrap();
    assert_eq!(read_file(&store, "x").unwrap(), b"end");
}

#[test]
fn files_of_a_publication_that_was_killed_can_be_published_together() {
    let Some(url) = new_url() else { return };
    let (store, objects) = (open_s3(&url), Objects::new(&url));
    publish_together(&store, ["x", "y", "z"].map(str::to_owned), "old").unwrap();
    assert!(wait_until(|| objects.count("transactions") == 0));
    // The pointers as a program leaves them that is killed before its decision.
    for (key, pointer) in objects.list("names") {
        let mut pointer: Json = serde_json::from_str(&pointer).unwrap();
        pointer["pending"] = json!({ "transaction": "0".repeat(32), "entry": pointer["current"] });
        objects.put(&key, &pointer.to_string());
    }
    assert_eq!(read_file(&store, "y").unwrap(), b"old");
    // This takes as long as the program could still decide.
    publish_together(&store, ["x", "y", "z"].map(str::to_owned), "new").unwrap();
    for name in ["x", "y", "z"] {
        assert_eq!(read_file(&store, name).unwrap(), b"new");
    }
}

fn check_files(store: &Store, log: &str, round: usize) {
    let mut last_same = None;
    for line in log.lines() {
        let (kind, content) = line.split_once(' ').unwrap();
        let (of_round, number) = content.split_once(' ').unwrap();
        let read = |name: &str| read_file(store, name).unwrap_or_else(|error| panic!("{line}: {error}"));
        match kind {
            "new" => assert_eq!(read(&format!("new/{of_round}/{number}")), content.as_bytes()),
            // Large files of earlier rounds have been read already.
            "large" if of_round == round.to_string() => {
                let large = content.repeat(LARGE / content.len());
                assert!(read(&format!("large/{of_round}/{number}")) == large.as_bytes(), "{line}");
            }
            "pair" => {
                let names = ["a", "b"].map(|name| format!("pair/{of_round}/{number}/{name}"));
                assert!(names.iter().all(|name| read(name) == content.as_bytes()), "{line}");
            }
            "same" => last_same = Some(content),
            _ => {}
        }
    }
    // The files that are replaced together have the same content: the last that was acknowledged, or the next.
    let same = ["x", "y", "z"].map(|name| read_file(store, name).ok());
    assert!(same[0] == same[1] && same[1] == same[2], "{same:?}");
    let parse = |text: &str| text.split_once(' ').map(|(a, b)| (a.parse::<u32>().unwrap(), b.parse::<u32>().unwrap()));
    let found = same[0].as_deref().and_then(|text| parse(std::str::from_utf8(text).unwrap()));
    assert!(found >= last_same.and_then(parse), "{found:?} is older than {last_same:?}");
    // Of two new files, both exist or none.
    for number in (3..400).step_by(4) {
        let [a, b] = ["a", "b"].map(|name| read_file(store, &format!("pair/{round}/{number}/{name}")).is_ok());
        assert_eq!(a, b, "round {round}, files {number}");
        if !a {
            break;
        }
    }
}
