//! Starts and stops the servers. Each server runs in a separate process, which ends when its [`Server`] is dropped or
//! when the benchmark program ends.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use super::{SERVER_CORE, documents};
use crate::cases::ServedContent;
use crate::files;

/// Maximum time until a started server listens.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Which of the two compared servers is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The server that is written by hand, or nginx.
    Hand,
    /// The rulebook server.
    Rulebook,
}

impl ServerKind {
    /// Returns the command of the benchmark program that runs this server.
    fn subcommand(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Rulebook => "rulebook",
        }
    }

    /// Returns the name of the server in the table of results.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hand => "by hand",
            Self::Rulebook => "rulebook",
        }
    }
}

/// A running server process.
pub struct Server {
    child: Child,
    /// The address on which the server listens.
    pub address: SocketAddr,
}

/// The two servers that are compared. Both serve the same endpoints.
pub struct ServerPair {
    hand: Server,
    rulebook: Server,
    /// Time in milliseconds from the start of reading the definition until the rulebook server was ready.
    pub milliseconds_to_ready: f64,
    /// The folder with the files that the servers read. It is removed with this value.
    _folder: TempDir,
}

impl ServerPair {
    /// Starts both servers.
    pub fn start(content: ServedContent) -> Result<Self, Box<dyn Error>> {
        let folder = create_server_folder(content)?;
        let with_folder = |flag: &str| [OsString::from(flag), folder.path().into()];
        let arguments = match content {
            ServedContent::Endpoints => Vec::new(),
            ServedContent::VerifiedEndpoints => vec!["--verify-outputs".into()],
            ServedContent::Articles => with_folder("--articles").into(),
            ServedContent::Files { .. } | ServedContent::Nginx | ServedContent::Uploads => {
                files::store_files(&folder.path().join("data/files"))?;
                with_folder("--files").into()
            }
            ServedContent::BearerKeys(keys) => vec!["--keys".into(), keys.to_string().into()],
            ServedContent::ManyServices(services) => vec!["--services".into(), services.to_string().into()],
        };
        let mut rulebook = Server::start(ServerKind::Rulebook, &arguments)?;
        let milliseconds_to_ready = rulebook.read_milliseconds_to_ready()?;
        let arguments = match content {
            ServedContent::Endpoints => {
                // The hand-written server serves copies of the documents.
                documents::download_documents(rulebook.address, folder.path())?;
                with_folder("--documents").into()
            }
            ServedContent::Articles => {
                // The first request creates the database that both servers read.
                ureq::get(format!("http://{}/article/1", rulebook.address)).call()?;
                arguments
            }
            ServedContent::Files { nodelay: true } => [arguments, vec!["--nodelay".into()]].concat(),
            ServedContent::VerifiedEndpoints => Vec::new(),
            ServedContent::Files { nodelay: false }
            | ServedContent::Nginx
            | ServedContent::Uploads
            | ServedContent::BearerKeys(_)
            | ServedContent::ManyServices(_) => arguments,
        };
        let hand = match content {
            ServedContent::Nginx => Server::start_nginx(folder.path())?,
            _ => Server::start(ServerKind::Hand, &arguments)?,
        };
        Ok(Self { hand, rulebook, milliseconds_to_ready, _folder: folder })
    }

    /// Returns the server of this kind.
    pub fn server(&self, kind: ServerKind) -> &Server {
        match kind {
            ServerKind::Hand => &self.hand,
            ServerKind::Rulebook => &self.rulebook,
        }
    }
}

impl Server {
    fn start(kind: ServerKind, arguments: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let program = env::current_exe()?;
        let common = [kind.subcommand(), "--attached", "--bind", &address.to_string()].map(OsString::from);
        Self::start_program(kind.title(), address, program.as_os_str(), &[&common, arguments].concat())
    }

    /// Starts nginx for the files in this folder, with settings for high performance.
    fn start_nginx(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log nginx.log;\n\
             events {{}}\n\
             http {{\n\
             access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
             server {{ listen {address}; root {}; location = {} {{ try_files /$arg_filename =404; }} }}\n\
             }}\n",
            folder.join("data/files").display(),
            files::ENDPOINT_PATH,
        );
        let configuration = folder.join("nginx.conf");
        fs::write(&configuration, text)?;
        let arguments =
            ["-p".into(), folder.into(), "-e".into(), "nginx.log".into(), "-c".into(), configuration.into()];
        Self::start_program("nginx", address, OsStr::new("nginx"), &arguments)
    }

    fn start_program(
        title: &str,
        address: SocketAddr,
        program: &OsStr,
        arguments: &[OsString],
    ) -> Result<Self, Box<dyn Error>> {
        let child = Command::new("taskset")
            .args(["--cpu-list", &SERVER_CORE.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start taskset: {error}"))?;
        let mut server = Self { child, address };
        server.wait_until_it_listens(title)?;
        Ok(server)
    }

    /// Returns the id of the server's process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_it_listens(&mut self, title: &str) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server {title} did not start: {status}").into());
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(format!("the server {title} does not listen after {START_TIMEOUT:?}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Reads the line that the server prints before it listens: the time in milliseconds that it needed to be ready.
    fn read_milliseconds_to_ready(&mut self) -> Result<f64, Box<dyn Error>> {
        let stdout = self.child.stdout.as_mut().ok_or("the server has no output")?;
        let mut line = String::new();
        // A line with a number is shorter than this limit.
        BufReader::new(stdout.take(100)).read_line(&mut line)?;
        let number = line.trim().parse();
        number.map_err(|_| format!("the server printed {line:?} instead of its start time").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing fails if the server has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates the folder for the files of the servers. For uploads, it is in memory if the system has such a folder,
/// because only rulebook waits until files are on the disk, which would make the comparison unfair.
fn create_server_folder(content: ServedContent) -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    match content {
        ServedContent::Uploads if memory.is_dir() => tempfile::tempdir_in(memory),
        _ => tempfile::tempdir(),
    }
}

/// Returns `true` if nginx is installed.
pub fn has_nginx() -> bool {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Returns an address on which no program was listening a moment ago.
fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
