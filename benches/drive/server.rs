//! The servers, each in its own process. A server ends when its handle is dropped or this process ends.

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
use crate::cases::Setup;
use crate::files;

/// Timeout for the start of a server.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Written by hand.
    Hand,
    /// Served from a definition.
    Rulebook,
}

impl Kind {
    /// Returns the command that runs the server.
    fn command(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Rulebook => "rulebook",
        }
    }

    /// Returns the name of the server in the output.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hand => "by hand",
            Self::Rulebook => "rulebook",
        }
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// The address on which the server listens.
    pub address: SocketAddr,
}

/// Both servers of the same endpoints.
pub struct Pair {
    hand: Server,
    rulebook: Server,
    /// Time in milliseconds that rulebook needed from reading the definition to being ready.
    pub ready_after: f64,
    /// The files that the servers read.
    _folder: TempDir,
}

impl Pair {
    /// Starts both servers.
    pub fn start(setup: Setup) -> Result<Self, Box<dyn Error>> {
        let folder = folder(setup)?;
        let from = |flag: &str| [OsString::from(flag), folder.path().into()];
        let arguments = match setup {
            Setup::Endpoints => Vec::new(),
            Setup::Articles => from("--articles").into(),
            Setup::Files { .. } | Setup::Nginx | Setup::Uploads => {
                files::store(&folder.path().join("data/files"))?;
                from("--files").into()
            }
            Setup::Keys(keys) => vec!["--keys".into(), keys.to_string().into()],
            Setup::Many(services) => vec!["--services".into(), services.to_string().into()],
        };
        let mut rulebook = Server::start(Kind::Rulebook, &arguments)?;
        let ready_after = rulebook.ready_after()?;
        let arguments = match setup {
            Setup::Endpoints => {
                // The other server serves the same documents as bytes.
                documents::fetch(rulebook.address, folder.path())?;
                from("--documents").into()
            }
            Setup::Articles => {
                // The first request creates the database.
                ureq::get(format!("http://{}/article/1", rulebook.address)).call()?;
                arguments
            }
            Setup::Files { nodelay: true } => [arguments, vec!["--nodelay".into()]].concat(),
            Setup::Files { nodelay: false } | Setup::Nginx | Setup::Uploads | Setup::Keys(_) | Setup::Many(_) => {
                arguments
            }
        };
        let hand = match setup {
            Setup::Nginx => Server::nginx(folder.path())?,
            _ => Server::start(Kind::Hand, &arguments)?,
        };
        Ok(Self { hand, rulebook, ready_after, _folder: folder })
    }

    /// Returns one of the servers.
    pub fn of(&self, kind: Kind) -> &Server {
        match kind {
            Kind::Hand => &self.hand,
            Kind::Rulebook => &self.rulebook,
        }
    }
}

impl Server {
    fn start(kind: Kind, arguments: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let program = env::current_exe()?;
        let common = [kind.command(), "--attached", "--bind", &address.to_string()].map(OsString::from);
        Self::run(kind.title(), address, program.as_os_str(), &[&common, arguments].concat())
    }

    /// Starts nginx with the files of this folder, in a configuration for performance.
    fn nginx(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log nginx.log;\n\
             events {{}}\n\
             http {{\n\
             access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
             server {{ listen {address}; root {}; location = {} {{ try_files /$arg_filename =404; }} }}\n\
             }}\n",
            folder.join("data/files").display(),
            files::PATH,
        );
        let configuration = folder.join("nginx.conf");
        fs::write(&configuration, text)?;
        let arguments =
            ["-p".into(), folder.into(), "-e".into(), "nginx.log".into(), "-c".into(), configuration.into()];
        Self::run("nginx", address, OsStr::new("nginx"), &arguments)
    }

    fn run(title: &str, address: SocketAddr, program: &OsStr, arguments: &[OsString]) -> Result<Self, Box<dyn Error>> {
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

    /// Returns the id of the process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_it_listens(&mut self, title: &str) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server {title} did not start: {status}").into());
            }
            if begun.elapsed() > TIMEOUT {
                return Err(format!("the server {title} does not listen after {TIMEOUT:?}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Reads the line that the server prints before it listens: a time in milliseconds.
    fn ready_after(&mut self) -> Result<f64, Box<dyn Error>> {
        let stdout = self.child.stdout.as_mut().ok_or("the server has no output")?;
        let mut line = String::new();
        // No number is as long as the limit.
        BufReader::new(stdout.take(100)).read_line(&mut line)?;
        let number = line.trim().parse();
        number.map_err(|_| format!("the server printed {line:?} instead of its start time").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates the folder of the servers. For uploads it is in memory, if the system supports that: rulebook syncs files to
/// the disk, the other server does not.
fn folder(setup: Setup) -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    match setup {
        Setup::Uploads if memory.is_dir() => tempfile::tempdir_in(memory),
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
