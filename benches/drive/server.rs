//! Starts the servers. Each server runs in a separate process, which ends when its [`Server`] is dropped or when the
//! benchmark program ends.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use tempfile::TempDir;

use super::process::{Process, free_address};
use super::{SERVER_CORE, documents};
use crate::cases::ServedContent;
use crate::{files, kinds};

/// Which of the two compared servers is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The server that is written by hand, or another one that rulebook is compared with.
    Hand,
    /// The rulebook server.
    Rulebook,
}

impl ServerKind {
    /// Returns the command of the benchmark program that runs this server.
    pub fn subcommand(self) -> &'static str {
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
    process: Process,
    /// The address on which the server listens.
    pub address: SocketAddr,
}

/// The two servers that are compared. Both serve the same endpoints.
pub struct ServerPair {
    hand: Server,
    rulebook: Server,
    /// Time in milliseconds from the start of reading the definition until the rulebook server was ready.
    pub milliseconds_to_ready: f64,
    /// The program that both servers use.
    _shared: Option<Process>,
    /// The folder with the files that the servers read. It is removed with this value.
    _folder: TempDir,
}

impl ServerPair {
    /// Starts both servers.
    pub fn start(content: ServedContent) -> Result<Self, Box<dyn Error>> {
        let folder = create_server_folder(content)?;
        if let ServedContent::DefinedHandlers(comparison) = content {
            let others = kinds::start_other_servers(comparison, folder.path())?;
            let mut rulebook = Server::start(ServerKind::Rulebook, &["--definition".into(), folder.path().into()])?;
            let milliseconds_to_ready = rulebook.read_milliseconds_to_ready()?;
            let (hand, shared) = (others.compared, others.shared);
            return Ok(Self { hand, rulebook, milliseconds_to_ready, _shared: shared, _folder: folder });
        }
        let with_folder = |flag: &str| [OsString::from(flag), folder.path().into()];
        let arguments = match content {
            ServedContent::Endpoints | ServedContent::DefinedHandlers(_) => Vec::new(),
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
            ServedContent::VerifiedEndpoints | ServedContent::DefinedHandlers(_) => Vec::new(),
            ServedContent::Files { nodelay: false }
            | ServedContent::Nginx
            | ServedContent::Uploads
            | ServedContent::BearerKeys(_)
            | ServedContent::ManyServices(_) => arguments,
        };
        let hand = match content {
            ServedContent::Nginx => Server::start_nginx_for_files(folder.path())?,
            _ => Server::start(ServerKind::Hand, &arguments)?,
        };
        Ok(Self { hand, rulebook, milliseconds_to_ready, _shared: None, _folder: folder })
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
    /// Starts one of the servers of the benchmark program.
    pub fn start(kind: ServerKind, arguments: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let mut command = Command::new(env::current_exe()?);
        command.args([kind.subcommand(), "--attached", "--bind", &address.to_string()]).args(arguments);
        Self::start_program(kind.title(), address, &command)
    }

    /// Starts nginx for the files in this folder.
    fn start_nginx_for_files(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let root = folder.join("data/files");
        let location = format!(
            "root {}; location = {} {{ try_files /$arg_filename =404; }}",
            root.display(),
            files::ENDPOINT_PATH
        );
        Self::start_nginx(folder, "sendfile on; tcp_nopush on;", &location)
    }

    /// Starts nginx with settings for high performance, and with its files in this folder. `settings` are settings of
    /// all servers, and `server_settings` those of the only server.
    pub fn start_nginx(folder: &Path, settings: &str, server_settings: &str) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log nginx.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n\
             access_log off; keepalive_requests 100000000;\n\
             {settings}\n\
             server {{ listen {address}; {server_settings} }}\n\
             }}\n",
        );
        let configuration = folder.join("nginx.conf");
        fs::write(&configuration, text)?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).args(["-e", "nginx.log", "-c"]).arg(&configuration);
        Self::start_program("nginx", address, &command)
    }

    /// Starts a program that listens on this address.
    pub fn start_program(title: &str, address: SocketAddr, command: &Command) -> Result<Self, Box<dyn Error>> {
        let mut process = Process::spawn(title, SERVER_CORE, command)?;
        process.wait_until_it_listens(address)?;
        Ok(Self { process, address })
    }

    /// Asks the server to end, and waits until it has ended.
    pub fn end(mut self) {
        self.process.end();
    }

    /// Returns the id of the server's process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Reads the line that the server prints before it listens: the time in milliseconds that it needed to be ready.
    fn read_milliseconds_to_ready(&mut self) -> Result<f64, Box<dyn Error>> {
        let stdout = self.process.stdout().ok_or("the server has no output")?;
        let mut line = String::new();
        // A line with a number is shorter than this limit.
        BufReader::new(stdout.take(100)).read_line(&mut line)?;
        let number = line.trim().parse();
        number.map_err(|_| format!("the server printed {line:?} instead of its start time").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server might wait for its connections if it were stopped by a signal.
        self.process.kill();
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
