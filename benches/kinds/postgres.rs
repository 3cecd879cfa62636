//! A temporary PostgreSQL server.

use std::error::Error;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sql::{CREATE_TABLE, INSERT, NOTE_COUNT};
use crate::drive::{Process, SERVER_CORE};

/// The user of Debian's package. PostgreSQL does not run as root.
const USER: &str = "postgres";

/// A running server.
pub struct Cluster {
    /// The process of the server.
    pub process: Process,
    /// The URL of the database.
    pub url: String,
}

/// Returns the folder with the programs of the newest PostgreSQL; `None` if it is not installed. On Debian, this folder
/// is not in `PATH`.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let newest = versions.max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0))?;
    Some(newest.path().join("bin")).filter(|folder| folder.join("initdb").exists())
}

/// Starts a server whose database contains the notes, with all its files in this folder. The server runs on the core of
/// the compared servers. On another core, they would wait for it most of the time, so that the number of requests would
/// not depend on the work for each of them.
pub fn start(folder: &Path) -> Result<Cluster, Box<dyn Error>> {
    let programs = programs().ok_or("PostgreSQL is not installed")?;
    fs::create_dir_all(folder)?;
    let mut as_user = Vec::new();
    if rustix::process::geteuid().is_root() {
        let [user, group] = ["-u", "-g"].map(user_number);
        let (user, group) = (user?, group?);
        // The user must be able to enter the folders above.
        for above in folder.ancestors().skip(1).take_while(|above| *above != std::env::temp_dir()) {
            open_folder(above)?;
        }
        chown(folder, Some(user), Some(group))?;
        as_user = vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()];
    }
    let cluster = folder.join("cluster");
    let command = |name: &str| {
        let mut command = Command::new("setpriv");
        command.args(&as_user).arg("--pdeathsig=INT").arg(programs.join(name)).current_dir(folder);
        command
    };
    let mut init = command("initdb");
    init.args(["-U", "bench", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]).arg(&cluster);
    run_silently(&mut init)?;

    let mut server = command("postgres");
    server.arg("-D").arg(&cluster).arg("-k").arg(folder).args(["-c", "listen_addresses=", "-c", "fsync=off"]);
    server.args(["-c", "log_destination=stderr", "-c", "logging_collector=off", "-c", "log_min_messages=panic"]);
    let mut process = Process::spawn("PostgreSQL", SERVER_CORE, &server)?;
    process.wait_until(|| {
        let mut ready = Command::new(programs.join("pg_isready"));
        run_silently(ready.args(["-q", "-U", "bench", "-h"]).arg(folder)).is_ok()
    })?;
    let mut fill = Command::new(programs.join("psql"));
    fill.args(["-q", "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-h"]).arg(folder);
    fill.args(["-c", CREATE_TABLE]);
    fill.args(["-c", &format!("{INSERT} generate_series(1, {NOTE_COUNT}) AS numbers(n)")]);
    run_silently(fill.args(["-c", "VACUUM ANALYZE note"]))?;
    let url = format!("postgres://bench@localhost/postgres?host={}", folder.display());
    Ok(Cluster { process, url })
}

/// Returns the number of the user (`-u`) or of its group (`-g`).
fn user_number(option: &str) -> Result<u32, Box<dyn Error>> {
    let output = Command::new("id").args([option, USER]).output()?;
    let number = String::from_utf8_lossy(&output.stdout).trim().parse();
    number.map_err(|_| format!("there is no user {USER}").into())
}

/// Lets all users enter a folder, but not list it.
fn open_folder(folder: &Path) -> Result<(), Box<dyn Error>> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(folder)?.permissions();
    permissions.set_mode(permissions.mode() | 0o011);
    Ok(fs::set_permissions(folder, permissions)?)
}

/// Runs a program until it ends. Its output is part of the error if it fails.
fn run_silently(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    Err(format!("{name} failed with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
