//! The internal API from outside: the program with its files, asked by others over HTTP.

mod cache;
mod crashes;
mod exchange;
mod files;
mod names;
mod secrets;
mod several;
mod trouble;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, Connection, MultipartPart, Request};
use crate::keys;
use crate::served::{Served, copy_files, free_address, program};

/// What begins like this is a picture to whoever looks at its first bytes.
const GIF: &[u8] = b"GIF89a";
/// Where a store keeps files on their way.
const STAGING: &str = ".staging";
/// The dispositions of the parts of an upload.
const CONTENT: &str = "name=\"content\"; filename=\"it\"";
const FILENAME: &str = "name=\"filename\"";

/// A server with stored files, in a folder of its own, and a key for it. It is killed when this is dropped.
pub struct Peer {
    folder: TempDir,
    key: String,
    served: Option<Served>,
    address: SocketAddr,
}

impl Peer {
    /// A server of the demo's definition, as it is, but with refusals that have statuses of their own.
    pub fn start() -> Self {
        Self::with(|_| ())
    }

    /// The same with a changed `iapi.json`.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut peer = Self::prepared(change);
        peer.serve();
        peer
    }

    /// All that a server needs, which is not started yet.
    pub fn prepared(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = folder.path().join("api");
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
        rewrite(&api.join("iapi.json"), |definition| {
            definition["envelope"] = json!("plain");
            change(definition);
        });
        let key = keys::add(folder.path(), &["--name", "peer", "--scope", "iapi"]);
        Self { folder, key, served: None, address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Starts the server; the one that runs, if any, is killed.
    pub fn serve(&mut self) {
        let command = program(self.folder.path());
        self.serve_as(command);
    }

    /// Starts the server by a command that has all but the address.
    pub fn serve_as(&mut self, mut command: Command) {
        self.kill();
        let address = free_address();
        self.served = Some(Served::run(&mut command, self.folder.path(), &address));
        self.address = address.parse().unwrap();
    }

    /// As by `kill -9`.
    pub fn kill(&mut self) {
        self.served = None;
    }

    /// The folder that it works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of its stored files.
    pub fn store(&self) -> PathBuf {
        self.folder().join("data/files")
    }

    /// A request by whoever has the key.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).field("authorization", format_args!("Bearer {}", self.key))
    }

    pub fn connect(&self) -> Connection {
        Connection::to(self.address)
    }

    #[track_caller]
    pub fn send(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }

    /// A request that asks for a file.
    pub fn asking(&self, method: &str, name: &str) -> Request {
        self.request(method, &format!("/iapi/file?filename={}", encoded(name)))
    }

    #[track_caller]
    pub fn download(&self, name: &str) -> Answer {
        self.send(&self.asking("GET", name))
    }

    /// A request with a file.
    pub fn sending(&self, name: &str, content: &[u8]) -> Request {
        self.request("POST", "/iapi/file").multipart(&parts(&[(name, content)]))
    }

    #[track_caller]
    pub fn upload(&self, name: &str, content: &[u8]) -> Answer {
        self.send(&self.sending(name, content))
    }

    /// A request with several files.
    pub fn sending_all(&self, files: &[(&str, &[u8])]) -> Request {
        self.request("POST", "/iapi/files").multipart(&parts(files))
    }

    /// A request that has the texts of the site, which every database has, written into this folder.
    pub fn caching(&self, folder: &str) -> Request {
        let form = format!(
            "fromDB=user_info.intro_json&storePath={folder}&keys=id001,id002,id003&filenames=1.json,2.json,3.json"
        );
        self.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
    }

    /// All stored files and their folders, those on their way left out.
    pub fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.store())
    }

    /// Which files are on their way, waited for until it is so many: they go when their request does.
    #[track_caller]
    pub fn assert_on_their_way(&self, count: usize) {
        let there = || on_their_way(&self.store());
        assert!(crate::client::wait(|| there().len() == count), "{:?}", there());
    }

    /// Asserts that all is well with it: it says so, and keeps a file and gives it.
    #[track_caller]
    pub fn assert_healthy(&self) {
        let ready = self.send(&Request::new("GET", "/readyz"));
        assert_eq!(ready.status, 200, "{ready:?}");
        let content = [GIF, b"healthy"].concat();
        let kept = self.upload("public/healthy.gif", &content);
        assert_eq!(kept.status, 204, "{kept:?}");
        assert!(self.download("public/healthy.gif").body == content);
        fs::remove_file(self.store().join("public/healthy.gif")).unwrap();
    }
}

/// Changes a file of the definition.
fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(path).unwrap();
    let mut definition = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap();
    change(&mut definition);
    fs::write(path, definition.to_string()).unwrap();
}

/// The parts of a form with files and their names.
fn parts<'a>(files: &[(&'a str, &'a [u8])]) -> Vec<MultipartPart<'a>> {
    let part = |(name, content): &(&'a str, &'a [u8])| [(CONTENT, *content), (FILENAME, name.as_bytes())];
    files.iter().flat_map(part).collect()
}

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The tag of this content.
fn tag(content: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(content).to_hex())
}

/// All files below a folder but those on their way, with what is in them; folders end in `/`. Links are not followed.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let shown = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.file_name().is_some_and(|name| name == STAGING) {
                continue;
            }
            if kind.is_dir() {
                found.insert(format!("{shown}/"), Vec::new());
                folders.push(path);
            } else if kind.is_symlink() {
                found.insert(shown, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
            } else if kind.is_file() {
                found.insert(shown, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Which files are on their way, of servers that live or have been killed.
fn on_their_way(store: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for program in fs::read_dir(store.join(STAGING)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            // One that comes to its end takes its folder along.
            let files = fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path());
            found.extend(files.filter(|file| !file.ends_with("alive")));
        }
    }
    found
}
