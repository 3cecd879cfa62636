//! The internal API, called over HTTP on running programs.

mod cache;
mod crashes;
mod exchange;
mod files;
mod multiple;
mod names;
mod secrets;
mod server_errors;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Connection, MultipartPart, Request, Response};
use crate::keys;
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// The first bytes of a GIF image, by which its media type is detected.
const GIF: &[u8] = b"GIF89a";
/// The folder of a store that holds the staging folders.
const STAGING: &str = ".staging";
/// The disposition of the part of an upload with the content.
const CONTENT: &str = "name=\"content\"; filename=\"it\"";
/// The disposition of the part of an upload with the file name.
const FILENAME: &str = "name=\"filename\"";

/// A server with stored files in its own folder, and a key for it. Dropping this kills the server.
pub struct Peer {
    folder: TempDir,
    key: String,
    process: Option<ServerProcess>,
    address: SocketAddr,
}

impl Peer {
    /// Starts a server of the demo's definition, with the envelope `plain`, so that errors have their own statuses.
    pub fn start() -> Self {
        Self::with(|_| ())
    }

    /// Starts a server with a changed `iapi.json`.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut peer = Self::prepared(change);
        peer.serve();
        peer
    }

    /// Creates the folder of a server without starting it.
    pub fn prepared(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = folder.path().join("api");
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
        rewrite(&api.join("iapi.json"), |definition| {
            definition["envelope"] = json!("plain");
            change(definition);
        });
        let key = keys::add_key(folder.path(), &["--name", "peer", "--scope", "iapi"]);
        Self { folder, key, process: None, address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Starts the server, after killing the running one.
    pub fn serve(&mut self) {
        let command = program(self.folder.path());
        self.serve_as(command);
    }

    /// Starts the server with a command, to which the address is added.
    pub fn serve_as(&mut self, mut command: Command) {
        self.kill();
        let address = free_address();
        self.process = Some(ServerProcess::run(&mut command, self.folder.path(), &address));
        self.address = address.parse().unwrap();
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Returns the folder of the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the stored files.
    pub fn store(&self) -> PathBuf {
        self.folder().join("data/files")
    }

    /// Creates a request with the key.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).field("authorization", format_args!("Bearer {}", self.key))
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        self.connect().send(request)
    }

    /// Creates a request for a file.
    pub fn download_request(&self, method: &str, name: &str) -> Request {
        self.request(method, &format!("/iapi/file?filename={}", encoded(name)))
    }

    #[track_caller]
    pub fn download(&self, name: &str) -> Response {
        self.send(&self.download_request("GET", name))
    }

    /// Creates a request that uploads a file.
    pub fn upload_request(&self, name: &str, content: &[u8]) -> Request {
        self.request("POST", "/iapi/file").multipart(&parts(&[(name, content)]))
    }

    #[track_caller]
    pub fn upload(&self, name: &str, content: &[u8]) -> Response {
        self.send(&self.upload_request(name, content))
    }

    /// Creates a request that uploads several files.
    pub fn upload_all_request(&self, files: &[(&str, &[u8])]) -> Request {
        self.request("POST", "/iapi/files").multipart(&parts(files))
    }

    /// Creates a request that writes caches of the texts of the site, which every database contains, to this folder.
    pub fn cache_request(&self, folder: &str) -> Request {
        let form = format!(
            "fromDB=user_info.intro_json&storePath={folder}&keys=id001,id002,id003&filenames=1.json,2.json,3.json"
        );
        self.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
    }

    /// Returns all stored files and folders, without staged files.
    pub fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.store())
    }

    /// Waits until this number of files is staged; staged files are removed at the end of their request.
    #[track_caller]
    pub fn assert_staged(&self, count: usize) {
        let staged = || staged_files(&self.store());
        assert!(crate::client::wait_until(|| staged().len() == count), "{:?}", staged());
    }

    /// Asserts that the server is ready, and stores and returns a file.
    #[track_caller]
    pub fn assert_healthy(&self) {
        let ready = self.send(&Request::new("GET", "/readyz"));
        assert_eq!(ready.status, 200, "{ready:?}");
        let content = [GIF, b"healthy"].concat();
        let stored = self.upload("public/healthy.gif", &content);
        assert_eq!(stored.status, 204, "{stored:?}");
        assert!(self.download("public/healthy.gif").body == content);
        fs::remove_file(self.store().join("public/healthy.gif")).unwrap();
    }
}

/// Changes a file of the definition. Its comments are lost.
fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(path).unwrap();
    let mut definition = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap();
    change(&mut definition);
    fs::write(path, definition.to_string()).unwrap();
}

/// Returns the parts of an upload of these files.
fn parts<'a>(files: &[(&'a str, &'a [u8])]) -> Vec<MultipartPart<'a>> {
    let part = |(name, content): &(&'a str, &'a [u8])| [(CONTENT, *content), (FILENAME, name.as_bytes())];
    files.iter().flat_map(part).collect()
}

/// Encodes a text for a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns the entity tag of this content.
fn tag(content: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(content).to_hex())
}

/// Returns all files below a folder with their contents, without staged files; the names of folders end in `/`, and the
/// content of a link is its target.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut tree = BTreeMap::new();
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
                tree.insert(format!("{shown}/"), Vec::new());
                folders.push(path);
            } else if kind.is_symlink() {
                tree.insert(shown, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
            } else if kind.is_file() {
                tree.insert(shown, fs::read(&path).unwrap());
            }
        }
    }
    tree
}

/// Returns the paths of all staged files, those of killed servers included.
fn staged_files(store: &Path) -> Vec<PathBuf> {
    let mut staged = Vec::new();
    for program in fs::read_dir(store.join(STAGING)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            // A server that ends removes its folder at any time.
            let files = fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path());
            staged.extend(files.filter(|file| !file.ends_with("alive")));
        }
    }
    staged
}
