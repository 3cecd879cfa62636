//! Starts the attacked server as a separate process, with a copy of the definition and with data in a temporary folder.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use tempfile::TempDir;

use crate::Result;
use crate::client::{TIMEOUT, Target};
use crate::response::Response;
use crate::rows::{get, post};

/// The size of all files for download links in bytes, which the copy of the definition allows. It is small, so that an
/// attack reaches it soon.
pub const LINKS_LIMIT: u64 = 16 << 20;
/// The name of the large file that the server stores, which only callers with the key may download.
const LARGE_FILE: &str = "public/large.png";
/// The request target of the large file.
pub const LARGE_FILE_TARGET: &str = "/iapi/file?filename=public/large.png";
/// The length of the large file in bytes.
const LARGE_FILE_LEN: usize = 8 << 20;
/// The beginning of a PNG file, from which a server detects the type of the file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The permissions of the key that the attacks use.
const KEY_SCOPE: &str = "iapi,reader,author,editor,admin";

/// Where the program and the files of the server are.
#[derive(Debug, Clone, Args)]
pub struct Installation {
    /// Program of the server
    #[arg(long = "server", value_name = "FILE", default_value = "target/release/article-site", value_parser = find)]
    pub program: PathBuf,
    /// Folder of the repository, which contains the folders `api` and `static`
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = find)]
    pub repository: PathBuf,
}

fn find(path: &str) -> std::io::Result<PathBuf> {
    Path::new(path).canonicalize()
}

/// A running server process, which is killed when this value is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The address of the server.
    pub target: Target,
    /// An API key with all permissions.
    pub key: String,
    folder: TempDir,
}

impl Server {
    /// Starts a server, and stores a picture and a large file in it.
    pub fn start(installation: &Installation) -> Result<Self> {
        let folder = TempDir::new()?;
        copy_definition(&installation.repository.join("api"), &folder.path().join("api"))?;
        let mut keys = command(installation, folder.path(), &installation.program);
        let keys = keys.args(["keys", "add", "--name", "attack", "--force", "--scope", KEY_SCOPE]).output()?;
        let key = String::from_utf8(keys.stdout)?.trim().to_owned();
        if key.is_empty() {
            return Err(format!("no key: {}", String::from_utf8_lossy(&keys.stderr)).into());
        }
        let target = Target::new(free_address()?)?;
        // The server ends with this program, also if this program is killed.
        let mut serve = command(installation, folder.path(), Path::new("setpriv"));
        serve.args(["--pdeathsig", "KILL", "--"]).arg(&installation.program);
        serve.args(["serve", "--workers", "2", "--bind", &target.address().to_string()]);
        serve.arg("--static").arg(installation.repository.join("static"));
        let child = serve.stdout(Stdio::null()).stderr(File::create(folder.path().join("log"))?).spawn();
        let child = child.map_err(|error| format!("setpriv, which util-linux contains, cannot run: {error}"))?;
        let mut server = Self { child, target, key, folder };
        let started = Instant::now();
        while target.connect().is_err() {
            if !server.is_running()? || started.elapsed() > TIMEOUT {
                return Err(format!("the server does not start: {}", fs::read_to_string(server.log_path())?).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        server.store_files()?;
        Ok(server)
    }

    /// Returns the id of the process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Returns `true` if the process has not ended.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Returns the file with the log of the server.
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Returns the folder with the files of download links.
    pub fn links_folder(&self) -> PathBuf {
        self.folder.path().join("data/links")
    }

    /// Returns a request in which the text `{key}` is replaced by the key.
    pub fn with_key(&self, request: &[u8]) -> Vec<u8> {
        const PLACE: &[u8] = b"{key}";
        match request.windows(PLACE.len()).position(|window| window == PLACE) {
            Some(at) => [&request[..at], self.key.as_bytes(), &request[at + PLACE.len()..]].concat(),
            None => request.to_vec(),
        }
    }

    /// Sends a GET request on a new connection, and returns the response.
    pub fn get(&self, target: &str) -> Result<Response> {
        self.target.connect()?.request(&get(target, ""), false)
    }

    /// Returns the number of requests to which the server has responded, as its metrics report it.
    pub fn request_count(&self) -> Result<u64> {
        let text = String::from_utf8(self.get("/metrics")?.body)?;
        let lines = text.lines().filter(|line| line.starts_with("rulebook_requests_total{"));
        let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(counts.sum::<f64>() as u64)
    }

    fn store_files(&self) -> Result<()> {
        let large = [PNG, &vec![0; LARGE_FILE_LEN - PNG.len()]].concat();
        let uploads = [
            ("/article/3/picture", "picture", PNG, ("alt", "A dot")),
            ("/iapi/file", "content", &large, ("filename", LARGE_FILE)),
        ];
        for (target, name, file, (other, value)) in uploads {
            let part = |name| format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"");
            let head = format!("{}; filename=\"a.png\"\r\n\r\n", part(name));
            let end = format!("\r\n{}\r\n\r\n{value}\r\n--XX--\r\n", part(other));
            let media_type = format!("multipart/form-data; boundary=XX\r\nAuthorization: Bearer {}", self.key);
            let request = post(target, &media_type, &[head.as_bytes(), file, end.as_bytes()].concat());
            let response = self.target.connect()?.request(&request, false)?;
            if !matches!(response.status, 201 | 204) {
                return Err(format!("an upload to {target} failed: {}", response.summary()).into());
            }
        }
        Ok(())
    }

    /// Returns the lines of the log that report a panic or an internal error, or that contain characters which a client
    /// must not be able to write into the log; at most `max` lines.
    pub fn suspicious_log_lines(&self, max: usize) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for line in BufReader::new(File::open(self.log_path())?).split(b'\n') {
            let line = line?;
            let text = String::from_utf8_lossy(&line);
            let begins_like_a_message = text.starts_with("[20") || text.starts_with(' ');
            let is_suspicious = !begins_like_a_message
                || text.contains("panicked")
                || text.contains(" ERROR ")
                || text.contains('\u{fffd}')
                || text.contains(char::is_control);
            if is_suspicious && found.len() < max {
                found.push(text.escape_debug().to_string());
            }
        }
        Ok(found)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing the process fails if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a command with the settings of the server and without those of the caller's environment.
fn command(installation: &Installation, folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&installation.repository);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("RULEBOOK_") {
            command.env_remove(name);
        }
    }
    command.env("RULEBOOK_API", folder.join("api")).env("RULEBOOK_DATA", folder.join("data"));
    command
}

/// Copies the definition, and sets the limit of the files for download links.
fn copy_definition(from: &Path, to: &Path) -> Result<()> {
    const LIMITS: &str = "\"limits\": {";
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?;
        let text = text.replacen(LIMITS, &format!("{LIMITS} \"links\": {LINKS_LIMIT},"), 1);
        fs::write(to.join(entry.file_name()), text)?;
    }
    Ok(())
}

/// Returns a loopback address with a free port.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
