//! Tests the internal API, with which servers exchange files and caches, over HTTP on running programs.

mod cache;
mod crashes;
mod exchange;
mod files;
mod harmful_names;
mod multiple;
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

/// The first bytes of a GIF image, from which its media type is detected.
const GIF_START: &[u8] = b"GIF89a";
/// The folder in a store (the folder of stored files) for staged files, which have not been received completely.
const STAGING_FOLDER: &str = ".staging";
/// `Content-Disposition` of the part of an upload that contains the content.
const CONTENT_DISPOSITION: &str = "name=\"content\"; filename=\"it\"";
/// `Content-Disposition` of the part of an upload that contains the file name.
const FILENAME_DISPOSITION: &str = "name=\"filename\"";

/// A server with stored files in a temporary folder, and an API key for the server. The server is killed when this
/// value is dropped.
pub struct InternalApiServer {
    folder: TempDir,
    api_key: String,
    process: Option<ServerProcess>,
    address: SocketAddr,
}

impl InternalApiServer {
    /// Returns the id of the server's process.
    #[cfg(target_os = "linux")]
    fn process_id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Starts a server of the demo's definition. Its envelope is `plain`, so that each error has its HTTP status.
    pub fn start() -> Self {
        Self::with_definition(|_| ())
    }

    /// Starts a server after changing the definition in `iapi.json`.
    pub fn with_definition(change: impl FnOnce(&mut Value)) -> Self {
        let mut peer = Self::without_start(change);
        peer.start_process();
        peer
    }

    /// Creates the folder of a server with a changed definition, but does not start the server.
    pub fn without_start(change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = folder.path().join("api");
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
        change_definition(&api.join("iapi.json"), |definition| {
            definition["envelope"] = json!("plain");
            change(definition);
        });
        let api_key = keys::add_key(folder.path(), &["--name", "peer", "--scope", "iapi"]);
        Self { folder, api_key, process: None, address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Starts the server. If the server is already running, it is killed first.
    pub fn start_process(&mut self) {
        let command = program(self.folder.path());
        self.start_command(command);
    }

    /// Starts the server with a command, to which the argument with the address is added.
    pub fn start_command(&mut self, mut command: Command) {
        self.kill();
        let address = free_address();
        self.process = Some(ServerProcess::run(&mut command, self.folder.path(), &address));
        self.address = address.parse().unwrap();
    }

    /// Kills the server with the signal SIGKILL.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Returns the folder of the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the store, which is the folder of the stored files.
    pub fn store(&self) -> PathBuf {
        self.folder().join("data/files")
    }

    /// Creates a request that contains the API key.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target).field("authorization", format_args!("Bearer {}", self.api_key))
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        self.connect().send(request)
    }

    /// Creates a GET or HEAD request for a file.
    pub fn download_request(&self, method: &str, name: &str) -> Request {
        self.request(method, &format!("/iapi/file?filename={}", form_encoded(name)))
    }

    #[track_caller]
    pub fn download(&self, name: &str) -> Response {
        self.send(&self.download_request("GET", name))
    }

    /// Creates a request that uploads one file.
    pub fn upload_request(&self, name: &str, content: &[u8]) -> Request {
        self.request("POST", "/iapi/file").multipart(&upload_parts(&[(name, content)]))
    }

    #[track_caller]
    pub fn upload(&self, name: &str, content: &[u8]) -> Response {
        self.send(&self.upload_request(name, content))
    }

    /// Creates a request that uploads several files at once.
    pub fn upload_all_request(&self, files: &[(&str, &[u8])]) -> Request {
        self.request("POST", "/iapi/files").multipart(&upload_parts(files))
    }

    /// Creates a request that writes caches to this folder. Their values are texts of the demo's site, which every new
    /// database contains.
    pub fn cache_request(&self, folder: &str) -> Request {
        let form = format!(
            "fromDB=user_info.intro_json&storePath={folder}&keys=id001,id002,id003&filenames=1.json,2.json,3.json"
        );
        self.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
    }

    /// Returns all stored files and folders, except staged files.
    pub fn stored_tree(&self) -> BTreeMap<String, Vec<u8>> {
        folder_tree(&self.store())
    }

    /// Waits until this number of staged files exists. Staged files are removed when their request ends.
    #[track_caller]
    pub fn assert_staged(&self, count: usize) {
        let staged = || staged_files(&self.store());
        assert!(crate::client::wait_until(|| staged().len() == count), "{:?}", staged());
    }

    /// Asserts that the server is ready, and that it can store and return a file.
    #[track_caller]
    pub fn assert_healthy(&self) {
        let ready = self.send(&Request::new("GET", "/readyz"));
        assert_eq!(ready.status, 200, "{ready:?}");
        let content = [GIF_START, b"healthy"].concat();
        let stored = self.upload("public/healthy.gif", &content);
        assert_eq!(stored.status, 204, "{stored:?}");
        assert!(self.download("public/healthy.gif").body == content);
        fs::remove_file(self.store().join("public/healthy.gif")).unwrap();
    }
}

/// Changes a JSON file of the definition. Comments in the file are lost.
fn change_definition(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(path).unwrap();
    let mut definition = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap();
    change(&mut definition);
    fs::write(path, definition.to_string()).unwrap();
}

/// Returns the multipart parts of an upload of these files: a name and a content for each file.
fn upload_parts<'a>(files: &[(&'a str, &'a [u8])]) -> Vec<MultipartPart<'a>> {
    let part = |(name, content): &(&'a str, &'a [u8])| {
        [(CONTENT_DISPOSITION, *content), (FILENAME_DISPOSITION, name.as_bytes())]
    };
    files.iter().flat_map(part).collect()
}

/// Encodes a text for a query string or a form.
fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns the entity tag of a file with this content.
fn entity_tag(content: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(content).to_hex())
}

/// Returns all files and folders below a folder, except staged files, with the contents of files. The names of folders
/// end in `/`, and the content of a symbolic link is its target.
fn folder_tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut tree = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            let shown = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.file_name().is_some_and(|name| name == STAGING_FOLDER) {
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

/// Returns the paths of all staged files, including those of killed servers.
fn staged_files(store: &Path) -> Vec<PathBuf> {
    let mut staged = Vec::new();
    for program in fs::read_dir(store.join(STAGING_FOLDER)).unwrap() {
        let path = program.unwrap().path();
        if path.is_dir() {
            // A server that ends removes its own folder of staged files, perhaps at this moment.
            let files = fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path());
            staged.extend(files.filter(|file| !file.ends_with("alive")));
        }
    }
    staged
}
