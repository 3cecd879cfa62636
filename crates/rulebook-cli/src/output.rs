//! Prints the output of commands to standard output and their messages to standard error.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;

use super::Exit;
use rulebook::LineQueue;
use rulebook_model::diagnostic::{Report, closest_word};
use rulebook_model::invisible::{escape_controls_in_json, replace_invisible};
use rulebook_model::model::Api;
use serde_json::Value as Json;

/// The queues of a server for standard output and standard error; `None` for a file, which cannot let the server wait.
static QUEUES: OnceLock<[Option<LineQueue>; 2]> = OnceLock::new();

/// Waits, when it is dropped, until the readers of the output have read it, but not for readers that do not read.
pub(super) struct QueuedOutput;

impl Drop for QueuedOutput {
    fn drop(&mut self) {
        QUEUES.get().into_iter().flatten().flatten().for_each(LineQueue::finish);
    }
}

/// Writes everything that this process prints from now on through queues, so that no reader can stop it.
pub(super) fn queue_output() -> io::Result<QueuedOutput> {
    let stdout = (!is_file(&io::stdout())).then(|| LineQueue::start("standard output", io::stdout()));
    let stderr = (!is_file(&io::stderr())).then(|| LineQueue::start("standard error", io::stderr()));
    let _ = QUEUES.set([stdout.transpose()?, stderr.transpose()?]);
    Ok(QueuedOutput)
}

#[cfg(unix)]
fn is_file(stream: &impl std::os::fd::AsFd) -> bool {
    let file = stream.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(not(unix))]
fn is_file<T>(_: &T) -> bool {
    false
}

/// Returns the queue for standard error; `None` if this process writes to it directly.
pub(super) fn queued_stderr() -> Option<LineQueue> {
    QUEUES.get()?[1].clone()
}

/// Prints a text to standard output, and returns the exit code for it. It is a success if the program that reads the
/// pipe has closed it (`| head`), and an error if the text cannot be written, for example because the disk is full.
pub(super) fn print_to_stdout(text: &str) -> Exit {
    exit_of_output(write_to_stdout(text.as_bytes()), "standard output")
}

/// Returns the exit code of an output that was written, as [`print_to_stdout`] does. `place` begins the error message.
pub(super) fn exit_of_output(written: io::Result<()>, place: &str) -> Exit {
    match written {
        Ok(()) => Exit::Success,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => print_system_error(format!("{place}: {error}")),
    }
}

/// Formats a JSON value on several lines for a terminal, which its strings cannot control.
pub(super) fn format_json(json: &Json) -> String {
    escape_controls_in_json(&format!("{json:#}\n"))
}

/// Writes a document to the file of `--output`, or to standard output if that option is not given.
pub(super) fn write_document(document: &str, file: Option<&Path>) -> Exit {
    let Some(file) = file else { return print_to_stdout(document) };
    match replace_file(file, document) {
        Ok(()) => Exit::Success,
        Err(error) => print_system_error(format!("--output {}: {error}", file.display())),
    }
}

pub(super) fn print_warnings(warnings: &Report) {
    if !warnings.is_empty() {
        print_to_stderr(&format!("{}\n", warnings.render(has_color(&io::stderr()))));
    }
}

pub(super) fn write_to_stdout(bytes: &[u8]) -> io::Result<()> {
    if let Some([Some(queue), _]) = QUEUES.get() {
        return queue.clone().write_all(bytes);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

pub(super) fn copy_to_stdout(file: &mut File) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    io::copy(file, &mut stdout)?;
    stdout.flush()
}

/// Writes a file atomically: if the computer crashes meanwhile, `file` has either its previous content or the new one.
fn replace_file(file: &Path, text: &str) -> io::Result<()> {
    // If the path is a symbolic link, the file that it refers to is replaced, and not the link.
    let file = match file.canonicalize() {
        Ok(target) if target.is_file() => target,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "exists and is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // The permissions of ordinary new files, instead of `0600`.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&file)?;
    Ok(())
}

/// Prints a text to standard error. Errors of writing are ignored, because there is no place to report them.
pub(super) fn print_to_stderr(text: &str) {
    let _ = match queued_stderr() {
        Some(mut queue) => queue.write_all(text.as_bytes()),
        None => io::stderr().lock().write_all(text.as_bytes()),
    };
}

/// Prints the errors of a definition to standard error, in color if standard error is a terminal. Returns the exit code
/// for them.
pub(super) fn print_report(report: &Report) -> Exit {
    print_to_stderr(&report.render(has_color(&io::stderr())));
    print_to_stderr(&format!("\n{}\n", error_count(report)));
    Exit::ErrorsReported
}

#[derive(Debug)]
pub(super) enum Failure {
    /// The values of flags, environment variables or settings are wrong.
    Usage(String),
    /// The operating system or another server has reported an error, so that the command can succeed later.
    System(String),
}

impl Failure {
    /// Writes where the error is in front of its message.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Usage(why) => Self::Usage(format!("{place}: {why}")),
            Self::System(why) => Self::System(format!("{place}: {why}")),
        }
    }

    pub(super) fn print(&self) -> Exit {
        match self {
            Self::Usage(why) => print_usage_error(why),
            Self::System(why) => print_system_error(why),
        }
    }
}

pub(super) fn print_usage_error(why: impl fmt::Display) -> Exit {
    print_error(why);
    Exit::InvalidUsage
}

pub(super) fn print_system_error(why: impl fmt::Display) -> Exit {
    print_error(why);
    Exit::SystemError
}

/// Prints an error, which can have several lines, and can contain texts of files and other programs.
fn print_error(why: impl fmt::Display) {
    let lines: Vec<_> = why.to_string().split('\n').map(replace_invisible).collect();
    print_to_stderr(&format!("error: {}\n", lines.join("\n")));
}

/// Returns the end of a message about an unknown word, which names the most similar one of the known words.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    closest_word(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Returns the rows of a table as text, in columns as wide as their cells, which cannot control the terminal.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| replace_invisible(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    rows.iter().fold(String::new(), |text, row| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text + cells.join("  ").trim_end() + "\n"
    })
}

pub(super) fn error_count(report: &Report) -> String {
    count_with_noun(report.diagnostics.iter().filter(|diagnostic| !diagnostic.is_warning).count(), "error")
}

/// Returns a number with a noun in singular or plural: `1 module`, `2 modules`.
pub(super) fn count_with_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns the numbers of modules, services and methods of an API: `1 module, 4 services, 9 methods`.
pub(super) fn api_size(api: &Api) -> String {
    let services: Vec<_> = api.services().collect();
    let methods = services.iter().map(|service| service.methods.len()).sum();
    let (modules, services) =
        (count_with_noun(api.modules.len(), "module"), count_with_noun(services.len(), "service"));
    format!("{modules}, {services}, {}", count_with_noun(methods, "method"))
}

/// Returns `true` if text for this stream should be colored: the stream is a terminal that has colors, and the
/// environment variable `NO_COLOR` is not set.
pub(super) fn has_color(stream: &impl IsTerminal) -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    stream.is_terminal() && !is_dumb && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
