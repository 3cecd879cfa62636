//! Starts the attacked server as a separate process, with a copy of the definition and with data in a temporary folder.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Result;
use crate::client::Target;
use crate::response::Response;

/// The maximum time until a started server accepts connections.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The size of all files for download links in bytes, which the copy of the definition allows. It is small, so that an
/// attack reaches it soon.
pub const LINKS_LIMIT: u64 = 16 << 20;
/// The name of the large file that the server stores.
const LARGE_FILE: &str = "public/large.png";
/// The length of the large file in bytes.
const LARGE_FILE_LEN: usize = 8 << 20;
/// The beginning of a PNG file, from which a server detects the type of the file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The permissions of the key that the attacks use.
const KEY_SCOPE: &str = "iapi,reader,author,editor,admin";

/// Where the program and the files of the server are.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The program.
    pub program: PathBuf,
    /// The repository, with the folders `api` and `static`.
    pub repository: PathBuf,
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

    /// Returns the path of the large file, which only callers with the key may download.
    pub fn large_file_target(&self) -> String {
        format!("/iapi/file?filename={LARGE_FILE}")
    }

    /// Sends a request on a new connection, and returns the response.
    pub fn send(&self, request: &[u8]) -> Result<Response> {
        self.target.connect()?.request(request, false)
    }

    /// Sends a GET request, and returns the response.
    pub fn get(&self, target: &str) -> Result<Response> {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: attack.test\r\n\r\n").as_bytes())
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
            ("/article/3/picture", [("picture\"; filename=\"a.png", PNG), ("alt", b"A dot")]),
            ("/iapi/file", [("content\"; filename=\"a.png", &large), ("filename", LARGE_FILE.as_bytes())]),
        ];
        for (target, parts) in uploads {
            let mut body = Vec::new();
            for (name, content) in parts {
                body.extend_from_slice(
                    format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
                );
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--XX--\r\n");
            let head = format!(
                "POST {target} HTTP/1.1\r\nHost: attack.test\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
                 Content-Type: multipart/form-data; boundary=XX\r\n\r\n",
                self.key,
                body.len()
            );
            let response = self.send(&[head.as_bytes(), &body].concat())?;
            let is_stored = (200..300).contains(&response.status);
            if !is_stored {
                return Err(format!("an upload to {target} failed: {}", response.summary()).into());
            }
        }
        Ok(())
    }

    /// Returns the lines of the log that report a panic or an internal error, or that contain characters which a client
    /// must not be able to write into the log; at most `max` lines.
    pub fn suspicious_log_lines(&self, max: usize) -> Result<Vec<String>> {
        let mut reader = BufReader::new(File::open(self.log_path())?);
        let (mut found, mut line) = (Vec::new(), Vec::new());
        while found.len() < max && reader.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches('\n');
            let begins_like_a_message = text.starts_with("[20") || text.starts_with(' ');
            let is_suspicious = !begins_like_a_message
                || text.contains("panicked")
                || text.contains(" ERROR ")
                || text.contains('\u{fffd}')
                || text.contains(char::is_control);
            if is_suspicious {
                found.push(text.escape_debug().to_string());
            }
            line.clear();
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
    command.current_dir(&installation.repository).env_remove("DATABASE_URL");
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
