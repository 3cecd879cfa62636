//! `rulebook reload`: lets a running server read its definition again.
//!
//! The command writes a request to the data folder of the server and sends SIGHUP to it. The server takes the request
//! away, and writes its result to another file, which the command prints.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use clap::Args;
use rulebook::DataFolder;

use crate::serve::SERVER_LOCK_FILE;
use crate::{AddHandlers, Exit, Settings, output};

/// The file with a request, and the file with its result, in the data folder.
const REQUEST_FILE: &str = "reload.request";
const RESULT_FILE: &str = "reload.result";
/// The file that a command locks while it uses the other two, so that a second command waits until the first has ended.
const LOCK_FILE: &str = "reload.lock";
const ALLOW_BREAKING: &str = "allow-breaking";
pub(crate) const SERVED: &str = "served";
/// The result of a request if the definition is that which is served already.
pub(crate) const UNCHANGED: &str = "unchanged";
/// The time in which a server must serve the definition or refuse it.
const MAX_WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Let the running server of the --data folder read its definition again. It refuses changes that break clients.
///
/// The server reads the definition, its keys and its certificates again. It refuses a definition that breaks clients,
/// unless the major number of `version` in app.json has risen. SIGHUP does the same.
#[derive(Debug, Args)]
pub(super) struct ReloadOptions {
    /// Also serve changes that break clients.
    #[arg(long)]
    allow_breaking: bool,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &ReloadOptions) -> Result<Exit, Exit> {
    let validated = settings.new_rulebook(app).validate().map_err(|report| output::print_report(&report))?;
    let data = DataFolder::path(&validated.data_folder).to_owned();
    let (request, result) = (data.join(REQUEST_FILE), data.join(RESULT_FILE));
    let print =
        |path: &Path, error: &dyn std::fmt::Display| output::print_system_error(format!("{}: {error}", path.display()));
    let server = find_server(&data.join(SERVER_LOCK_FILE)).map_err(output::print_system_error)?;
    let lock = data.join(LOCK_FILE);
    let locked = fs::File::options().create(true).truncate(false).write(true).open(&lock);
    let _locked = locked.and_then(|file| file.lock().map(|()| file)).map_err(|error| print(&lock, &error))?;
    let _ = fs::remove_file(&result);
    let content = if options.allow_breaking { ALLOW_BREAKING } else { "" };
    fs::write(&request, content).map_err(|error| print(&request, &error))?;
    let outcome = signal_server(server).and_then(|()| wait_for(&result));
    // A server that does not take the request away must not find it later.
    let _ = fs::remove_file(&request);
    let outcome = outcome.map_err(output::print_system_error)?;
    let _ = fs::remove_file(&result);
    match outcome.as_str() {
        SERVED => Ok(output::print_to_stdout("the server serves the definition\n")),
        UNCHANGED => Ok(output::print_to_stdout("the definition is unchanged\n")),
        why => {
            output::print_to_stderr(&format!("{why}\n"));
            Ok(Exit::ErrorsReported)
        }
    }
}

fn find_server(lock_file: &Path) -> Result<i32, String> {
    let no_server = || format!("no server uses the data folder {}", lock_file.parent().unwrap_or(lock_file).display());
    // A lock that can be taken belongs to no running server.
    let file = fs::File::open(lock_file).map_err(|_| no_server())?;
    if file.try_lock().is_ok() {
        return Err(no_server());
    }
    let text = fs::read_to_string(lock_file).map_err(|error| format!("{}: {error}", lock_file.display()))?;
    text.trim().parse().map_err(|_| no_server())
}

#[cfg(unix)]
fn signal_server(process_id: i32) -> Result<(), String> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = Pid::from_raw(process_id).ok_or("the server has no process id")?;
    kill_process(pid, Signal::HUP).map_err(|error| format!("the server cannot be signalled: {error}"))
}

#[cfg(not(unix))]
fn signal_server(_: i32) -> Result<(), String> {
    Err("this operating system has no signals; restart the server".to_owned())
}

fn wait_for(result: &Path) -> Result<String, String> {
    let begun = Instant::now();
    loop {
        match fs::read_to_string(result) {
            Ok(text) => return Ok(text),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", result.display()));
            }
            Err(_) if begun.elapsed() > MAX_WAIT => {
                return Err(format!("the server has not responded within {} s", MAX_WAIT.as_secs()));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

pub(crate) struct ReloadRequest {
    allows_breaking: bool,
    result: PathBuf,
}

impl ReloadRequest {
    /// Takes the request away from the data folder. Returns `None` if it contains no request: then another program sent
    /// the signal.
    pub(crate) fn take(data: &Path) -> Option<Self> {
        let request = data.join(REQUEST_FILE);
        let content = fs::read_to_string(&request).ok()?;
        fs::remove_file(&request).ok()?;
        Some(Self { allows_breaking: content == ALLOW_BREAKING, result: data.join(RESULT_FILE) })
    }

    pub(crate) fn allows_breaking(&self) -> bool {
        self.allows_breaking
    }

    /// Writes the result: [`SERVED`], [`UNCHANGED`], or why the definition is not served.
    pub(crate) fn report(&self, text: &str) {
        let new = self.result.with_extension("new");
        if let Err(error) = fs::write(&new, text).and_then(|()| fs::rename(&new, &self.result)) {
            ::log::warn!("{}: {error}", self.result.display());
        }
    }
}
