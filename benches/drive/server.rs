//! The servers as processes of their own. They end when their handle is dropped or this process dies.

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

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Written by hand.
    Hand,
    /// Served from a definition.
    Rulebook,
}

impl Kind {
    /// The command that serves it.
    fn command(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Rulebook => "rulebook",
        }
    }

    /// What the output calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hand => "by hand",
            Self::Rulebook => "rulebook",
        }
    }
}

/// A server that runs.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Both servers of the same endpoints.
pub struct Pair {
    hand: Server,
    rulebook: Server,
    /// Milliseconds that rulebook needed from the definition's text to a server.
    pub ready_after: f64,
    /// What they read from.
    _folder: TempDir,
}

impl Pair {
    /// Starts both.
    pub fn start(setup: Setup) -> Result<Self, Box<dyn Error>> {
        let folder = folder(setup)?;
        let from = |flag: &str| [OsString::from(flag), folder.path().into()];
        let arguments = match setup {
            Setup::Endpoints => Vec::new(),
            Setup::Articles => from("--articles").into(),
            Setup::Files { .. } | Setup::Nginx | Setup::Uploads => {
                files::keep(&folder.path().join("data/files"))?;
                from("--files").into()
            }
            Setup::Keys(keys) => vec!["--keys".into(), keys.to_string().into()],
            Setup::Many(services) => vec!["--services".into(), services.to_string().into()],
        };
        let mut rulebook = Server::start(Kind::Rulebook, &arguments)?;
        let ready_after = rulebook.ready_after()?;
        let arguments = match setup {
            Setup::Endpoints => {
                // Documents are compared by the bytes that rulebook makes: the other server has them ready too.
                documents::fetch(rulebook.address, folder.path())?;
                from("--documents").into()
            }
            Setup::Articles => {
                // The database is made when it is first read.
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

    /// One of them.
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
        let own = [kind.command(), "--attached", "--bind", &address.to_string()].map(OsString::from);
        Self::run(kind.title(), address, program.as_os_str(), &[&own, arguments].concat())
    }

    /// nginx, that sends the files of this folder as one who knows it would have it do.
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

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_it_listens(&mut self, title: &str) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server {title} did not start: {status}").into());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("the server {title} does not listen after {PATIENCE:?}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// What it prints before it listens: a number of milliseconds, alone on a line.
    fn ready_after(&mut self) -> Result<f64, Box<dyn Error>> {
        let stdout = self.child.stdout.as_mut().ok_or("the server has no output")?;
        let mut line = String::new();
        // The limit is far beyond any number.
        BufReader::new(stdout.take(100)).read_line(&mut line)?;
        let number = line.trim().parse();
        number.map_err(|_| format!("the server says {line:?} where it should say how long it took to start").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for what is served; in memory for uploads, where the system has such a place: rulebook waits until the disk
/// has them, the other server does not.
fn folder(setup: Setup) -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    match setup {
        Setup::Uploads if memory.is_dir() => tempfile::tempdir_in(memory),
        _ => tempfile::tempdir(),
    }
}

/// Whether nginx is installed.
pub fn has_nginx() -> bool {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// An address that nobody listened at a moment ago.
fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
