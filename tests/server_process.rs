//! Runs the program `article-site` as a server in another process.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The maximum time for the server to start or to end.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A running server process, which is killed when this value is dropped.
pub struct ServerProcess {
    child: Child,
    /// The output of the program up to the point where it accepts connections.
    pub stdout: String,
    log_path: PathBuf,
}

impl ServerProcess {
    /// Starts the program as a server in `folder`. The server listens at `address`.
    pub fn start(folder: &Path, address: &str, arguments: &[&str]) -> Self {
        Self::run(program(folder).args(arguments), folder, address)
    }

    /// Starts a server with a command, to which the argument with the address is added.
    pub fn run(command: &mut Command, folder: &Path, address: &str) -> Self {
        let log = fs::File::create(folder.join("stderr.txt")).unwrap();
        Self::run_with_log(command, folder, address, log)
    }

    /// Starts a server as `run` does, with another log.
    pub fn run_with_log(command: &mut Command, folder: &Path, address: &str, log: impl Into<Stdio>) -> Self {
        let (stdout, log_path) = (folder.join("stdout.txt"), folder.join("stderr.txt"));
        let child =
            command.args(["--bind", address]).stdout(fs::File::create(&stdout).unwrap()).stderr(log).spawn().unwrap();
        let mut process = Self { child, stdout: String::new(), log_path };
        let started = Instant::now();
        // The program prints the address as soon as it listens at that address.
        while !process.stdout.contains(address) || TcpStream::connect(address).is_err() {
            assert_eq!(process.child.try_wait().unwrap(), None, "the server has stopped: {}", process.log());
            assert!(started.elapsed() < TIMEOUT, "the server does not accept connections: {}", process.log());
            std::thread::sleep(Duration::from_millis(20));
            process.stdout = fs::read_to_string(&stdout).unwrap();
        }
        process
    }

    /// Returns the content of the server's log file.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log_path).unwrap_or_default()
    }

    /// Returns the process id of the server.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the signal with this name to the server, as the command `kill` does.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the process has ended, and returns its exit code; `None` if a signal ended the process.
    pub fn wait(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < TIMEOUT, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Killing the process fails if the process has ended already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// Returns a command that runs the program in a folder. The program's environment variables are removed from the
/// command's environment.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_article-site"));
    command.current_dir(folder);
    clear(&mut command);
    command
}

/// Removes the environment variables that the program and the definitions of examples read from the environment of a
/// command.
pub fn clear(command: &mut Command) {
    command.env_remove("DATABASE_URL");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RULEBOOK_") {
            command.env_remove(name);
        }
    }
}

/// Returns a free address of this machine, a different one for each call. The port is below the range from which the
/// system chooses ports for outgoing connections, so that no other process takes it.
pub fn free_address() -> String {
    static NEXT_PORT: AtomicU32 = AtomicU32::new(0);
    const PORT_RANGE: std::ops::Range<u32> = 20_000..32_000;
    loop {
        // Other test processes may use ports of the same range, so that each port is tried.
        let next = NEXT_PORT.fetch_add(1, Ordering::Relaxed) + std::process::id() * 101;
        let address = format!("127.0.0.1:{}", PORT_RANGE.start + next % (PORT_RANGE.end - PORT_RANGE.start));
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// Copies the files of one folder into another folder, which is created.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
