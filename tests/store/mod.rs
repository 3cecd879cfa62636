//! Tests of the file store, in which a server stores uploaded files.

mod crashes;
pub mod disk_errors;
mod locations;
mod names;
mod publishing;
mod remembered;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use rulebook::Content;
use rulebook::store::{FileName, Precondition, Publication, StagedFile, Store, StoreError, StoredFile};

/// The folder of a store that contains the staging folders: folders with files that are not published yet.
const STAGING_FOLDER: &str = ".staging";

fn file_name(text: &str) -> FileName {
    FileName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn stage_file(store: &Store, content: &[u8]) -> StagedFile {
    let mut writer = store.writer(1 << 30).unwrap();
    writer.write(content).unwrap();
    writer.finish().unwrap()
}

fn new_publication(store: &Store, text: &str, content: &[u8]) -> Publication {
    Publication { staged: stage_file(store, content), name: file_name(text), precondition: Precondition::default() }
}

fn publish_file(store: &Store, text: &str, content: &[u8]) -> Result<(), StoreError> {
    store.publish(stage_file(store, content), &file_name(text), &Precondition::default()).map(drop)
}

/// Reads a stored file. If the store can open it without blocking, asserts that this has the same result.
fn read_file(store: &Store, text: &str) -> Result<Vec<u8>, StoreError> {
    let name = file_name(text);
    let read = store.read(&name).map(|file| (format!("{:?}", file.info), read_content(file)));
    if let Some(nonblocking) = store.read_nonblocking(&name) {
        let nonblocking = nonblocking.map(|file| (format!("{:?}", file.info), read_content(file)));
        assert_eq!(format!("{nonblocking:?}"), format!("{read:?}"), "{text}");
    }
    read.map(|(_, content)| content)
}

fn read_content(StoredFile { content, info, .. }: StoredFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    match content {
        Content::File(mut file) => drop(file.read_to_end(&mut bytes).unwrap()),
        Content::Bytes(content) => bytes.extend_from_slice(&content),
        other => panic!("{other:?}"),
    }
    assert_eq!(info.length, Some(bytes.len() as u64));
    bytes
}

/// Returns all files and folders below a folder except staged files. The map keys are their paths, which end in `/` for
/// a folder; the values are the contents of the files.
pub fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if shown == STAGING_FOLDER {
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

/// Returns the names of the files in all staging folders, including those of programs that have ended.
pub fn staged_files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for program in fs::read_dir(folder.join(STAGING_FOLDER)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            files.extend(names.filter(|name| name != "alive"));
        }
    }
    files
}
