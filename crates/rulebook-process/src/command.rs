//! Starts and kills processes.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::settings::PoolSettings;

/// The prefix of the names of rulebook's environment variables, some of which are secrets.
const RULEBOOK_PREFIX: &str = "RULEBOOK_";
/// The environment variables with the trace of the program that has started the server. The calls that a process
/// handles do not belong to this trace.
const TRACE_VARIABLES: [&str; 2] = ["TRACEPARENT", "TRACESTATE"];

/// A process and its process group: the processes that it starts belong to the group, unless they leave it.
#[derive(Debug)]
pub struct Process {
    pub child: Child,
    pub group: ProcessGroup,
}

/// A process group, which is killed when this value is dropped.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// Kills all processes of the group.
    pub fn kill(&self) {
        if let Some(group) = self.0 {
            // It fails if all processes of the group have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process with the command of a pool, in a process group of its own. Its standard streams are pipes.
/// Fails if the program or the working directory does not exist, or the system cannot start the process.
pub fn spawn(settings: &PoolSettings, variables: &[(&str, String)]) -> io::Result<Process> {
    let Some((program, arguments)) = settings.command.split_first() else {
        return Err(io::Error::other("the command is empty"));
    };
    check_directory(&settings.directory)?;
    let mut command = Command::new(program_path(program, &settings.directory)?);
    command.args(arguments).current_dir(&settings.directory);
    for (name, _) in std::env::vars_os() {
        if !is_inherited(&name) {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok(Process { child, group: ProcessGroup(group) })
}

/// Checks that the program and the working directory of a pool exist.
/// Fails if one of them does not exist, or the program cannot be executed.
pub fn check_program(settings: &PoolSettings) -> io::Result<()> {
    check_directory(&settings.directory)?;
    let program = settings.command.first().map_or("", String::as_str);
    let path = program_path(program, &settings.directory)?;
    let is_found = if program.contains('/') {
        is_executable(&path)
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(program)))
    };
    if is_found { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotFound, "there is no such program")) }
}

/// Returns `true` if the program of a pool, which the system finds by its name, is not installed.
pub fn is_program_missing(settings: &PoolSettings) -> bool {
    let is_name = settings.command.first().is_some_and(|program| !program.contains('/'));
    is_name && check_program(settings).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn check_directory(directory: &Path) -> io::Result<()> {
    let is_directory = std::fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir());
    let missing = || io::Error::other(format!("the directory {} does not exist", directory.display()));
    if is_directory { Ok(()) } else { Err(missing()) }
}

/// Returns the path of a program: a path with a slash is relative to the working directory of the processes, and the
/// system finds any other program by its name.
fn program_path(program: &str, directory: &Path) -> io::Result<PathBuf> {
    if program.contains('/') { std::path::absolute(directory.join(program)) } else { Ok(PathBuf::from(program)) }
}

fn is_executable(path: &Path) -> bool {
    let is_program = |metadata: std::fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    std::fs::metadata(path).is_ok_and(is_program)
}

/// Returns `true` if processes have the environment variable with this name if the server has it.
fn is_inherited(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(RULEBOOK_PREFIX.as_bytes())
        && !TRACE_VARIABLES.iter().any(|variable| name == *variable)
}
