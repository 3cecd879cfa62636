//! Runs the program as a server in another process.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The maximum time for the server to start or end.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running server, which is killed when this is dropped.
pub struct ServerProcess {
    child: Child,
    /// The output of the program until it accepted connections.
    pub stdout: String,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts the server in `folder`, listening at `address`.
    pub fn start(folder: &Path, address: &str, arguments: &[&str]) -> Self {
        Self::run(program(folder).args(arguments), folder, address)
    }

    /// Starts a server by a command, to which the address is added.
    pub fn run(command: &mut Command, folder: &Path, address: &str) -> Self {
        let (stdout, log) = (folder.join("stdout.txt"), folder.join("stderr.txt"));
        let child = command
            .args(["--bind", address])
            .stdout(fs::File::create(&stdout).unwrap())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut process = Self { child, stdout: String::new(), log };
        let started = Instant::now();
        // The program prints the address once it listens there.
        while !process.stdout.contains(address) || TcpStream::connect(address).is_err() {
            assert_eq!(process.child.try_wait().unwrap(), None, "the server has stopped: {}", process.log());
            assert!(started.elapsed() < TIMEOUT, "the server does not accept connections");
            std::thread::sleep(Duration::from_millis(20));
            process.stdout = fs::read_to_string(&stdout).unwrap();
        }
        process
    }

    /// Returns the log of the server so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Returns the id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the process has ended, and returns its exit code.
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
        // The process may have ended already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// Returns a command that runs the program in a folder, without the variables of this process's environment.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_article-site"));
    command.current_dir(folder);
    clear(&mut command);
    command
}

/// Removes the environment variables of the program and of the demo from the environment of a command.
pub fn clear(command: &mut Command) {
    command.env_remove("DATABASE_URL");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RULEBOOK_") {
            command.env_remove(name);
        }
    }
}

/// Returns another free address of this machine each time. Its port is below those that the system gives to
/// connections, so that it stays free.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const PORTS: std::ops::Range<u32> = 20_000..32_000;
    loop {
        // Other test processes may run at the same time.
        let next = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id() * 101;
        let address = format!("127.0.0.1:{}", PORTS.start + next % (PORTS.end - PORTS.start));
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// Copies the files of a folder into a new one.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
