//! The program itself, serving: for tests that look at it from outside.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, stopped when dropped.
pub struct Served {
    child: Child,
    /// What it printed until it answered.
    pub said: String,
}

impl Served {
    /// Starts the server in `folder`, listening at `address`.
    pub fn start(folder: &Path, address: &str, arguments: &[&str]) -> Self {
        let mut command = program(folder);
        command.args(arguments).args(["--bind", address]).stderr(Stdio::null());
        Self::run(command, folder, address)
    }

    /// Runs a command that serves at `address`.
    pub fn run(mut command: Command, folder: &Path, address: &str) -> Self {
        let said = folder.join("said");
        let child = command.stdout(fs::File::create(&said).unwrap()).spawn().unwrap();
        let mut served = Self { child, said: String::new() };
        let started = Instant::now();
        // What is served is printed once it is listened for.
        while !served.said.contains(address) || TcpStream::connect(address).is_err() {
            assert_eq!(served.child.try_wait().unwrap(), None, "the server has stopped");
            assert!(started.elapsed() < PATIENCE, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
            served.said = fs::read_to_string(&said).unwrap();
        }
        served
    }
}

impl Served {
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let stopped = self.child.kill().and_then(|()| self.child.wait());
        stopped.unwrap();
    }
}

/// The program in a folder, with nothing set by this process's environment.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulebook"));
    command.current_dir(folder);
    clear(&mut command);
    command
}

/// Takes the program's own variables, and the demo's, out of a command's environment.
pub fn clear(command: &mut Command) {
    command.env_remove("DATABASE_URL");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RULEBOOK_") {
            command.env_remove(name);
        }
    }
}

/// An address of this machine that nobody listens at.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Copies the files of a folder into a new one.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
