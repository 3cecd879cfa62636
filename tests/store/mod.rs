//! The file store.

mod crashes;
pub mod disk_errors;
mod names;
mod publishing;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use rulebook::Content;
use rulebook::store::{FileName, Precondition, Publication, StagedFile, Store, StoreError, StoredFile};

/// The folder of a store that holds the staging folders.
const STAGING: &str = ".staging";

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn staged(store: &Store, content: &[u8]) -> StagedFile {
    let mut writer = store.writer(1 << 30).unwrap();
    writer.write(content).unwrap();
    writer.finish().unwrap()
}

fn publication(store: &Store, text: &str, content: &[u8]) -> Publication {
    Publication { staged: staged(store, content), name: name(text), precondition: Precondition::default() }
}

fn put(store: &Store, text: &str, content: &[u8]) -> Result<(), StoreError> {
    store.publish(staged(store, content), &name(text), &Precondition::default()).map(drop)
}

/// Reads a file. It is opened in both ways if possible, and both must agree, as nothing changes the file meanwhile.
fn get(store: &Store, text: &str) -> Result<Vec<u8>, StoreError> {
    let name = name(text);
    let read = store.read(&name).map(|file| (format!("{:?}", file.info), content(file)));
    if let Some(nonblocking) = store.read_nonblocking(&name) {
        let nonblocking = nonblocking.map(|file| (format!("{:?}", file.info), content(file)));
        assert_eq!(format!("{nonblocking:?}"), format!("{read:?}"), "{text}");
    }
    read.map(|(_, content)| content)
}

fn content(StoredFile { content, info, .. }: StoredFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    match content {
        Content::File(mut file) => file.read_to_end(&mut bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(info.length, Some(bytes.len() as u64));
    bytes
}

/// Returns all files below a folder with their contents, except staged files; the names of folders end in `/`.
pub fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if shown == STAGING {
                continue;
            }
            if path.is_dir() {
                tree.insert(format!("{shown}/"), String::new());
                folders.push(path);
            } else {
                tree.insert(shown, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    tree
}

/// Returns the names of the files in all staging folders, those of ended programs included.
pub fn staged_files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for program in fs::read_dir(folder.join(STAGING)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            files.extend(names.filter(|name| name != "alive"));
        }
    }
    files
}
