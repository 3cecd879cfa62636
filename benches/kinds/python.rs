//! Servers in Python, which uvicorn runs.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use super::source_path;
use crate::drive::{Server, free_address};

/// The environment variable with the Python interpreter for which the packages in `benches/requirements.txt` are
/// installed. The script `scripts/bench` sets it.
const INTERPRETER_VARIABLE: &str = "BENCH_PYTHON";

/// Returns the Python interpreter with the required packages; `None` if they are not installed.
pub fn interpreter() -> Option<PathBuf> {
    env::var_os(INTERPRETER_VARIABLE).map(PathBuf::from).filter(|path| path.exists())
}

/// Returns the Python interpreter with the required packages.
pub fn required_interpreter() -> Result<PathBuf, &'static str> {
    interpreter().ok_or("FastAPI is not installed; run scripts/bench, which installs it")
}

/// Starts uvicorn with one worker for the application in a file beside this one.
pub fn start_uvicorn(module: &str, environment: &[(&str, &str)]) -> Result<Server, Box<dyn Error>> {
    let address = free_address()?;
    let mut command = Command::new(required_interpreter()?);
    command.args(["-m", "uvicorn", &format!("{module}:app"), "--app-dir", &source_path("")]);
    command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.args(["--workers", "1", "--loop", "uvloop", "--http", "httptools"]);
    command.args(["--log-level", "error", "--no-access-log"]);
    command.envs(environment.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
    Server::start_program("uvicorn", address, &command)
}
