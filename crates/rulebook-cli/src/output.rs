//! Printing to standard output and standard error.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::Exit;
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;

/// Prints to standard output, and returns the exit code for a command that only prints. If the reader has closed the
/// pipe (`| head`), that is not an error; if the disk is full, it is.
pub(super) fn print(text: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Exit::Success,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            complain(&format!("error: standard output: {error}\n"));
            Exit::Failed
        }
    }
}

/// Writes a document to the file of `--output`, or to standard output without that option.
pub(super) fn deliver(document: &str, file: Option<&Path>) -> Exit {
    let Some(file) = file else { return print(document) };
    match replace(file, document) {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(&format!("error: --output {}: {error}\n", file.display()));
            Exit::Failed
        }
    }
}

/// Writes bytes to standard output.
///
/// # Errors
/// Fails if they cannot be written, or the reader has closed the pipe.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes the content of a file to standard output.
///
/// # Errors
/// Fails if [`write`] fails, or the file cannot be read.
pub(super) fn copy(file: &mut File) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    io::copy(file, &mut stdout)?;
    stdout.flush()
}

/// Writes a file atomically: after a crash there is either the previous file or the new one.
///
/// # Errors
/// Fails if the file cannot be written, or something other than a file has the path.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    // Symbolic links are resolved, so that the file is replaced and not a link to it.
    let file = match file.canonicalize() {
        Ok(target) if target.is_file() => target,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "exists and is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = builder().tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&file)?;
    Ok(())
}

/// Creates temporary files with the permissions of ordinary new files instead of `0600`.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Prints to standard error.
pub(super) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints the errors of a definition to standard error, in color if that is a terminal.
pub(super) fn report(report: &Report) {
    complain(&report.render(has_color(&io::stderr())));
    complain(&format!("\n{}\n", count(report)));
}

/// Returns the number of errors as text: `1 error`, `2 errors`.
pub(super) fn count(report: &Report) -> String {
    number(report.diagnostics.len(), "error")
}

/// Returns a number with a noun: `1 module`, `2 modules`.
pub(super) fn number(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns the size of an API as text: `1 module, 4 services, 9 methods`.
pub(super) fn size(api: &Api) -> String {
    let services: Vec<_> = api.modules.iter().flat_map(|module| &module.services).collect();
    let methods = services.iter().map(|service| service.methods.len()).sum();
    let (modules, services) = (number(api.modules.len(), "module"), number(services.len(), "service"));
    format!("{modules}, {services}, {}", number(methods, "method"))
}

/// Returns `true` if colors should be written to a stream: it is a terminal, and `NO_COLOR` is not set.
pub(super) fn has_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
