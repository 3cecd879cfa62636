//! Tests of commands of the program `rulebook` with handlers in the definition.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod call;
mod test_files;
mod token;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

/// The maximum time for a server to start.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The exit code and the output of a program that has ended.
#[derive(Debug)]
struct RunResult {
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for RunResult {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit_code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Returns a command that runs the program in a folder, without the environment variables of the program.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulebook"));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RULEBOOK_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program with a folder as its working directory, and waits until it ends.
fn run_program(folder: &Path, arguments: &[&str]) -> RunResult {
    program(folder).args(arguments).env_remove("DATABASE_URL").output().unwrap().into()
}

/// Creates a folder whose subfolder `api` contains these definition files.
fn definition_folder(files: &[(&str, Json)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join("api").join(name), content.to_string()).unwrap();
    }
    folder
}

/// Copies the files of one folder into another folder, which is created.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A server process, which is killed when this value is dropped.
struct Server {
    child: Child,
    /// Its address and port.
    address: String,
    /// What it has printed when it started.
    stdout: String,
    log: PathBuf,
}

impl Server {
    /// Starts `rulebook serve` with further arguments, and waits until it listens.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let (stdout, log) = (folder.join("stdout.txt"), folder.join("stderr.txt"));
        let mut command = program(folder);
        command.arg("serve").args(arguments).args(["--bind", "127.0.0.1:0"]);
        command.stdout(fs::File::create(&stdout).unwrap()).stderr(fs::File::create(&log).unwrap());
        let mut server = Self { child: command.spawn().unwrap(), address: String::new(), stdout: String::new(), log };
        let started = Instant::now();
        // The line with the address is not the last one.
        while !server.stdout.contains("\n  log ") {
            assert_eq!(server.child.try_wait().unwrap(), None, "the server has stopped: {}", server.log());
            assert!(started.elapsed() < TIMEOUT, "the server does not listen: {}", server.log());
            std::thread::sleep(Duration::from_millis(20));
            server.stdout = fs::read_to_string(&stdout).unwrap();
        }
        let address = server.stdout.split_once("http://").and_then(|(_, rest)| rest.split_once('/'));
        server.address = address.unwrap().0.to_owned();
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing the process fails if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
