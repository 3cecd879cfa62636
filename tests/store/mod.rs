//! The door to stored files.

mod crashes;
pub mod faults;
mod names;
mod publishing;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use rulebook::call::Content;
use rulebook::store::{Found, Name, Precondition, Publication, Staged, Store, StoreError};

/// Where a store keeps files on their way.
const STAGING: &str = ".staging";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn staged(store: &Store, content: &[u8]) -> Staged {
    let mut writer = store.writer(1 << 30).unwrap();
    writer.write(content).unwrap();
    writer.finish().unwrap()
}

fn one(store: &Store, text: &str, content: &[u8]) -> Publication {
    Publication { staged: staged(store, content), name: name(text), precondition: Precondition::default() }
}

fn put(store: &Store, text: &str, content: &[u8]) -> Result<(), StoreError> {
    store.publish(staged(store, content), &name(text), &Precondition::default()).map(drop)
}

/// What is in a file; opened both ways, if it can be, as nobody changes it meanwhile.
fn get(store: &Store, text: &str) -> Result<Vec<u8>, StoreError> {
    let name = name(text);
    let read = store.read(&name).map(|found| (format!("{:?}", found.facts), content(found)));
    if let Some(at_once) = store.read_at_once(&name) {
        let at_once = at_once.map(|found| (format!("{:?}", found.facts), content(found)));
        assert_eq!(format!("{at_once:?}"), format!("{read:?}"), "{text} at once");
    }
    read.map(|(_, content)| content)
}

fn content(Found { content, facts }: Found) -> Vec<u8> {
    let mut bytes = Vec::new();
    match content {
        Content::File(mut file) => file.read_to_end(&mut bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(facts.length, Some(bytes.len() as u64));
    bytes
}

/// All files below a folder but those on their way, with what is in them; folders end in `/`.
pub fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if shown == STAGING {
                continue;
            }
            if path.is_dir() {
                found.insert(format!("{shown}/"), String::new());
                folders.push(path);
            } else {
                found.insert(shown, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    found
}

/// How many files are on their way, in folders of programs that live or have left them.
pub fn on_their_way(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for program in fs::read_dir(folder.join(STAGING)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            found.extend(names.filter(|name| name != "alive"));
        }
    }
    found
}
